"""An audit trail that was tampered with is an alarm within a round of looking, and none once it is accepted."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime
from threading import Event

import pytest
from rigs.patience import until

from analytics.audit_watch import AuditWatch
from facility.status import ProcessStatus
from facility.system_alarm import SystemAlarm
from stores.records.audit import Audit
from stores.records.audit_checkpoint import read_checkpoints
from stores.records.database import open_records


@pytest.fixture
def audit(tmp_path, migrated):
    shutil.copy(migrated, tmp_path / "records.db")
    engine = open_records(f"sqlite:///{tmp_path}/records.db")
    audit = Audit(engine)
    for _ in range(3):
        audit.append(datetime.now(UTC), "anna", "look", "main")
    yield audit
    engine.dispose()


def test_a_broken_trail_is_an_alarm_until_it_is_whole(tmp_path, audit, logged):
    stop = Event()
    own = ProcessStatus(alarms={SystemAlarm.ANALYTICS_BEHIND: "late"})
    with AuditWatch(audit, stop, every_s=0.05, again_s=0.05) as watch:
        status = watch.beside(lambda: own)
        until((tmp_path / "records.audit.mark").exists)
        assert status() == own
        with sqlite3.connect(tmp_path / "records.db") as connection:
            connection.execute("UPDATE audit SET who = 'eve' WHERE seq = 2")
        connection.close()
        until(lambda: status().alarms.get(SystemAlarm.AUDIT_BROKEN) == "entry 2 was changed")
        assert status().alarms[SystemAlarm.ANALYTICS_BEHIND] == "late"
        key = tmp_path / "records.audit.key"
        key.chmod(0o644)
        until(lambda: "chmod 600" in status().alarms.get(SystemAlarm.AUDIT_BROKEN, ""))
        key.chmod(0o600)
        audit.accept(datetime.now(UTC), "ada", "looked into")
        until(lambda: SystemAlarm.AUDIT_BROKEN not in status().alarms)
        stop.set()
    assert [line["event"] for line in logged].count("audit_broken") == 1


def test_a_checkpoint_is_shipped_when_the_trail_has_grown_and_where_it_cannot_be_that_is_an_alarm(tmp_path, audit):
    stop, folder = Event(), tmp_path / "elsewhere"
    file = folder / "checkpoints"
    with AuditWatch(audit, stop, str(file), every_s=0.05, again_s=0.05, ship_s=0.02) as watch:
        status = watch.beside(ProcessStatus)
        until(lambda: "cannot be shipped" in status().alarms.get(SystemAlarm.AUDIT_NOT_SHIPPED, ""))
        folder.mkdir()
        until(lambda: file.exists() and not status().alarms)
        audit.append(datetime.now(UTC), "anna", "look", "main")
        until(lambda: len(file.read_text().splitlines()) == 2)
        stop.set()
    assert [one.entries for one in read_checkpoints(file)] == [3, 4]
