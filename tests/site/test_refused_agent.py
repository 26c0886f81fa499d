"""An agent that the server's broker, a Mosquitto, lets in no more or takes nothing from: an alarm, and no row lost."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from rigs.outbox_fact import fact
from rigs.patience import until
from rigs.servers import end
from rigs.site_estate import two_agents
from rigs.site_server import SiteServer

ROWS, ALARM = 40, "event=broker_alarm alarm=refused lasts=true"


@pytest.fixture
def site(tmp_path):
    with SiteServer(tmp_path / "data") as server:
        server.make()
        (server.folder / "site.yaml").write_text(two_agents())
        server.start()
        added = server.run("agent", "add", "edge-a", "--out", str(tmp_path / "first.join"))
        assert added.returncode == 0, added.stderr
        yield server


def test_B6_a_refused_password_and_refused_rights_are_alarms_and_cost_no_row(site, tmp_path):
    """A device with yesterday's file; then one whose broker takes nothing from it. Both are mended under way."""
    rights, device = site.folder / "broker/rights", tmp_path / "device"
    old, new = tmp_path / "old.join", tmp_path / "new.join"
    for file in (old, new):
        assert site.run("agent", "add", "edge-a", "--again", "--out", str(file)).returncode == 0
    with _playing(device, old, 1) as said:
        until(lambda: ALARM in said(), says=said)
        until(lambda: fact(device / "outbox.db", "newest") == ROWS, says=said)
        assert fact(device / "outbox.db", "store_hw") == 0
    with _playing(device, new, 2) as said:
        until(lambda: fact(device / "outbox.db", "store_hw") == ROWS * 2, says=said)
    granted = rights.read_text()
    rights.write_text(granted.replace("pattern write", "pattern read"))
    try:
        with _playing(device, new, 3) as said:
            until(lambda: ALARM in said(), says=said)
            until(lambda: fact(device / "outbox.db", "newest") == ROWS * 3, says=said)
            assert fact(device / "outbox.db", "store_hw") == ROWS * 2
            rights.write_text(granted)
            until(lambda: fact(device / "outbox.db", "store_hw") == ROWS * 3, says=said)
            until(lambda: ALARM.replace("true", "false") in said(), says=said)
    finally:
        rights.write_text(granted)


@contextmanager
def _playing(device, join, nth):
    """An agent that plays its nth recording beside its meters, which do not answer; what it has logged."""
    recordings, log = device.with_name("recordings"), device.with_name(f"log-{nth}")
    recordings.mkdir(exist_ok=True)
    first = (nth - 1) * ROWS
    times, values = ([scale * n for n in range(first, first + ROWS)] for scale in (1000, 1))
    block = {"p": [0] * ROWS, "t": [1_700_000_000_000 + t for t in times], "x": values}
    head = {"points": ["ma/water_volume/total"], "rows": ROWS}
    (recordings / f"{nth}.readings").write_text(f"{json.dumps(head)}\n{json.dumps(block)}\n")
    quick = {"METERHOUSE_REPLAY": str(recordings), "METERHOUSE_SILENCE_S": "1", "METERHOUSE_BACKLOG_DELAY_S": "0"}
    command = [sys.executable, "-m", "meterhouse", "edge", "--join", str(join)]
    with log.open("wb") as out:
        edge = subprocess.Popen(
            command, env=os.environ | quick | {"METERHOUSE_DATA": str(device)}, stdout=out, stderr=out
        )
    try:
        yield log.read_text
    finally:
        end(edge, signal.SIGTERM)
