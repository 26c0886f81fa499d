"""What is wrong with Meterhouse itself stands on every page and in ``meterhouse status``."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from console.system import System
from facility.system_alarm import Raised, SystemAlarm
from meterhouse.cli import app

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
TOLD = {
    "state": "gap_open",
    "alarms": {"gap_open": "1, first of agent edge-1: 5 to 9", "of_a_newer_meterhouse": ""},
    "stored": 1234,
    "quarantined": 5,
    "queue": 0,
    "agents": {
        "edge-1": {
            "state": "online",
            "at_ms": 1,
            "heard_ms": NOW.timestamp() * 1000,
            "figures": {"alarm_disk_full": 1.0, "alarm_clock": 0.0},
        },
        "edge-2": {"state": "offline", "figures": {"alarm_disk_full": 1.0}},
    },
}
EXPECTED = [
    Raised(SystemAlarm.GAP_OPEN, "", "1, first of agent edge-1: 5 to 9"),
    Raised(SystemAlarm.DISK_FULL, "edge-1"),
    Raised(SystemAlarm.AGENT_OFFLINE, "edge-2"),
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ingest.json").write_text(json.dumps(TOLD))
    pulse = tmp_path / "ingest.pulse"
    pulse.touch()
    os.utime(pulse, (NOW.timestamp(), NOW.timestamp()))
    return tmp_path


def test_alarms_are_the_servers_and_its_agents(folder):
    assert System(folder, lambda: NOW).alarms() == EXPECTED


def test_an_ingest_that_stands_still_is_the_first_alarm(folder):
    later = System(folder, lambda: NOW + timedelta(minutes=2))
    assert later.alarms() == [Raised(SystemAlarm.INGEST_SILENT), EXPECTED[0]]


def test_an_agent_that_is_not_heard_any_more_is_offline_whatever_it_said_last(folder):
    quiet = System(folder, lambda: NOW + timedelta(seconds=61))
    os.utime(folder / "ingest.pulse", (NOW.timestamp() + 60,) * 2)
    assert Raised(SystemAlarm.AGENT_OFFLINE, "edge-1") in quiet.alarms()


def test_without_a_folder_or_with_a_torn_file_nothing_is_claimed(folder):
    assert System(None, lambda: NOW).alarms() == []
    (folder / "ingest.json").write_text('{"alarms": ')
    assert System(folder, lambda: NOW).alarms() == []


def test_status_tells_them_and_ends_with_one(folder, monkeypatch):
    monkeypatch.setenv("METERHOUSE_DATA", str(folder))
    now = datetime.now(UTC).timestamp()
    os.utime(folder / "ingest.pulse", (now, now))
    agents = TOLD["agents"] | {"edge-1": TOLD["agents"]["edge-1"] | {"heard_ms": now * 1000}}
    (folder / "ingest.json").write_text(json.dumps(TOLD | {"agents": agents}))
    done = CliRunner().invoke(app, ["status"])
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[:3] == [
        "ALARM: Readings have been missing for more than a day (1, first of agent edge-1: 5 to 9)",
        "ALARM: An agent's disk is full · edge-1",
        "ALARM: An agent is offline · edge-2",
    ]
    assert "readings stored 1,234, quarantined 5, queue 0" in lines
    (folder / "ingest.json").write_text(json.dumps(TOLD | {"alarms": {}, "agents": {}, "state": "running"}))
    assert CliRunner().invoke(app, ["status"]).exit_code == 0


def test_status_without_an_ingest_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("METERHOUSE_DATA", str(tmp_path))
    done = CliRunner().invoke(app, ["status"])
    assert "has ingest run with this folder" in str(done.exception)
