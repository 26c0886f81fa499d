import os
import re
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime

import httpx
import numpy as np
import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from rigs.patience import PATIENCE_S, until, within
from rigs.servers import free_port
from rigs.worlds import CATALOGUE, POINT, START_MS, at, normal_use

from analytics.accepted import JustAccepted, listen
from analytics.fits import fit_here
from analytics.live import Watch
from analytics.rollups.writer import RollupWriter
from analytics.state import take_over
from facility import wire
from facility.broker_address import broker_address
from facility.errors import StoreUnavailable
from facility.model import ReadingBatch
from facility.status import AgentStatus, ServerProcess
from meterhouse.servers.broker import start_broker
from meterhouse.servers.broker_files import INGEST, LISTENER
from stores.readings.memory import MemoryStore
from stores.readings.sqlite.store import SqliteStore
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard
from stores.records.status.watched import Watched, Watches

HOUR_MS = 3_600_000
DAYS = 62
HOURS = DAYS * 24
LEAK_FROM = HOURS - 50


def readings(until):
    """Hourly registers of an office, a leak in the last two days, and the weather, up to hour ``until``."""
    use = normal_use(HOURS)
    use["water"][LEAK_FROM:] += 0.25
    columns = {POINT[name]: 100 + np.concatenate([[0.0], np.cumsum(qty)])[: until + 1] for name, qty in use.items()}
    days = np.random.default_rng(2).normal(0, 4, DAYS + 1)[np.arange(until + 1) // 24]  # no two days are alike
    columns[POINT["outdoor"]] = 10 + 5 * np.sin(np.arange(until + 1) / 24 * 2 * np.pi) + days
    columns[POINT["door"]] = columns[POINT["floor"]] = np.zeros(until + 1)
    points, rows = list(columns), until + 1
    p = np.repeat(np.arange(len(points)), rows).tolist()
    t_ms = np.tile(START_MS + HOUR_MS * np.arange(rows, dtype=np.int64), len(points)).tolist()
    return ReadingBatch(points, p, t_ms, np.concatenate(list(columns.values())).tolist())


def now_ms(hour):
    return START_MS + hour * HOUR_MS + 120_000


@pytest.fixture
def store():
    memory = MemoryStore()
    memory.write(readings(HOURS))
    return memory


@pytest.fixture
def engine(migrated, tmp_path):
    shutil.copy(migrated, tmp_path / "records.db")
    opened = open_records(f"sqlite:///{tmp_path}/records.db")
    yield opened
    opened.dispose()


@pytest.fixture
def casebook(engine):
    return Casebook(engine)


@pytest.fixture
def watch_over(engine, casebook):
    """A watch as a start of the process makes it; ``replaying`` says how an agent's history fares."""

    def made(store, replaying=(), accepted=None):
        rollups, watches = RollupWriter(store, CATALOGUE), Watches(engine)
        return Watch(
            store, rollups, casebook, CATALOGUE, watches, step_days=10, agents=lambda: replaying, accepted=accepted
        )  # fmt: skip

    return made


def replay(stored, rows=100):
    """An agent that has recordings to play."""
    figures = {"history_rows": rows, "history_stored": stored, "history_open": float(stored < rows)}
    return AgentStatus("edge-1", "online", 1.0, figures)


def test_no_case_is_opened_before_history_is_complete(store, casebook, watch_over):
    agents = [AgentStatus("edge-2", "online", 1.0, {"unstored": 9.0}), replay(40)]
    watch = watch_over(store, agents)
    watch.tick(now_ms(HOURS))
    seen = watch.status({})
    assert (seen.state, seen.figures["done"]) == ("rollups", 0.4)
    assert not casebook.alerts()
    agents[1] = replay(100)
    watch.tick(now_ms(HOURS))
    assert watch.status({}).state == "live"
    assert [alert.detector for alert in casebook.alerts()] == ["continuous_flow"]


def without_lights():
    """A store in which one meter has not spoken since the estate has it, and since when that is."""
    store, everything = MemoryStore(), readings(HOURS)
    lights = everything.points.index(POINT["lights"])
    store.write(everything.chosen([i for i, p in enumerate(everything.p) if p != lights]))
    return store, dict.fromkeys(CATALOGUE.meter, now_ms(HOURS - 30))


def test_a_meter_that_never_spoke_becomes_a_case_of_the_estate(casebook, engine):
    store, named_ms = without_lights()
    rollups, watches = RollupWriter(store, CATALOGUE), Watches(engine)
    Watch(store, rollups, casebook, CATALOGUE, watches, step_days=10, named_ms=named_ms).tick(now_ms(HOURS))
    silent = {alert.meter: alert for alert in casebook.alerts() if alert.detector == "silent_meter"}
    assert silent.keys() == {"lights"}
    assert silent["lights"].message_id == "alert.silent_meter_never_heard"
    assert round(silent["lights"].since.timestamp() * 1000) == now_ms(HOURS - 30)


def test_history_that_begins_after_the_first_look_is_looked_through_too(casebook, watch_over):
    store, agents = MemoryStore(), []
    watch = watch_over(store, agents)
    watch.tick(now_ms(HOURS))
    agents.append(replay(40))
    watch.tick(now_ms(HOURS))
    store.write(readings(HOURS))
    agents[0] = replay(100)
    watch.tick(now_ms(HOURS))
    assert watch.status({}).state == "live"
    assert [alert.detector for alert in casebook.alerts()] == ["continuous_flow"]


def test_history_that_does_not_move_for_ten_minutes_is_not_waited_for(store, casebook, watch_over):
    watch = watch_over(store, [replay(40)])
    for minute in range(11):
        watch.tick(now_ms(HOURS) + minute * 60_000)
        assert watch.status({}).state == "rollups"
    watch.tick(now_ms(HOURS) + 11 * 60_000)
    assert watch.status({}).state == "live"
    assert casebook.alerts()


def test_history_notifies_nobody_and_the_next_hour_does(store, casebook, watch_over):
    watch = watch_over(store)
    watch.tick(now_ms(HOURS - 40))
    assert not casebook.alerts()
    watch.tick(now_ms(LEAK_FROM + 25))
    (leak,) = casebook.alerts()
    assert leak.notify
    assert watch.status({}).facts["through"] == at(LEAK_FROM + 25).isoformat()


def test_a_large_estate_is_looked_at_by_rules_while_its_models_are_learned_and_then_again(
    engine, casebook, monkeypatch
):
    monkeypatch.setattr("analytics.live.FEW", 1)
    meanwhile = []

    def learning(training, lessons):
        meanwhile.append((watch.status({}), [alert.detector for alert in casebook.alerts()]))
        assert Watches(engine).watched(CATALOGUE.site.id).through is None  # killed now, it would look at all again
        return fit_here(store, training, lessons)

    store, named_ms = without_lights()
    rollups, watches = RollupWriter(store, CATALOGUE), Watches(engine)
    watch = Watch(store, rollups, casebook, CATALOGUE, watches, step_days=10, named_ms=named_ms, learning=learning)
    watch.tick(now_ms(HOURS))
    status, found = meanwhile[0]
    assert (status.state, found) == ("live", ["silent_meter"])
    assert "through" not in status.facts
    assert watch.status({}).facts["through"] == at(HOURS).isoformat()
    assert {alert.detector for alert in casebook.alerts()} == {"silent_meter", "continuous_flow"}
    assert np.isfinite(watch.window.uses[POINT["main"]].expected[-24:]).all()


def test_pages_can_draw_the_band_of_today_and_tomorrow(store, watch_over):
    watch_over(store).tick(now_ms(HOURS))
    end_ms = START_MS + (HOURS + 48) * HOUR_MS
    (row,) = store.read_rollup("building_1h", {"utility": "electricity"}, now_ms(HOURS) - 24 * HOUR_MS, end_ms)
    assert row.t_ms[-1] == end_ms - HOUR_MS
    assert np.all(row.fields["lo"] <= row.fields["expected"])
    assert np.all(row.fields["expected"] <= row.fields["hi"])
    assert np.isfinite(row.fields["excess_cost"][0])
    assert len(store.read_rollup("baseline_1h", {}, START_MS, end_ms)) == 3


def test_a_door_is_told_within_a_minute_and_not_only_on_the_hour(store, casebook, watch_over):
    watch = watch_over(store)
    watch.tick(now_ms(HOURS))
    opened_ms = START_MS + HOURS * HOUR_MS
    store.write(ReadingBatch([POINT["door"]], [0], [opened_ms], [1.0]))
    watch.tick(opened_ms + 20 * 60_000)
    assert "door_left_open" not in {alert.detector for alert in casebook.alerts()}
    watch.tick(opened_ms + 31 * 60_000)
    assert "door_left_open" in {alert.detector for alert in casebook.alerts()}


def test_a_meter_that_falls_silent_is_told_while_no_rollup_is_made(store, casebook, watch_over):
    watch = watch_over(store)
    watch.tick(now_ms(HOURS))
    others, seen_ms = [name for name in POINT if name != "lights"], START_MS + HOURS * HOUR_MS
    for minutes in (100, 179, 182):
        last_ms = seen_ms + minutes * 60_000
        store.write(
            ReadingBatch(
                [POINT[name] for name in others], list(range(len(others))), [last_ms] * len(others), [9e4] * len(others)
            )
        )
        assert "silent_meter" not in {alert.detector for alert in casebook.alerts()}
        watch.follow(last_ms + 2_000)
    silent = [alert for alert in casebook.alerts() if alert.detector == "silent_meter"]
    assert [(alert.meter, round(alert.since.timestamp() * 1000)) for alert in silent] == [("lights", seen_ms)]


class Unsteady:
    """A store that can be reached only while ``is_up``."""

    def __init__(self, store):
        self.store, self.is_up = store, True

    def __getattr__(self, name):
        if not self.is_up:
            raise StoreUnavailable("down for the test")
        return getattr(self.store, name)


@pytest.mark.parametrize("known", ["it was up before", "it was never up"])
def test_water_on_the_floor_is_told_while_the_store_is_away(store, casebook, watch_over, known):
    unsteady = Unsteady(store)
    accepted = JustAccepted({POINT["floor"]})
    watch = watch_over(unsteady, accepted=accepted)
    if known == "it was up before":
        watch.tick(now_ms(HOURS))
    unsteady.is_up = False
    before = {alert.detector for alert in casebook.alerts()}
    wet_ms = now_ms(HOURS) + 60_000
    accepted.hear(wire.Accepted(1, "town", "live", [POINT["floor"], "other"], [0, 1], [wet_ms, wet_ms], [1.0, 7.0]))
    watch.tick(wet_ms + 500)
    assert {alert.detector for alert in casebook.alerts()} - before == {"water_on_floor"}
    assert watch.status({}).alarms == {"store_unavailable": "down for the test"}
    unsteady.is_up = True
    store.write(ReadingBatch([POINT["floor"]], [0], [wet_ms], [1.0]))
    watch.tick(wet_ms + 120_000)
    watch.tick(wet_ms + 240_000)
    assert watch.status({}).alarms == {}
    assert len([a for a in casebook.alerts() if a.detector == "water_on_floor"]) == 1


def test_what_was_accepted_comes_over_a_real_broker_and_what_is_stored_is_forgotten(tmp_path):
    accepted = JustAccepted({"m/leak/floor"})
    with start_broker(tmp_path, {"ingest": INGEST, "analytics": LISTENER}) as broker:
        line = listen(broker_address(broker.url_for("analytics")), "town", accepted)
        speaker = Client(CallbackAPIVersion.VERSION2, client_id="ingest", protocol=MQTTv5)
        speaker.username_pw_set("ingest", broker.words["ingest"])
        speaker.connect("127.0.0.1", broker.port)
        speaker.loop_start()
        news = wire.Accepted(1, "town", "live", ["m/leak/floor"], [0, 0], [5, 9], [1.0, 0.0])

        def is_heard():
            speaker.publish(wire.accepted_topic("town"), b"no message of ours")
            speaker.publish(wire.accepted_topic("town"), wire.encode(news))
            return accepted.is_fresh

        until(is_heard, pause_s=0.1)
        line.stop()
        speaker.disconnect()
        speaker.loop_stop()
    (series,) = accepted.over({}).values()
    assert (series.t_ms.tolist(), series.x.tolist()) == ([5, 9], [1.0, 0.0])
    accepted.forget({"m/leak/floor": series})
    assert accepted.over({}) == {}


def test_a_restart_goes_on_where_it_stopped(store, casebook, watch_over):
    watch_over(store).tick(now_ms(HOURS))
    before = casebook.alerts()
    again = watch_over(store)
    assert (again.state.watched.through, again.state.watched.cursor) == (at(HOURS), store.changes(0).cursor)
    again.tick(now_ms(HOURS))
    assert casebook.alerts() == before


@pytest.mark.parametrize(("content", "taken"), [
    ('{"state": "live", "done": 1.0, "through": "2026-01-05T06:00:00+00:00", "alerts": 3, "cursor": 77}', 77),
    ('{"through": 5}', None), ("{", None), ("[]", None),
])  # fmt: skip
def test_how_far_an_earlier_meterhouse_got_is_taken_over_once(tmp_path, engine, content, taken):
    file, watches = tmp_path / "analytics.json", Watches(engine)
    file.write_text(content)
    take_over(tmp_path, watches, "town")
    done = watches.watched("town")
    assert done == (Watched(77, datetime(2026, 1, 5, 6, tzinfo=UTC), rules=1) if taken else None)
    assert not file.exists()
    watches.note("town", Watched(99))
    file.write_text(content)
    take_over(tmp_path, watches, "town")
    assert watches.watched("town") == Watched(99, rules=1 if taken else 2)


def analytics_state(folder):
    engine = open_records(f"sqlite:///{folder}/records.db")
    try:
        seen = StatusBoard(engine).overview().of(ServerProcess.ANALYTICS)
    finally:
        engine.dispose()
    return seen[0].status.state if seen else None


def test_the_process_watches_an_estate_tells_its_rounds_and_leaves_when_asked(tmp_path):
    engine = open_records(f"sqlite:///{tmp_path}/records.db")
    Registry(engine).apply(CATALOGUE, by="test", at=at(0))
    engine.dispose()
    SqliteStore(tmp_path / "readings.db").close()
    port = free_port()
    env = os.environ | {
        "METERHOUSE_METRICS": f"127.0.0.1:{port}",
        "METERHOUSE_DATA": str(tmp_path),
        "METERHOUSE_STORE": f"sqlite:///{tmp_path}/readings.db",
        "METERHOUSE_RECORDS": f"sqlite:///{tmp_path}/records.db",
    }
    process = subprocess.Popen([sys.executable, "-m", "analytics"], env=env, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: process.poll() is not None or analytics_state(tmp_path) == "live", pause_s=0.1)
        assert process.poll() is None, process.stderr.read()
        page = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        assert float(re.search(r'rounds_total{ended="well"} (\S+)', page)[1]) > 0
        assert 0 <= float(re.search(r"\nmeterhouse_analytics_still_seconds (\S+)", page)[1]) < PATIENCE_S
        process.send_signal(signal.SIGTERM)
        with within(3):
            assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_missing_setting_is_named_and_stops_it():
    env = {key: value for key, value in os.environ.items() if not key.startswith("METERHOUSE_")}
    done = subprocess.run([sys.executable, "-m", "analytics"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "METERHOUSE_STORE" in done.stderr
