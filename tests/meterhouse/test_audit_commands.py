"""The audit trail by command: looked through, and accepted by a person where it is not whole."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime

import pytest
from rigs.command_line import meterhouse

from stores.records.audit import Audit
from stores.records.audit_checkpoint import signed_checkpoint
from stores.records.audit_shipping import ship
from stores.records.database import open_records


@pytest.fixture
def data(tmp_path):
    engine = open_records(f"sqlite:///{tmp_path}/records.db")
    for i in range(3):
        Audit(engine).append(datetime.now(UTC), "anna", "alert.close", f"case-{i}")
    engine.dispose()
    return tmp_path


def test_a_whole_trail_is_said_to_be_and_a_broken_one_where(data):
    done = meterhouse("audit", "verify", data=data)
    assert (done.returncode, done.stdout) == (0, "The audit trail is as it was written; entries: 3.\n")
    with sqlite3.connect(data / "records.db") as connection:
        connection.execute("UPDATE audit SET who = 'eve' WHERE seq = 2")
    connection.close()
    done = meterhouse("audit", "verify", "--json", data=data)
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "whole": False,
        "entries": 1,
        "keyed_from": 1,
        "fault": "entry 2 was changed",
        "checkpoints": 0,
    }
    done = meterhouse("audit", "verify", "--language", "zh-Hans", data=data)
    assert (done.returncode, done.stdout) == (1, "审计记录与写入时不符：第 2 条被改动。此前 1 条无误。\n")
    assert meterhouse("audit", "accept", data=data).returncode == 2
    done = meterhouse("audit", "accept", "--reason", " ", data=data)
    assert (done.returncode, "--reason" in done.stderr) == (2, True)
    assert meterhouse("audit", "accept", "--reason", "looked into", "--by", "Ada", data=data).returncode == 0
    assert meterhouse("audit", "verify", data=data).returncode == 0


def test_a_name_that_could_pass_for_another_accepts_nothing(data):
    done = meterhouse("audit", "accept", "--reason", "x", "--by", "\u202eadA", data=data)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert done.stderr.strip().isprintable()


def test_checkpoints_kept_elsewhere_are_held_against_the_trail(data, tmp_path):
    file = tmp_path / "elsewhere"
    place = {"METERHOUSE_AUDIT_CHECKPOINTS": str(file)}
    assert meterhouse("audit", "verify", data=data, **place).returncode == 2
    engine = open_records(f"sqlite:///{data}/records.db")
    ship(signed_checkpoint(*Audit(engine).end(), datetime.now(UTC)), str(file))
    engine.dispose()
    done = meterhouse("audit", "verify", data=data, **place)
    assert (done.returncode, done.stdout.splitlines()[1]) == (0, "Held against checkpoints kept elsewhere: 1.")
    file.write_text(file.read_text().replace('"entries": 3', '"entries": 4'))
    done = meterhouse("audit", "verify", "--checkpoints", str(file), data=data)
    assert (done.returncode, "is not signed" in done.stdout) == (1, True)
    assert meterhouse("audit", "accept", "--reason", "x", "--by", "Ada", data=data, **place).returncode == 0
    assert len(file.read_text().splitlines()) == 2
    assert meterhouse("audit", "verify", data=data, METERHOUSE_AUDIT_CHECKPOINTS="x").returncode == 2
