"""Where a reading seems to come from the future, it is asked whose clock is wrong before anything is refused."""

import uuid

import pytest
from rigs.ingest_rig import NOW_MS, POWER, batch
from rigs.patience import until

from ingest.own_clock import OwnClock

HOUR_MS = 3_600_000
YEARS_1970 = -NOW_MS + 86_400_000


def status_of(ingest):
    return ingest.status.as_status(ingest.subscriber.waiting)


def live(first, n, dev="edge-1", at_ms=NOW_MS, **more):
    point = POWER if dev == "edge-1" else POWER.replace("m1", "m2")
    return batch(first, n, dev=dev, points=[point], t=[at_ms - 1000 * (n - i) for i in range(n)], **more)


@pytest.fixture
def epoch():
    return uuid.uuid4().hex


@pytest.mark.parametrize("off_ms", [YEARS_1970, -HOUR_MS, -7 * 60_000], ids=["1970", "an hour", "seven minutes"])
def test_a_server_clock_that_is_behind_sets_nothing_aside_and_loses_nothing(ingest, connect, epoch, off_ms):
    edges = {name: connect(name, f"meterhouse/1/ack/{name}") for name in ("edge-1", "edge-2")}
    for name, edge in edges.items():
        edge.send(live(1, 5, name, ep=epoch))
        edge.acks()
    until(lambda: status_of(ingest).figures["stored"] == 10)
    ingest.now_ms = NOW_MS + off_ms
    for name, edge in edges.items():
        edge.send(live(6, 5, name, ep=epoch))
    until(lambda: "server_clock" in status_of(ingest).alarms)
    assert ingest.quarantine.counts() == {}
    until(lambda: {edge.acks()[-1].store_hw for edge in edges.values()} == {5})
    ingest.now_ms = NOW_MS
    for name, edge in edges.items():
        edge.send(live(6, 5, name, ep=epoch))  # as agents do until it is acknowledged
    until(lambda: status_of(ingest).figures["stored"] == 20)
    assert ingest.quarantine.counts() == {}


def test_the_agent_that_is_ahead_while_another_agrees_with_us_is_the_one_that_is_wrong(ingest, connect, epoch):
    good, wrong = (connect(name, f"meterhouse/1/ack/{name}") for name in ("edge-1", "edge-2"))
    good.send(live(1, 5, ep=epoch))
    good.acks()
    wrong.send(live(1, 5, "edge-2", NOW_MS + HOUR_MS, ep=epoch))
    until(lambda: status_of(ingest).figures["quarantined"] == 5)
    assert "server_clock" not in status_of(ingest).alarms


class Clock:
    def __init__(self, *, synchronised=True, noted_ms=0):
        self.s = 0.0
        self.own = OwnClock(lambda: self.s, lambda: synchronised, lambda: noted_ms)


def test_one_agent_alone_is_held_where_we_are_behind_ourselves_or_nobody_keeps_our_clock():
    assert Clock().own.may_refuse("a", NOW_MS)
    assert not Clock(noted_ms=NOW_MS + HOUR_MS).own.may_refuse("a", NOW_MS)
    assert not Clock(synchronised=False).own.may_refuse("a", NOW_MS)


def test_what_an_agent_said_of_the_time_speaks_for_ten_minutes():
    clock = Clock(synchronised=False)
    clock.own.hear("b", NOW_MS, NOW_MS)
    assert clock.own.may_refuse("a", NOW_MS)
    clock.s = 601.0
    assert not clock.own.may_refuse("a", NOW_MS)


def test_readings_that_come_late_say_nothing_of_any_clock():
    clock = Clock(synchronised=False)
    clock.own.hear("b", NOW_MS - HOUR_MS, NOW_MS)
    assert not clock.own.may_refuse("a", NOW_MS)


def test_the_doubt_is_told_while_readings_wait_and_no_longer():
    clock = Clock()
    clock.own.hold("a")
    assert "a" in clock.own.doubt()
    clock.s = 121.0
    assert clock.own.doubt() == ""
