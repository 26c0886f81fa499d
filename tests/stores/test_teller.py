"""Status is told once a second at most, while something changes, and never in the way of what it tells of."""

import threading
import time

import pytest
from rigs.patience import until

from facility.errors import StoreUnavailable
from facility.status import AgentStatus, Instance, ProcessStatus
from stores.records.status import teller as teller_module
from stores.records.status.teller import Teller

ME = Instance("ingest", "north", "/data", 17)


class Board:
    """Keeps what was told; ``is_up`` and ``hold`` say how the records fare."""

    def __init__(self):
        self.rows, self.is_up, self.hold, self.goodbyes = [], True, None, 0
        self.fault = None

    def tell(self, instance, status, up_s, agents):
        assert instance == ME
        if self.hold:
            self.hold.wait(30)
        if not self.is_up:
            raise StoreUnavailable("disk full")
        if self.fault:
            raise self.fault
        self.rows.append((status.state, round(up_s), [one.agent for one in agents]))

    def prune(self):
        pass

    def say_goodbye(self, instance):
        self.goodbyes += instance == ME


@pytest.fixture
def world():
    class World:
        board, state, now_s, moves, agents = Board(), "running", 100.0, True, []

        def after(self, s):
            self.now_s += s
            self.teller.turn()
            return len(self.board.rows)

    one = World()
    one.teller = Teller(
        one.board, ME, lambda: ProcessStatus(one.state), moves=lambda: one.moves,
        agents=lambda: one.agents, clock_s=lambda: one.now_s,
    )  # fmt: skip
    return one


def test_what_has_not_changed_is_told_by_the_heartbeat_alone(world):
    assert [world.after(1) for _ in range(25)] == [1] * 10 + [2] * 10 + [3] * 5
    world.state = "store_unavailable"
    assert world.after(1) == 4
    assert world.board.rows[-1] == ("store_unavailable", 26, [])


def test_a_process_that_stands_still_is_told_of_no_more(world):
    world.after(1)
    world.moves, world.state = False, "another"
    assert world.after(100) == 1
    world.moves = True
    assert world.after(1) == 2


def test_agents_are_told_when_it_matters_and_else_now_and_then(world):
    def heard(s, **figures):
        world.agents = [AgentStatus("edge-1", "online", s, figures)]

    heard(0, unstored=1.0)
    world.after(1)
    heard(0, unstored=2.0)
    assert world.after(1) == 1
    heard(0, unstored=2.0, alarm_clock=1.0)
    assert world.after(1) == 2
    heard(0, unstored=3.0, alarm_clock=1.0)
    assert (world.after(4), world.after(1)) == (2, 3)
    heard(6, unstored=3.0, alarm_clock=1.0)  # nothing has been heard since
    assert world.after(6) == 3
    assert [agents for _, _, agents in world.board.rows] == [["edge-1"]] * 3


def test_records_that_cannot_be_reached_are_logged_once_and_told_again(world, logged):
    world.board.is_up = False
    for _ in range(5):
        world.after(1)
    world.board.is_up = True
    assert world.after(1) == 1
    said = [line["event"] for line in logged]
    assert said == ["status_cannot_be_told", "status_is_told_again"]


def test_a_fault_of_our_own_is_logged_with_its_place_and_does_not_end_the_telling(world, logged):
    world.teller.start()
    until(lambda: world.board.rows)
    world.board.fault, world.state = OverflowError("int too large"), "gap_open"
    until(lambda: logged)
    world.board.fault = None
    until(lambda: world.board.rows[-1][0] == "gap_open")
    world.teller.stop()
    assert [(line["event"], line.get("exc_info") is not None) for line in logged] == [
        ("status_cannot_be_told", True),
        ("status_is_told_again", False),
    ]


def test_who_ends_otherwise_than_in_good_order_says_no_goodbye(world):
    with pytest.raises(ZeroDivisionError), world.teller:
        raise ZeroDivisionError
    assert (len(world.board.rows), world.board.goodbyes) == (1, 0)


def test_who_is_told_to_leave_leaves_in_good_order(world):
    with pytest.raises(SystemExit), world.teller:
        raise SystemExit(0)
    assert world.board.goodbyes == 1


def test_records_that_hang_hold_up_neither_the_process_nor_its_end(world, monkeypatch):
    monkeypatch.setattr(teller_module, "GOODBYE_S", 0.2)
    world.board.hold = threading.Event()
    world.teller.start()
    begun = time.monotonic()
    world.teller.stop()
    assert time.monotonic() - begun < 10
    assert world.board.rows == []
    world.board.hold.set()
    until(lambda: world.board.goodbyes == 1)


def test_an_end_in_good_order_is_told(world):
    world.teller.start()
    world.teller.stop()
    assert world.board.goodbyes == 1
    assert world.board.rows[0][0] == "running"
