import json
import os
import re
import signal
import subprocess
import sys
import time

import httpx
import numpy as np
import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from rigs.servers import free_port
from rigs.worlds import CATALOGUE, POINT, START_MS, at, normal_use

from analytics.live import Watch
from analytics.notices import Notices, listen
from analytics.rollups.writer import RollupWriter
from facility import wire
from facility.broker_address import broker_address
from facility.errors import StoreUnavailable
from facility.model import ReadingBatch
from meterhouse.broker import start_broker
from meterhouse.broker_files import INGEST, LISTENER
from stores.readings.memory import MemoryStore
from stores.readings.sqlite.store import SqliteStore
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.registry import Registry

HOUR_MS = 3_600_000
DAYS = 62
HOURS = DAYS * 24
LEAK_FROM = HOURS - 50


def readings(until):
    """Hourly registers of an office, a leak in the last two days, and the weather, up to hour ``until``."""
    use = normal_use(HOURS)
    use["water"][LEAK_FROM:] += 0.25
    columns = {POINT[name]: 100 + np.concatenate([[0.0], np.cumsum(qty)])[: until + 1] for name, qty in use.items()}
    columns[POINT["outdoor"]] = 10 + 5 * np.sin(np.arange(until + 1) / 24 * 2 * np.pi)
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
def casebook(tmp_path):
    engine = open_records(f"sqlite:///{tmp_path}/records.db")
    yield Casebook(engine)
    engine.dispose()


def watch_over(store, casebook, folder):
    return Watch(store, RollupWriter(store, CATALOGUE), casebook, CATALOGUE, folder, step_days=10)


def state_of(folder):
    return json.loads((folder / "analytics.json").read_text())


def test_no_case_is_opened_before_history_is_complete(store, casebook, tmp_path):
    history = tmp_path / "history.json"
    history.write_text(json.dumps({"complete": False, "rows": 100, "acked": 40}))
    watch = watch_over(store, casebook, tmp_path)
    watch.tick(now_ms(HOURS))
    assert state_of(tmp_path)["state"] == "rollups"
    assert state_of(tmp_path)["done"] == 0.4
    assert not casebook.alerts()
    history.write_text(json.dumps({"complete": True}))
    watch.tick(now_ms(HOURS))
    assert state_of(tmp_path)["state"] == "live"
    assert [alert.detector for alert in casebook.alerts()] == ["continuous_flow"]


def test_history_that_begins_after_the_first_look_is_looked_through_too(casebook, tmp_path):
    store = MemoryStore()
    watch = watch_over(store, casebook, tmp_path)
    watch.tick(now_ms(HOURS))
    history = tmp_path / "history.json"
    history.write_text(json.dumps({"complete": False, "rows": 100, "acked": 40}))
    watch.tick(now_ms(HOURS))
    store.write(readings(HOURS))
    history.write_text(json.dumps({"complete": True}))
    watch.tick(now_ms(HOURS))
    assert state_of(tmp_path)["state"] == "live"
    assert [alert.detector for alert in casebook.alerts()] == ["continuous_flow"]


def test_history_notifies_nobody_and_the_next_hour_does(store, casebook, tmp_path):
    watch = watch_over(store, casebook, tmp_path)
    watch.tick(now_ms(HOURS - 40))
    assert not casebook.alerts()
    watch.tick(now_ms(LEAK_FROM + 25))
    (leak,) = casebook.alerts()
    assert leak.notify
    assert state_of(tmp_path)["through"] == at(LEAK_FROM + 25).isoformat()


def test_pages_can_draw_the_band_of_today_and_tomorrow(store, casebook, tmp_path):
    watch_over(store, casebook, tmp_path).tick(now_ms(HOURS))
    end_ms = START_MS + (HOURS + 48) * HOUR_MS
    (row,) = store.read_rollup("building_1h", {"utility": "electricity"}, now_ms(HOURS) - 24 * HOUR_MS, end_ms)
    assert row.t_ms[-1] == end_ms - HOUR_MS
    assert np.all(row.fields["lo"] <= row.fields["expected"])
    assert np.all(row.fields["expected"] <= row.fields["hi"])
    assert np.isfinite(row.fields["excess_cost"][0])
    assert len(store.read_rollup("baseline_1h", {}, START_MS, end_ms)) == 3


def test_a_door_is_told_within_a_minute_and_not_only_on_the_hour(store, casebook, tmp_path):
    watch = watch_over(store, casebook, tmp_path)
    watch.tick(now_ms(HOURS))
    opened_ms = START_MS + HOURS * HOUR_MS
    store.write(ReadingBatch([POINT["door"]], [0], [opened_ms], [1.0]))
    watch.tick(opened_ms + 20 * 60_000)
    assert "door_left_open" not in {alert.detector for alert in casebook.alerts()}
    watch.tick(opened_ms + 31 * 60_000)
    assert "door_left_open" in {alert.detector for alert in casebook.alerts()}


class Unsteady:
    """A store that can be reached only while ``is_up``."""

    def __init__(self, store):
        self.store, self.is_up = store, True

    def __getattr__(self, name):
        if not self.is_up:
            raise StoreUnavailable("down for the test")
        return getattr(self.store, name)


@pytest.mark.parametrize("known", ["it was up before", "it was never up"])
def test_water_on_the_floor_is_told_while_the_store_is_away(store, casebook, tmp_path, known):
    unsteady = Unsteady(store)
    notices = Notices({POINT["floor"]})
    watch = Watch(
        unsteady, RollupWriter(unsteady, CATALOGUE), casebook, CATALOGUE, tmp_path, step_days=10, notices=notices
    )
    if known == "it was up before":
        watch.tick(now_ms(HOURS))
    unsteady.is_up = False
    before = {alert.detector for alert in casebook.alerts()}
    wet_ms = now_ms(HOURS) + 60_000
    notices.hear(wire.Accepted(1, "town", "live", [POINT["floor"], "other"], [0, 1], [wet_ms, wet_ms], [1.0, 7.0]))
    watch.tick(wet_ms + 500)
    assert {alert.detector for alert in casebook.alerts()} - before == {"water_on_floor"}
    unsteady.is_up = True
    store.write(ReadingBatch([POINT["floor"]], [0], [wet_ms], [1.0]))
    watch.tick(wet_ms + 120_000)
    watch.tick(wet_ms + 240_000)
    assert len([a for a in casebook.alerts() if a.detector == "water_on_floor"]) == 1


def test_notices_come_over_a_real_broker_and_what_is_stored_is_forgotten(tmp_path):
    notices = Notices({"m/leak/floor"})
    with start_broker(tmp_path, {"ingest": INGEST, "analytics": LISTENER}) as broker:
        line = listen(broker_address(broker.url_for("analytics")), "town", notices)
        speaker = Client(CallbackAPIVersion.VERSION2, client_id="ingest", protocol=MQTTv5)
        speaker.username_pw_set("ingest", broker.words["ingest"])
        speaker.connect("127.0.0.1", broker.port)
        speaker.loop_start()
        deadline = time.monotonic() + 10
        while not notices.is_fresh:
            assert time.monotonic() < deadline
            notice = wire.Accepted(1, "town", "live", ["m/leak/floor"], [0, 0], [5, 9], [1.0, 0.0])
            speaker.publish(wire.accepted_topic("town"), b"no notice at all")
            speaker.publish(wire.accepted_topic("town"), wire.encode(notice))
            time.sleep(0.1)
        line.stop()
        speaker.disconnect()
        speaker.loop_stop()
    (series,) = notices.over({}).values()
    assert (series.t_ms.tolist(), series.x.tolist()) == ([5, 9], [1.0, 0.0])
    notices.forget({"m/leak/floor": series})
    assert notices.over({}) == {}


def test_a_restart_goes_on_where_it_stopped(store, casebook, tmp_path):
    watch_over(store, casebook, tmp_path).tick(now_ms(HOURS))
    before = casebook.alerts()
    again = watch_over(store, casebook, tmp_path)
    assert again.progress.through == at(HOURS)
    again.tick(now_ms(HOURS))
    assert casebook.alerts() == before


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
        deadline = time.monotonic() + 20
        while not (tmp_path / "analytics.json").exists() or state_of(tmp_path)["state"] != "live":
            assert time.monotonic() < deadline
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.1)
        told = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        assert float(re.search(r'rounds_total{ended="well"} (\S+)', told)[1]) > 0
        assert 0 <= float(re.search(r"\nmeterhouse_analytics_still_seconds (\S+)", told)[1]) < 20
        process.send_signal(signal.SIGTERM)
        assert process.wait(3) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_missing_setting_is_named_and_stops_it():
    env = {key: value for key, value in os.environ.items() if not key.startswith("METERHOUSE_")}
    done = subprocess.run([sys.executable, "-m", "analytics"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "METERHOUSE_STORE" in done.stderr
