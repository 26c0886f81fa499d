import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import pytest
import urllib3
from rigs.ingest_rig import CATALOGUE, IDENTITIES, POWER, Ingest, batch
from rigs.patience import PATIENCE_S, until, within
from rigs.servers import free_port

from facility.broker_address import broker_address
from facility.errors import ConfigError
from facility.status import ServerProcess
from facility.system_alarm import SystemAlarm, outlook
from ingest import worker
from ingest.worker import follow_registry, run_parts
from meterhouse.servers.broker import start_broker
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """Whichever broker is here: it is the process that is looked at."""
    with start_broker(tmp_path_factory.mktemp("broker"), IDENTITIES) as started:
        yield started


@pytest.fixture
def run(tmp_path):
    running = []

    def start(**settings):
        env = {name: value for name, value in os.environ.items() if not name.startswith("METERHOUSE_")}
        env |= {f"METERHOUSE_{name.upper()}": value for name, value in settings.items()}
        with (tmp_path / "log").open("ab") as log:
            running.append(subprocess.Popen([sys.executable, "-m", "ingest"], env=env, stdout=log, stderr=log))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def log(tmp_path):
    return (tmp_path / "log").read_text


def overview(folder):
    engine = open_records(f"sqlite:///{folder / 'records.db'}")
    try:
        return StatusBoard(engine).overview()
    finally:
        engine.dispose()


def settings(folder, broker):
    return {
        "data": str(folder),
        "broker": broker.url_for("ingest"),
        "store": f"sqlite:///{folder / 'readings.db'}",
        "records": f"sqlite:///{folder / 'records.db'}",
    }


def send_until_heard(edge, message):
    """As an agent does: what the broker has before ingest's subscription goes to nobody, and is answered by nobody."""
    until(lambda: edge.heard or edge.send(message), pause_s=1)


def test_a_process_waits_for_the_estate_follows_it_and_stops_cleanly(tmp_path, broker, run, log, edge):
    process = run(**settings(tmp_path, broker))
    until(lambda: "waiting_for_estate" in log())
    engine = open_records(f"sqlite:///{tmp_path / 'records.db'}")
    Registry(engine).apply(CATALOGUE, by="a test", at=datetime.now(UTC))
    engine.dispose()
    until(lambda: "event=broker state=up" in log())
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    send_until_heard(edge, batch(n=2, t=[now_ms - 1, now_ms], ep=tmp_path.name))
    until(lambda: edge.acks()[-1].store_hw == 2)
    process.send_signal(signal.SIGTERM)
    with within(3):
        assert process.wait(PATIENCE_S) == 0
    (seen,) = overview(tmp_path).of(ServerProcess.INGEST)
    assert (seen.status.figures["stored"], seen.has_ended) == (2, True)
    assert log().count("waiting_for_estate") == 1
    assert broker.words["ingest"] not in log()


@pytest.mark.thorough
def test_more_series_than_the_budget_is_an_alarm_until_the_estate_is_smaller(tmp_path, broker, run):
    registry = Registry(open_records(f"sqlite:///{tmp_path / 'records.db'}"))
    registry.apply(CATALOGUE, by="a test", at=datetime.now(UTC))
    run(**settings(tmp_path, broker), series_budget="19")

    def alarms():
        return [one for one in outlook(overview(tmp_path)).alarms if not one.agent]

    until(alarms)
    (alarm,) = alarms()
    assert (alarm.alarm, alarm.words[:9]) == (SystemAlarm.TOO_MANY_SERIES, "20 of 19:")
    fewer = dataclasses.replace(CATALOGUE, points=CATALOGUE.points[:-1])
    registry.apply(fewer, by="a test", at=datetime.now(UTC), accept=True)
    until(lambda: not alarms())
    assert overview(tmp_path).processes[0].status.figures["series"] == 18


def test_a_store_that_is_away_at_the_start_is_an_alarm_and_readings_are_taken_in(tmp_path, broker, run, edge):
    registry = Registry(open_records(f"sqlite:///{tmp_path / 'records.db'}"))
    registry.apply(CATALOGUE, by="a test", at=datetime.now(UTC))
    run(**settings(tmp_path, broker) | {"store": f"influx://user:word@127.0.0.1:{free_port()}/meterhouse"})
    until(lambda: any(one.status.state == "store_unavailable" for one in overview(tmp_path).processes))
    assert "does not answer" in overview(tmp_path).processes[0].status.alarms["store_unavailable"]
    now_ms = time.time_ns() // 1_000_000
    send_until_heard(edge, batch(n=2, t=[now_ms - 1, now_ms], ep=tmp_path.name))
    assert (edge.acks()[-1].journal_hw, edge.acks()[-1].store_hw) == (2, 0)


def test_missing_settings_are_named_all_at_once(run, log):
    assert run(data="/nowhere").wait(PATIENCE_S) == 2
    assert all(f"METERHOUSE_{name}: is not set (allowed: " in log() for name in ("BROKER", "STORE", "RECORDS"))


@pytest.mark.parametrize("url", ["http://a:b@h", "mqtt://host", "mqtt://user@host", "mqtt://u:secret@h:port", "x"])
def test_a_broker_url_without_credentials_is_refused_without_repeating_it(url):
    with pytest.raises(ConfigError) as caught:
        broker_address(url)
    assert "METERHOUSE_BROKER" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_broker_url_is_read_with_its_escapes():
    address = broker_address("mqtt://ingest:p%40ss%2F@127.0.0.1:18830")
    assert (address.host, address.port, address.user, address.password) == ("127.0.0.1", 18830, "ingest", "p@ss/")
    assert "p@ss" not in repr(address)


def test_a_changed_estate_is_taken_up_without_a_restart(ingest):
    registry = Registry(ingest.engine)
    registry.apply(CATALOGUE, by="a test", at=datetime.now(UTC))
    version = follow_registry(ingest.parts, registry, 0)
    gate = ingest.parts.doorway.gate
    assert follow_registry(ingest.parts, registry, version) == version
    assert ingest.parts.doorway.gate is gate
    fewer = dataclasses.replace(CATALOGUE, points=CATALOGUE.points[:1])
    registry.apply(fewer, by="a test", at=datetime.now(UTC), accept=True)
    assert follow_registry(ingest.parts, registry, version) > version
    assert ingest.parts.doorway.gate is not gate


def test_I2_a_message_that_breaks_us_is_set_aside_and_the_others_pass(tmp_path, broker, edge, monkeypatch, logged):
    ingest = Ingest(tmp_path, broker)
    read = ingest.intake.pipeline._read

    def break_on_poison(message, *rest):
        if b"poison" in message.payload:
            raise ZeroDivisionError("a fault of ours")
        read(message, *rest)

    monkeypatch.setattr(ingest.intake.pipeline, "_read", break_on_poison)
    monkeypatch.setattr(worker, "PAUSE_S", 0.01)
    loop = threading.Thread(target=run_parts, args=(ingest.parts, Registry(ingest.engine), ingest.stop))
    loop.start()
    until(lambda: ingest.subscriber.is_subscribed)
    for first in (1, 6):
        edge.send(batch(first, ep=tmp_path.name))
        edge.send(batch(first, ep="poison"))
    until(lambda: {ack.epoch: ack.store_hw for ack in edge.acks()} == {tmp_path.name: 10, "poison": 10})
    ingest.stop.set()
    loop.join()
    assert [(item.reason, item.count) for item in ingest.quarantine.items()] == [("unexpected_error", 5)] * 2
    poison = {"edge-1/poison/1", "edge-1/poison/6"}
    alone = [line["batch"] for line in logged if line["event"] == "unexpected_error" and "batches" not in line]
    assert set(alone) == poison
    assert len([line for line in logged if line["event"] == "message_refused"]) == 1  # a warning a minute and reason
    assert ingest.stored() == {POWER: 10}
    ingest.close()


def test_figures_are_told_to_prometheus_on_this_machine_alone(tmp_path, broker, run, log, edge):
    records = open_records(f"sqlite:///{tmp_path / 'records.db'}")
    Registry(records).apply(CATALOGUE, by="test", at=datetime.now(UTC), accept=True)
    records.dispose()
    port = free_port()
    run(**settings(tmp_path, broker), metrics=f"127.0.0.1:{port}")
    until(lambda: "event=broker state=up" in log())
    times = [time.time_ns() // 1_000_000 - 1_000 + i for i in range(5)]
    send_until_heard(edge, batch(1, 5, ep=tmp_path.name, t=times))
    http = urllib3.PoolManager(retries=False)

    def metrics():
        return http.request("GET", f"http://127.0.0.1:{port}/metrics").data.decode()

    until(lambda: "meterhouse_readings_stored_total 5.0" in metrics())
    said = metrics()
    http.clear()
    assert 'meterhouse_agent_stored_up_to{agent="edge-1"} 5.0' in said
    assert 'meterhouse_live_latency_seconds{quantile="0.95"}' in said
    assert "meterhouse_alarm{" not in said
    assert "process_resident_memory_bytes" in said
    still = next(line for line in said.splitlines() if line.startswith("meterhouse_store_writer_still_seconds "))
    assert 0 <= float(still.split()[1]) < 5


@pytest.mark.parametrize("address", ["0.0.0.0:9464", "db.example:9464", "127.0.0.1", "9464"])
def test_figures_are_told_to_nobody_else(tmp_path, broker, run, log, address):
    records = open_records(f"sqlite:///{tmp_path / 'records.db'}")
    Registry(records).apply(CATALOGUE, by="test", at=datetime.now(UTC), accept=True)
    records.dispose()
    process = run(**settings(tmp_path, broker), metrics=address)
    assert process.wait(PATIENCE_S) == 2
    assert f"METERHOUSE_METRICS: '{address}' is no port of this machine alone" in log()
