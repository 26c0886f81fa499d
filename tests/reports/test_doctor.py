"""The doctor says one line a thing, with what to do about it, changes nothing, and hides nothing behind a failure."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from rigs.certificates import Authority
from rigs.command_line import meterhouse
from rigs.released_town import RELEASES, unpacked

from facility.model import ReadingBatch
from facility.status import ProcessStatus, ServerProcess
from facility.system_alarm import SystemAlarm
from reports.doctor import Ground, How, checks, examine, sentence, to_do, worst
from stores.backup_note import BackupNote, keep_backup_note
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.status.board import StatusBoard
from stores.records.status.teller import Teller, this_instance
from wording.texts import LANGUAGES, load_texts

NOW = datetime.now(UTC)


@pytest.fixture
def ground(tmp_path, migrated):
    """A folder with empty stores."""
    folder = tmp_path / "data"
    (folder / "secrets").mkdir(parents=True)
    folder.chmod(0o700)
    shutil.copy(migrated, folder / "records.db")
    made = Ground(folder, f"sqlite://{folder / 'readings.db'}", f"sqlite:///{folder / 'records.db'}")
    store = open_readings(made.store_url)
    store.write(ReadingBatch(["a/energy_import/total"], [0], [1000], [1.0], [0]))
    store.close()
    return made


def found(ground, name, now=NOW):
    """Case and how of one check; each has its words in both languages."""
    line = next(one for one in examine(ground, now) if one.name == name)
    for language in LANGUAGES:
        t = load_texts(language)
        assert sentence(t, line)
        assert bool(to_do(t, line)) == (line.how is not How.WELL)
    assert line.case == "unknown" or line.case in checks.CASES[name]
    return line.case, line.how


def tell(ground, **alarms):
    """Every process tells its status; ingest with these alarms."""
    engine = open_records(ground.records_url)
    for process in ServerProcess:
        status = ProcessStatus(alarms=alarms if process is ServerProcess.INGEST else {})
        Teller(StatusBoard(engine), this_instance(process, ground.folder), lambda status=status: status).turn()
    engine.dispose()


def test_each_check_has_its_cases_and_each_case_its_words():
    assert checks.CASES.keys() == checks.CHECKS.keys()


def test_processes_and_broker_are_as_they_tell(ground):
    assert found(ground, "processes") == ("missing", How.WRONG)
    assert found(ground, "broker") == ("untold", How.CARE)
    assert found(ground, "store") == ("untold", How.CARE)
    tell(ground)
    assert found(ground, "processes") == ("running", How.WELL)
    assert found(ground, "broker") == ("well", How.WELL)
    assert found(ground, "store") == ("well", How.WELL)
    tell(ground, **{SystemAlarm.BROKER_REFUSES: "bad password", SystemAlarm.STORE_DAMAGED: "2 rows"})
    assert found(ground, "broker") == ("alarm", How.WRONG)
    assert found(ground, "store") == ("alarm", How.WRONG)


def test_a_disk_that_fills_is_told_before_it_is_full(ground, monkeypatch):
    for free, how in ((2**31, How.WELL), (2**29, How.CARE), (2**27, How.WRONG)):
        monkeypatch.setattr(checks.shutil, "disk_usage", lambda _, free=free: shutil._ntuple_diskusage(0, 0, free))
        assert found(ground, "disk") == ("free", how)


def test_a_clock_that_nobody_keeps_is_told(ground, monkeypatch):
    for kept, case in ((True, ("kept", How.WELL)), (False, ("alone", How.CARE))):
        monkeypatch.setattr(checks, "is_kernel_synchronised", lambda kept=kept: kept)
        assert found(ground, "clock") == case


def test_a_certificate_is_told_before_it_ends(ground, tmp_path):
    assert found(ground, "certificates") == ("none", How.WELL)
    certificate, _ = Authority(tmp_path).sign("server", "DNS:localhost", days=40)
    with_it = Ground(ground.folder, ground.store_url, ground.records_url, (certificate,))
    assert found(with_it, "certificates") == ("valid", How.WELL)
    assert found(with_it, "certificates", NOW + timedelta(days=20)) == ("valid", How.CARE)
    assert found(with_it, "certificates", NOW + timedelta(days=41)) == ("ended", How.WRONG)
    certificate.write_text("no certificate")
    assert found(with_it, "certificates") == ("unknown", How.WRONG)


def test_the_age_of_the_backup_is_told_and_that_none_is_configured(ground):
    assert found(ground, "backup") == ("unset", How.CARE)
    wanted = Ground(ground.folder, ground.store_url, ground.records_url, backups="/mnt")
    assert found(wanted, "backup") == ("none", How.WRONG)
    keep_backup_note(ground.folder, BackupNote(made_at=NOW - timedelta(hours=1), file="x"))
    assert found(wanted, "backup") == ("fresh", How.WELL)
    assert found(wanted, "backup", NOW + timedelta(days=2)) == ("old", How.CARE)
    keep_backup_note(ground.folder, BackupNote(made_at=NOW, file="x", failed="no room"))
    assert found(wanted, "backup") == ("failed", How.WRONG)


def test_what_others_may_read_is_told(ground):
    (ground.folder / "secrets" / "ca.key").write_text("secret")
    (ground.folder / "secrets" / "ca.key").chmod(0o644)
    assert found(ground, "permissions") == ("ours", How.WELL), "nobody else may enter the folder"
    ground.folder.chmod(0o755)
    assert found(ground, "permissions") == ("open", How.WRONG)
    for file in (ground.folder / "secrets" / "ca.key", *ground.folder.glob("*.db")):
        file.chmod(0o600)
    assert found(ground, "permissions") == ("ours", How.WELL)


def test_one_check_that_cannot_be_made_hides_no_other(ground):
    (ground.folder / "records.db").unlink()
    lines = {line.name: line for line in examine(ground, NOW)}
    assert lines.keys() == checks.CHECKS.keys()
    assert lines["records"].case == lines["processes"].case == "unknown"
    assert lines["disk"].how is How.WELL
    assert worst(list(lines.values())) is How.WRONG
    assert not (ground.folder / "records.db").exists(), "looking makes nothing"


def test_the_command_answers_in_words_and_json_and_by_its_exit_code(ground):
    env = {"METERHOUSE_STORE": ground.store_url, "METERHOUSE_RECORDS": ground.records_url}
    said = meterhouse("doctor", "--json", data=ground.folder, **env)
    whole = json.loads(said.stdout)
    assert (said.returncode, whole["how"]) == (2, "wrong"), "no process tells"
    lines = {line["name"]: line for line in whole["lines"]}
    assert lines.keys() == checks.CHECKS.keys()
    assert lines["backup"]["found"] == "none is configured"
    assert "METERHOUSE_BACKUP" in lines["backup"]["to_do"]
    words = meterhouse("doctor", data=ground.folder, **env)
    assert "未配置备份" in meterhouse("doctor", "--language", "zh-Hans", data=ground.folder, **env).stdout
    assert "backup: 'meterhouse backup --new-key' makes a key once" in words.stdout


def test_silent_points_are_named(tmp_path):
    town = unpacked(RELEASES[-1], tmp_path)
    open_records(town.env["METERHOUSE_RECORDS"]).dispose()  # as a start brings it up to date
    there = Ground(town.home / "data", town.env["METERHOUSE_STORE"], town.env["METERHOUSE_RECORDS"])
    newest = max(rows[-1][0] for rows in town.stored().values())
    at = datetime.fromtimestamp(newest / 1000, UTC)
    line = next(one for one in examine(there, at) if one.name == "points")
    assert (line.case, line.numbers["silent"]) == ("silent", "1"), "a point that never told anything"
    line = next(one for one in examine(there, at + timedelta(hours=2)) if one.name == "points")
    assert line.numbers["silent"] == line.numbers["count"] == "3"
