"""Records that the disk has changed under a running console: 503 with the security headers, and no traceback."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from itertools import count

import httpx
import pytest
from rigs.sample import NOW
from rigs.serving import served

from console.guard import SECURITY_HEADERS
from facility.errors import StoreDamaged
from facility.status import Instance, ProcessStatus
from facility.system_alarm import SystemAlarm
from stores.records.database import open_records
from stores.records.status.board import StatusBoard
from stores.records.status.teller import Teller


@pytest.fixture
def spoilt(sample, tmp_path):
    """Records as they were, and a way to spoil every page of theirs but the first."""
    path = tmp_path / "records.db"
    with closing(sqlite3.connect(sample.folder / "records.db")) as there, closing(sqlite3.connect(path)) as here:
        there.backup(here)
    records = open_records(f"sqlite:///{path}")

    def spoil():
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        records.dispose()  # nothing of it is held in memory any more
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * (path.stat().st_size - 4096))

    yield records, spoil
    records.dispose()


def test_a_console_whose_records_are_damaged_answers_503_with_its_headers(sample, spoilt, caplog):
    records, spoil = spoilt
    session = sample.session()
    with (
        served(sample.store, records, lambda: NOW + timedelta(seconds=1)) as (address, _),
        httpx.Client(base_url=address, trust_env=False, cookies={"meterhouse_session": session}) as client,
    ):
        spoil()
        for path in ("/", "/alerts", "/buildings/lab", "/api/series?point=x"):
            answer = client.get(path, headers={"accept": "text/html"})
            assert answer.status_code == 503, path
            assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert "Traceback" not in caplog.text


def test_who_tells_into_damaged_records_says_so_once_and_raises_an_alarm_where_it_is_asked(spoilt, logged):
    records, spoil = spoilt
    each = count()
    teller = Teller(
        StatusBoard(records), Instance("ingest", "north", "/data", 7), lambda: ProcessStatus(str(next(each)))
    )
    teller.turn()
    spoil()
    with pytest.raises(StoreDamaged, match="the records are damaged"), records.connect() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM alert").all()
    for _ in range(5):
        teller.turn()
    assert [line["event"] for line in logged if line["event"] == "status_cannot_be_told"] == ["status_cannot_be_told"]
    (seen,) = teller.overview().processes
    assert SystemAlarm.RECORDS_UNAVAILABLE in seen.status.alarms
