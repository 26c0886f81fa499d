"""VictoriaMetrics takes the same writes in the same way: the way out for an estate that outgrows one InfluxDB."""

import json
import os
import shutil
import subprocess
import time

import pytest
import urllib3
from rigs.patience import PATIENCE_S, until
from rigs.servers import free_port

from facility.errors import StoreUnavailable
from stores.readings.influx.address import influx_address
from stores.readings.influx.wire import connect

PROGRAM = shutil.which("victoria-metrics")


@pytest.fixture
def port(tmp_path):
    if PROGRAM is None:
        how = "victoria-metrics is not installed"
        (pytest.fail if os.environ.get("REQUIRE_SERVERS") == "1" else pytest.skip)(how)
    port = free_port()
    words = [f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={tmp_path}", "-search.latencyOffset=0s"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, *words, "-retentionPeriod=100y"], stdout=log, stderr=log)
    until(lambda: answers(port) or process.poll() is not None)
    assert process.poll() is None, (tmp_path / "log").read_text()[-2000:]
    yield port
    process.terminate()
    process.wait(PATIENCE_S)


def answers(port):
    try:
        return urllib3.PoolManager(retries=False).request("GET", f"http://127.0.0.1:{port}/health").status == 200
    except urllib3.exceptions.HTTPError:
        return False


def test_what_was_written_is_there(port):
    wire = connect(influx_address(f"influx://127.0.0.1:{port}/readings"))
    now_ms = time.time_ns() // 1_000_000
    lines = [f"reading,meter=m\\ 1,quantity=voltage value={230 + i / 7!r} {now_ms - 10_000 + i}" for i in range(2_000)]
    wire.write("raw", "\n".join(lines).encode())
    wire.client.close()
    http = urllib3.PoolManager(retries=False)
    http.request("GET", f"http://127.0.0.1:{port}/internal/force_flush")
    fields = {"match[]": '{__name__="reading_value"}', "start": "-1h"}
    said = http.request("GET", f"http://127.0.0.1:{port}/api/v1/export", fields=fields).data
    (series,) = [json.loads(line) for line in said.splitlines()]
    assert series["metric"]["meter"] == "m 1"
    assert series["timestamps"] == [now_ms - 10_000 + i for i in range(2_000)]
    assert series["values"] == pytest.approx([230 + i / 7 for i in range(2_000)], rel=1e-12)


def test_a_server_that_is_gone_is_unavailable():
    wire = connect(influx_address(f"influx://127.0.0.1:{free_port()}/readings"))
    with pytest.raises(StoreUnavailable, match="does not answer"):
        wire.write("raw", b"reading value=1 10")
    wire.client.close()
