"""Backups are made by themselves where a folder is set, and one that is not made is an alarm."""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from rigs.command_line import meterhouse
from rigs.fault_rig import small_disk
from rigs.patience import PATIENCE_S, until

from analytics.backup_watch import BackupWatch, fault_of
from facility.status import ProcessStatus
from facility.system_alarm import SystemAlarm
from meterhouse.backup.schedule import is_due
from meterhouse.backup.settings import BackupSettings
from meterhouse.up.nightly import NightlyBackup
from reports.doctor import Ground, examine, sentence
from stores.backup_note import BackupNote, keep_backup_note, read_backup_note
from wording.texts import load_texts

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("made_at", "now", "due"),
    [
        ("2026-03-01T03:10", "2026-03-02T03:09", False),
        ("2026-03-01T03:10", "2026-03-02T03:10", True),
        ("2026-03-01T20:00", "2026-03-02T03:10", True),  # by hand, in the evening
        ("2026-03-02T03:11", "2026-03-02T23:59", False),
        ("2027-03-02T03:11", "2026-03-02T23:59", True),  # the clock was wrong then
    ],
)
def test_one_is_due_once_a_day_by_the_sites_clock(made_at, now, due):
    at = lambda text: datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)  # noqa: E731
    assert is_due(BackupNote(made_at=at(made_at)), at(now), "03:10", SHANGHAI) is due


def test_the_first_is_due_at_once_and_one_that_failed_in_an_hour():
    now = datetime.now(UTC)
    assert is_due(BackupNote(), now, "03:10", UTC)
    failed = BackupNote(tried_at=now, failed="no room")
    assert not is_due(failed, now + timedelta(minutes=59), "03:10", UTC)
    assert is_due(failed, now + timedelta(minutes=61), "03:10", UTC)


@pytest.mark.parametrize("zone", ["Europe/London", "America/Havana", "Australia/Lord_Howe"])
def test_each_day_of_a_year_has_one_whatever_clocks_do(zone):
    """Of days whose clock leaves the hour out, or has it twice, too."""
    now, made = datetime(2026, 1, 1, tzinfo=UTC), []
    note = BackupNote(made_at=now)
    while now < datetime(2027, 1, 1, tzinfo=UTC):
        now += timedelta(minutes=20)
        if is_due(note, now, "02:10", ZoneInfo(zone)):
            note = BackupNote(made_at=now)
            made.append(now.astimezone(ZoneInfo(zone)).date())
    assert len(made) == len(set(made)) == 365


def test_a_server_that_runs_makes_it_in_a_process_of_its_own(folder, key, tmp_path, monkeypatch):
    to = tmp_path / "nightly"
    monkeypatch.setenv("METERHOUSE_BACKUP", str(to))
    nightly = NightlyBackup(folder, BackupSettings(data=folder))
    (folder / "backup.json").unlink(missing_ok=True)
    nightly.look()
    until(lambda: nightly.look() or read_backup_note(folder).made_at, says=(folder / "logs" / "backup.log").read_text)
    assert [file.name for file in to.glob("*.tar.age")] == [read_backup_note(folder).file.rpartition("/")[2]]
    nightly.stop()


def test_where_no_up_runs_a_service_of_its_own_makes_them_and_says_that_it_is_well(folder, key, tmp_path):
    """As docker-compose.yml has it, whose schedule is this process."""
    to = tmp_path / "nightly"
    (folder / "backup.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "meterhouse", "backup", "--every-night"]
    kept = {name: word for name, word in os.environ.items() if not name.startswith("METERHOUSE_")}
    env = kept | {"METERHOUSE_DATA": str(folder), "METERHOUSE_BACKUP": str(to)}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE) as service:
        try:
            until(lambda: read_backup_note(folder).made_at)
            assert meterhouse("healthy", "backup", data=folder).returncode == 0
            service.send_signal(signal.SIGTERM)
            assert service.wait(PATIENCE_S) == 0, service.stderr.read()
        finally:
            service.kill()
    assert len(list(to.glob("*.tar.age"))) == 1
    refused = meterhouse("backup", "--every-night", data=folder)
    assert (refused.returncode, refused.stderr.startswith("no folder for backups")) == (2, True)


def test_none_is_made_where_no_folder_is_set(folder):
    nightly = NightlyBackup(folder, BackupSettings(data=folder))
    (folder / "backup.json").unlink(missing_ok=True)
    nightly.look()
    nightly.stop()
    assert not (folder / "backup.json").exists()
    watch = BackupWatch(folder, "")
    assert watch.beside(ProcessStatus)().alarms == {}


def test_an_old_backup_is_an_alarm_with_its_reason(tmp_path):
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert fault_of(tmp_path, now, 60) == "", "the first may be under way"
    assert fault_of(tmp_path, now, 7200) == "none was made yet"
    keep_backup_note(tmp_path, BackupNote(tried_at=now, failed="no key"))
    assert fault_of(tmp_path, now, 60) == "none was made yet: no key"
    keep_backup_note(tmp_path, BackupNote(made_at=now - timedelta(hours=25)))
    assert fault_of(tmp_path, now, 7200) == ""
    keep_backup_note(tmp_path, BackupNote(made_at=now - timedelta(hours=27), failed="the disk is full"))
    assert fault_of(tmp_path, now, 7200) == "the newest is of 2026-03-01 09:00 UTC: the disk is full"
    keep_backup_note(tmp_path, BackupNote(made_at=now - timedelta(hours=9), failed="no key"))
    assert fault_of(tmp_path, now, 60) == "the newest is of 2026-03-02 03:00 UTC: no key", "who waits loses a day"
    keep_backup_note(tmp_path, BackupNote(made_at=now - timedelta(hours=9), lacks="the readings are in influx"))
    assert fault_of(tmp_path, now, 60).endswith("03:00 UTC and is not whole: the readings are in influx")
    (tmp_path / "backup.json").write_text("{")
    assert fault_of(tmp_path, now, 7200) == "none was made yet"
    alarms = BackupWatch(tmp_path, "/mnt", monotonic=iter([0.0, 7200.0]).__next__).beside(ProcessStatus)().alarms
    assert alarms == {SystemAlarm.BACKUP_OVERDUE: "none was made yet"}


@pytest.mark.parametrize("how", ["no room", "no key", "no permission", "no records", "killed", "no program"])
def test_one_that_fails_is_told_by_the_doctor_and_is_an_alarm_at_once(how, folder, key, tmp_path, monkeypatch):
    """Whatever ends it, the newest that is whole being of this hour: the note that is left says so."""
    to, words = tmp_path / "nightly", "exit code"
    keep_backup_note(folder, BackupNote(made_at=datetime.now(UTC) - timedelta(hours=25), file="an older one"))
    nightly = NightlyBackup(folder, BackupSettings(data=folder, backup=str(to)))
    with ExitStack() as ends:
        match how:
            case "no room":
                to = ends.enter_context(small_disk(to, "66m"))
                (to / "full").write_bytes(bytes(2**22))
                words = "has not enough room for a backup"
            case "no key":
                (folder / "secrets" / "backup-recipients").unlink()
                words = "backups have no key yet"
            case "no permission":
                to.write_text("a file, where a folder should be")
                words = f"{to} is no folder, and so no place for backups"
            case "no records":
                monkeypatch.setenv("METERHOUSE_RECORDS", f"postgresql+psycopg://li@/town?host={tmp_path}")
                words = "failed: No such file or directory"
            case "killed":
                words = "it was ended by signal 9"
            case "no program":
                monkeypatch.setattr(sys, "executable", "/nowhere/python")
                words = "it could not be begun: No such file or directory"
        nightly.look()
        if how == "killed":
            nightly._child.send_signal(signal.SIGKILL)
        until(lambda: nightly.look() or read_backup_note(folder).failed)
        nightly.stop()
        note = read_backup_note(folder)
        assert words in note.failed
        assert "\n" not in note.failed
        assert note.file == "an older one"
        fault = BackupWatch(folder, str(to)).beside(ProcessStatus)().alarms[SystemAlarm.BACKUP_OVERDUE]
        assert words in fault
        assert not is_due(note, datetime.now(UTC), "03:10", UTC), "it is tried again in an hour"
        monkeypatch.undo()
        done = meterhouse("doctor", "--json", data=folder, METERHOUSE_BACKUP=str(to))
        assert done.returncode == 2
        (line,) = (one for one in json.loads(done.stdout)["lines"] if one["name"] == "backup")
        assert (line["how"], words in line["found"]) == ("wrong", True)
        nobody = Ground(folder, "", f"sqlite:///{folder / 'records.db'}", backups=str(to))
        page = {one.name: one for one in examine(nobody, datetime.now(UTC))}["backup"]
        assert words in sentence(load_texts("zh-Hans"), page), "as the page of the server says it"
