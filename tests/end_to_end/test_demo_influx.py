"""The demo's whole path with its readings in a real InfluxDB: nothing else changes."""

import json

from influx_server import need_influxd
from test_demo import READY_TIMEOUT_S, left_running, start

from meterhouse.demo import PULSING
from meterhouse.influxd import own_influxd


def test_the_demo_on_an_influxdb_proves_what_the_embedded_one_does(tmp_path):
    need_influxd()
    process = start(tmp_path, "--store", "influx", "--until", "ready", "--report", str(tmp_path / "report.json"))
    told, _ = process.communicate(timeout=READY_TIMEOUT_S)
    assert process.returncode == 0, told
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["produced"] == report["stored"] + report["quarantined"] > 100_000
    assert report["sum_error"] == 0
    assert [fault for fault in report["injected"] if not fault["found"]] == []
    assert len([alert for alert in report["alerts"] if not alert["injected"]]) <= 3
    assert [name for name in PULSING if not (tmp_path / f"{name}.pulse").exists()] == []
    assert left_running(tmp_path) == []
    assert not (tmp_path / "readings.db").exists()
    assert own_influxd(tmp_path / "influxd").password not in told
