"""What a minute keeps of processes, agents, their buses and radio devices: what is not known is absent."""

from dataclasses import replace

import pytest
from rigs.rollup_hall import batch, estate, meter, ms

from analytics.rollups.each_minute import EachMinute
from analytics.rollups.health import HealthRows
from facility.model import MeterRole, Point
from facility.quantities import Quantity
from facility.status import AgentStatus, Instance, Overview, ProcessSeen, ProcessStatus
from facility.system_alarm import SystemAlarm
from stores.readings.memory import MemoryStore

NOW, MINUTE = ms("2026-03-31T23:59"), 60_000


@pytest.fixture
def hall():
    catalogue = estate()
    door = meter("door", None, MeterRole.SUB)
    points = (Point("door", Quantity.DOOR_OPEN), Point("door", Quantity.BATTERY), Point("door", Quantity.SIGNAL))
    return replace(catalogue, meters=(*catalogue.meters, door), points=(*catalogue.points, *points))


def rows(store, name, **tags):
    """The newest row of the one series of these tags, without what is absent."""
    (series,) = store.read_rollup(name, tags, 0, 2**52)
    return {field: column[-1] for field, column in series.fields.items() if column[-1] == column[-1]}


def process(kind="ingest", place="/a", untold_s=1.0, pid=7, alarms=(), **figures):
    status = ProcessStatus("running", dict.fromkeys(alarms, "words"), figures)
    return ProcessSeen(Instance(kind, "host", place, pid), status, untold_s)


def test_an_agent_that_speaks_tells_its_figures_and_its_buses_and_one_that_does_not_only_since_when(hall):
    store = MemoryStore()
    figures = {"unstored": 12, "lost_unwritten": 0, "unread": 3, "alarm_clock": 1, "alarm_corrupt": 0}
    agents = [
        AgentStatus("edge-1", "online", 2.0, figures, {"bus": "ok", "roof": "down"}),
        AgentStatus("edge-2", "online", 400.0, figures, {"bus": "ok"}),
        AgentStatus("edge-3"),
    ]
    HealthRows(store, hall).write(Overview((), agents), NOW)
    said = {"state": 1, "age_s": 2, "queue": 12, "lost": 0, "unread": 3, "alarms": 1}
    assert rows(store, "device_health", gateway="edge-1", device="") == said
    assert [rows(store, "device_health", gateway="edge-1", device=bus) for bus in ("bus", "roof")] == [
        {"state": 1},
        {"state": 0},
    ]
    assert rows(store, "device_health", gateway="edge-2") == {"state": 0, "age_s": 400}
    assert store.read_rollup("device_health", {"gateway": "edge-3"}, 0, 2**52) == []


def test_a_radio_device_tells_its_battery_its_signal_and_when_it_was_heard(hall):
    store = MemoryStore()
    health = HealthRows(store, hall)
    health.write(Overview(), NOW)
    assert store.read_rollup("device_health", {}, 0, 2**52) == []
    store.write(batch("door/battery/total", [NOW - 90_000], [81]))
    store.write(batch("door/door_open/total", [NOW - 30_000], [0]))
    health.write(Overview(), NOW)
    assert rows(store, "device_health", device="door") == {"age_s": 30, "battery": 81}


def test_a_kind_of_process_tells_sums_the_greatest_delays_and_how_fast_counts_grow(hall):
    store, health = MemoryStore(), HealthRows(MemoryStore(), hall)
    health._store = store
    seen = [
        process(queue=3, live_latency_p95_s=0.5, received=100, stored=90, quarantined=10),
        process(place="/b", queue=4, live_latency_p95_s=2.5, received=10, stored=10, quarantined=0,
                alarms=[SystemAlarm.STORE_UNAVAILABLE, "other"]),
    ]  # fmt: skip
    health.write(Overview(seen), NOW)
    assert rows(store, "platform_1m", process="ingest") == {
        "running": 2, "age_s": 1, "alarms": 2, "store_errors": 1, "queue": 7, "latency_p95_s": 2.5,
    }  # fmt: skip
    later = [
        process(queue=0, received=160, stored=150, quarantined=10),
        process(place="/b", received=40, stored=40, quarantined=0),
    ]
    health.write(Overview(later), NOW + 2 * MINUTE)
    said = rows(store, "platform_1m", process="ingest")
    assert [said[f"{name}_rate"] for name in ("received", "stored", "quarantined")] == [45, 45, 0]
    again = [replace(later[0], instance=replace(later[0].instance, pid=8)), later[1]]
    health.write(Overview(again), NOW + 3 * MINUTE)
    assert "received_rate" not in rows(store, "platform_1m", process="ingest"), "a count that began anew has no rate"


def test_who_is_silent_does_not_run_and_who_has_said_goodbye_is_no_longer_told(hall):
    store = MemoryStore()
    health = HealthRows(store, hall)
    health.write(Overview([process("analytics", untold_s=700.0, rollups_behind_s=0.0)]), NOW)
    assert rows(store, "platform_1m") == {"running": 0, "age_s": 700, "alarms": 0, "store_errors": 0}
    health.write(Overview([replace(process("analytics"), has_ended=True)]), NOW + MINUTE)
    (series,) = store.read_rollup("platform_1m", {}, 0, 2**52)
    assert len(series) == 1


def test_what_fails_keeps_nothing_else_from_being_done_in_its_minute():
    done = []

    def fail(at_ms):
        raise OSError(at_ms)

    each = EachMinute([done.append, fail, done.append])
    with pytest.raises(OSError, match="0"):
        each.step(0)
    for at_ms in (3_000, 6_000):
        each.step(at_ms)
    assert done == [0, 3_000]
    with pytest.raises(OSError, match="60000"):
        each.step(MINUTE)
