"""One row per process and per agent, whoever tells it and by whatever clock."""

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa
from rigs.ingest_rig import CATALOGUE

from facility.catalogue import Agent
from facility.errors import Rejected, StoreUnavailable
from facility.status import AgentStatus, Instance, ProcessStatus, ServerProcess
from stores.records.registry import Registry
from stores.records.status import board as status_module
from stores.records.status.board import StatusBoard, database_ms
from stores.records.status.watched import Watched, Watches

INGEST = Instance("ingest", "north", "/data", 17)
RUNS = ProcessStatus("running", {"gap_open": "1 to 5"}, {"readings_stored": 12.0}, {"store": "/data/readings.db"})


@pytest.fixture
def board(engine, now):
    Registry(engine).apply(CATALOGUE, by="a test", at=now)
    return StatusBoard(engine)


@pytest.fixture
def later(engine):
    """The same board so many seconds later."""
    return lambda s: StatusBoard(engine, lambda connection: database_ms(connection) + round(1000 * s))


def test_what_a_process_tells_is_read_with_its_age_by_the_databases_clock(board, later):
    board.tell(INGEST, RUNS, up_s=500.0)
    (seen,) = later(20).overview().of(ServerProcess.INGEST)
    assert (seen.instance, seen.status, seen.has_ended) == (INGEST, RUNS, False)
    assert (round(seen.untold_s), round(seen.up_s), seen.is_silent) == (20, 520, False)
    assert later(61).overview().processes[0].is_silent
    assert later(-61).overview().processes[0].is_silent  # the clock was set back: what it told then proves nothing now


def test_a_process_that_is_started_again_takes_its_own_place_and_two_hosts_have_two(board):
    other = Instance("ingest", "south", "/data", 17)
    again = Instance("ingest", "north", "/data", 99)
    board.tell(INGEST, RUNS, 1.0)
    board.tell(other, RUNS, 1.0)
    board.say_goodbye(INGEST)
    board.tell(again, ProcessStatus(), 0.0)
    board.say_goodbye(INGEST)  # late: somebody else has that place now
    seen = {one.instance.name: one for one in board.overview().processes}
    assert {name: (one.instance.pid, one.has_ended) for name, one in seen.items()} == {
        "ingest@north:/data": (99, False),
        "ingest@south:/data": (17, False),
    }


def test_an_agent_has_one_row_and_the_ingest_that_heard_it_last_is_right(board):
    board.tell(INGEST, RUNS, 1.0, [AgentStatus("edge-1", "online", 30.0, {"unstored": 5.0}, {"bus": "ok"}, "e1", 7)])
    board.tell(INGEST, RUNS, 1.0, [AgentStatus("edge-1", "online", 10.0, {"unstored": 6.0}, {"bus": "ok"}, "e1", 8)])
    board.tell(INGEST, RUNS, 1.0, [AgentStatus("edge-1", "offline", 20.0)])  # heard before, told late
    agent, other = board.overview().agents
    assert other == AgentStatus("edge-2")  # never heard, and not left out
    assert (agent.state, agent.figures, agent.store_hw, round(agent.unheard_s)) == ("online", {"unstored": 6.0}, 8, 10)


def test_what_was_heard_before_the_databases_clock_was_set_back_holds_nobody_up(board, later):
    board.tell(INGEST, RUNS, 1.0, [AgentStatus("edge-1", "online", 0.0)])
    earlier = later(-3600)
    earlier.tell(INGEST, RUNS, 1.0, [AgentStatus("edge-1", "offline", 0.0)])
    assert earlier.overview().agents[0].state == "offline"


def test_agents_are_as_many_as_the_registry_has_whoever_speaks(board, engine, now):
    board.tell(INGEST, RUNS, 1.0, [AgentStatus(f"stranger-{n}", "online", 0.0) for n in range(2000)])
    assert board.overview().agents == [AgentStatus("edge-1"), AgentStatus("edge-2")]
    many = [Agent(f"edge-{n}", ()) for n in range(1000)]
    estate = Registry(engine)
    estate.apply(with_agents(many), by="a test", at=now, accept=True)
    board.tell(INGEST, RUNS, 1.0, [AgentStatus(f"edge-{n}", "online", 0.0) for n in range(3000)])
    assert len(board.overview().agents) == 1000
    estate.apply(with_agents(many[1:3]), by="a test", at=now, accept=True)
    assert [one.agent for one in board.overview().agents] == ["edge-1", "edge-2"]
    board.prune()
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM agent_status")).scalar() == 2


def with_agents(agents):
    return replace(CATALOGUE, agents=tuple(agents), meters=(), points=())


FIGURES = {f"f{n}": 1.0 for n in range(5000)} | {"alarm_clock": 1.0}


def test_what_an_agent_says_of_itself_is_bounded(board):
    huge = AgentStatus("edge-1", "online", 0.0, FIGURES, {"bus": "x" * 100_000})
    board.tell(INGEST, ProcessStatus(alarms={"store_unavailable": "y" * 100_000}), 1.0, [huge])
    overview = board.overview()
    assert overview.agents[0].figures["alarm_clock"], "what a person should know is kept first"
    assert (len(overview.agents[0].figures), len(overview.agents[0].buses["bus"])) == (100, 500)
    assert len(overview.processes[0].status.alarms["store_unavailable"]) == 500


def test_old_rows_go_and_the_table_stays_small(board, later, monkeypatch):
    monkeypatch.setattr(status_module, "MOST_PROCESSES", 20)
    for n in range(30):
        board.tell(Instance("ingest", f"host-{n:02}", "/data", n), RUNS, 1.0)
    board.prune()
    assert len(board.overview().processes) == 20
    late = later(31 * 86_400)
    late.tell(INGEST, RUNS, 1.0)
    late.prune()
    assert [one.instance for one in late.overview().processes] == [INGEST]


def test_the_last_of_a_kind_is_missed_for_as_long_as_it_is_not_forgotten(board, later):
    watch = Instance("analytics", "north", "/data", 18)
    board.tell(Instance("analytics", "south", "/data", 19), RUNS, 1.0)
    board.tell(watch, RUNS, 1.0)
    late = later(400 * 86_400)
    late.tell(INGEST, RUNS, 1.0)
    late.prune()
    assert [one.instance for one in late.overview().processes] == [watch, INGEST]
    late.forget(watch.name)
    assert [one.instance for one in late.overview().processes] == [INGEST]


def test_a_process_that_will_not_come_back_can_be_forgotten_and_one_that_tells_cannot(board, later):
    board.tell(INGEST, RUNS, 1.0)
    with pytest.raises(Rejected, match="runs: stop it first"):
        board.forget(INGEST.name)
    with pytest.raises(Rejected, match=r"known: ingest@north:/data"):
        board.forget("ingest@nowhere")
    later(61).forget(INGEST.name)
    assert board.overview().processes == []


def test_a_board_that_cannot_be_read_is_unavailable_and_not_empty(board, engine):
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE process_status RENAME TO elsewhere"))
    for step in (board.overview, board.prune, lambda: board.tell(INGEST, RUNS, 1.0)):
        with pytest.raises(StoreUnavailable, match="process_status"):
            step()


def test_two_ingests_tell_the_same_agents_at_once(board):
    agents = [AgentStatus("edge-1", "online", 0.0), AgentStatus("edge-2", "online", 0.0)]

    def tell(host, order):
        for _ in range(20):
            board.tell(Instance("ingest", host, "/data", 1), RUNS, 1.0, order)

    both = [threading.Thread(target=tell, args=pair) for pair in (("north", agents), ("south", agents[::-1]))]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [one.state for one in board.overview().agents] == ["online", "online"]
    assert len(board.overview().processes) == 2


def test_the_watch_goes_on_from_where_it_stopped(engine, now):
    watches = Watches(engine)
    assert watches.watched("town") is None
    for done in (Watched(7), Watched(2**40, now)):
        watches.note("town", done)
        assert Watches(engine).watched("town") == done
    assert watches.watched("village") is None
    watches.forget("town")
    assert watches.watched("town") is None
