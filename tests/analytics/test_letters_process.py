"""The real process: a case that is found becomes a letter, and what is kept and logged of it holds no secret."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

from rigs.letter_desk import Office
from rigs.mailboxes import WebAddress
from rigs.patience import PATIENCE_S, until

from stores.readings.sqlite.store import SqliteStore
from stores.records.letters.letter import LetterState
from stores.records.status.board import StatusBoard


def test_a_case_leaves_a_running_server_as_a_letter(records, tmp_path):
    with WebAddress() as hook:
        town = Office(records, datetime.now(UTC), {})
        town.person("kim", courier="hook", address="kim@example.org")
        SqliteStore(tmp_path / "readings.db").close()
        settings = {
            "METERHOUSE_DATA": f"{tmp_path}",
            "METERHOUSE_STORE": f"sqlite://{tmp_path}/readings.db",
            "METERHOUSE_RECORDS": f"sqlite:///{tmp_path}/records.db",
            "METERHOUSE_NOTIFY": f"hook={hook.url.replace('//', '//user:s3cr3t@')}",
            "METERHOUSE_CONSOLE_URL": "https://meters.example.org/",
        }
        tmp_path.chmod(0o700)
        log = tmp_path / "log"
        with (
            log.open("w") as out,
            subprocess.Popen(
                [sys.executable, "-m", "analytics"], env={**os.environ, **settings}, stdout=out, stderr=out
            ) as process,
        ):
            try:
                alert = town.find()
                until(lambda: hook.heard, says=log.read_text)
                status = until(lambda: _status(records), says=log.read_text)
                until(lambda: town.letters.all_of([LetterState.SENT]), says=log.read_text)
            finally:
                process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        body = hook.heard[0][1]
        assert body["to"] == "kim@example.org"
        assert f"https://meters.example.org/take?alert={alert.id}&token=" in body["message"]
        assert status.facts["courier hook"] == "well"
        assert len(hook.heard) == 1
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"s3cr3t" not in kept


def _status(records):
    seen = [one.status for one in StatusBoard(records).overview().processes if "courier hook" in one.status.facts]
    return seen[0] if seen else None
