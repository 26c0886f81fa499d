"""A table handed in at the terminal: previewed, refused with every wrong row, confirmed by a second person, undone."""

import json
import threading
from datetime import UTC, datetime

import pytest
from rigs.command_line import meterhouse
from rigs.patience import PATIENCE_S

from facility.rights import Role
from stores.readings import open_readings
from stores.records.accounts.grants import Grant, Grants
from stores.records.database import open_records
from stores.records.errands import Errands
from stores.records.imports.book import Imports, ImportState
from stores.records.people import People

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
SITE = """
version: 1
site: {id: town, name: Town, timezone: Asia/Shanghai, currency: CNY}
buildings: [{id: hall, name: Hall}]
agents: [{id: edge-1, buses: [{id: b, url: "modbus+tcp://127.0.0.1:502"}]}]
meters:
  - {id: water, name: Water, building: hall, profile: generic/pulse-water, agent: edge-1, bus: b, unit: "1",
     utility: water, role: head, serial: "77"}
"""
READS = "表号,抄表日期,读数(m3)\n77,2026-01-01,100\n77,2026-02-01,131.5\n"


@pytest.fixture
def data(tmp_path):
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    done = meterhouse("site", "apply", tmp_path / "site.yaml", "--accept", data=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "reads.csv").write_text(READS, encoding="gbk")
    return tmp_path


@pytest.fixture
def records(data):
    engine = open_records(f"sqlite:///{data}/records.db")
    yield engine
    engine.dispose()


@pytest.fixture
def answering(records):
    """What ingest does, as far as a person at a terminal sees it."""
    errands, book, stop = Errands(records), Imports(records), threading.Event()

    def answer():
        while not stop.wait(0.05):
            for errand in errands.waiting():
                book.done(errand.of_import, "", NOW)

    thread = threading.Thread(target=answer)
    thread.start()
    yield book
    stop.set()
    thread.join(PATIENCE_S)


def test_a_dry_run_shows_what_would_be_stored_and_writes_nothing(data, records):
    done = meterhouse("import", "readings", data / "reads.csv", "--dry-run", data=data)
    assert done.returncode == 0, done.stderr
    assert "gb18030" in done.stdout
    assert "131.5" in done.stdout
    assert Imports(records).newest() == []
    said = json.loads(meterhouse("import", "readings", data / "reads.csv", "--dry-run", "--json", data=data).stdout)
    assert (said["new"], said["known"], said["meters"], said["fault_count"], said["id"]) == (2, 0, ["water"], 0, None)
    assert said["first"] == "2025-12-31T16:00:00Z", "midnight in Shanghai"


def test_a_file_with_wrong_rows_names_each_and_stores_none(data, records):
    (data / "reads.csv").write_text("meter,time,reading,unit\n77,2026-01-01,1,m3\n78,soon,1,m3\n77,2026-02-01,1,kWh\n")
    done = meterhouse("import", "readings", data / "reads.csv", "--yes", data=data)
    assert done.returncode == 1
    assert "row 3, column 'meter': no meter has the id, serial number or name '78'" in done.stdout
    assert "row 4, column 'unit': 'kWh' does not convert to water_volume (allowed: m3," in done.stdout
    assert Imports(records).newest() == []
    chinese = meterhouse("import", "readings", data / "reads.csv", "--yes", "--language", "zh-Hans", data=data)
    assert "第 4 行“unit”列：“kWh”不能换算为 water_volume" in chinese.stdout


def test_who_is_alone_confirms_at_once_and_an_import_is_listed_and_undone(data, answering):
    done = meterhouse("import", "readings", data / "reads.csv", "--yes", "--by", "lin", data=data)
    assert done.returncode == 0, done.stderr
    assert "Import 1: stored." in done.stdout
    (listed,) = json.loads(meterhouse("import", "list", "--json", data=data).stdout)["imports"]
    assert (listed["id"], listed["state"], listed["proposed_by"], listed["readings"]) == (1, "stored", "lin", 2)
    undone = meterhouse("import", "undo", 1, "--reason", "another meter", "--by", "lin", data=data)
    assert "Import 1: undone." in undone.stdout, undone.stderr
    assert answering.one(1).reason == "another meter"


def test_where_an_officer_has_an_account_they_confirm_and_nobody_confirms_their_own(data, records, answering):
    People(records).invite("officer", NOW)
    Grants(records).give("officer", Grant(Role.OFFICER), "test", NOW)
    done = meterhouse("import", "readings", data / "reads.csv", "--yes", "--by", "lin", data=data)
    assert "Import 1 waits for a second person (officer)" in done.stdout, done.stderr
    own = meterhouse("import", "confirm", 1, "--by", "lin", data=data)
    assert own.returncode == 1
    assert "somebody else confirms it (officer)" in own.stderr
    assert answering.one(1).state is ImportState.PROPOSED
    assert "Import 1: stored." in meterhouse("import", "confirm", 1, "--by", "officer", data=data).stdout


def test_without_ingest_it_waits_and_says_so(data, records):
    done = meterhouse("import", "readings", data / "reads.csv", "--yes", "--wait", 0.3, data=data)
    assert done.returncode == 0, done.stderr
    assert "Ingest has not answered" in done.stdout
    assert Imports(records).one(1).state is ImportState.CONFIRMED
    store = open_readings(f"sqlite://{data}/readings.db")
    assert store.latest() == {}
    store.close()


def test_what_cannot_be_is_refused_in_a_sentence(data):
    assert "there is no import 9" in meterhouse("import", "undo", 9, "--reason", "x", data=data).stderr
    wrong = meterhouse("import", "readings", data / "reads.csv", "--column", "meter", data=data)
    assert "'meter' names no column" in wrong.stderr
    no_such = meterhouse("import", "readings", data / "reads.csv", "--column", "meter=No", "--dry-run", data=data)
    assert "column 'No': there is no such column (allowed: 表号, 抄表日期, 读数(m3))" in no_such.stdout
