"""What commands hand out: each export is on record with its level, and above a level only for a reason."""

import csv
import json
from contextlib import closing
from contextvars import copy_context
from datetime import UTC, datetime

import pytest
from rigs.one_meter import estate, readings
from typer.testing import CliRunner

from analytics.rollups.writer import RollupWriter
from facility.errors import MeterhouseError
from facility.order import OrderPlace, OrderWish, Skill
from facility.work import Evidence, Finding, Severity
from meterhouse.cli import app
from meterhouse.commands import readings_table
from meterhouse.settings import Settings
from stores.access.exports import EXPORT
from stores.access.important import READ
from stores.readings import open_readings
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.audit import Audit, AuditFilter
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.orders.orders import Orders
from stores.records.quarantine.item import QuarantineItem
from stores.records.quarantine.quarantine import Quarantine
from stores.records.registry import Registry

BILL = ("account", "report", "--building", "hall", "--month", "2026-09")
READINGS = ("export", "readings", "--building", "hall", "--from", "2026-09-01", "--to", "2026-09-02")
CUSTODIAN = ("currency: CNY", "currency: CNY\n  custodian: Li Wei")


class Town:
    """The hall, its one point of a level, and the commands."""

    def __init__(self, folder, level):
        settings = Settings(data=folder)
        self.folder, self.records = folder, open_records(settings.records_url)
        graded = ("serial: A1", f"serial: A1, level: {level}")
        registry = Registry(self.records)
        registry.apply(estate(graded, CUSTODIAN), by="li", at=datetime(2026, 8, 1, tzinfo=UTC))
        with closing(open_readings(settings.store_url)) as store:
            store.write(readings())
            RollupWriter(store, registry.load(), ClosedMonths(self.records)).update(store.changes(0).ranges)

    def run(self, *words, code=0):
        env = {"METERHOUSE_DATA": str(self.folder)}
        done = copy_context().run(CliRunner().invoke, app, words, env=env)
        assert done.exception is None or isinstance(done.exception, SystemExit | MeterhouseError), done.exception
        assert (done.exit_code != 0) == (code != 0), f"{done.output}{done.exception}"
        return done.stdout if code == 0 else str(done.exception)

    def on_record(self, what):
        return [(one.subject, one.detail) for one in Audit(self.records).entries(among=AuditFilter(what=what))]


@pytest.fixture
def town(tmp_path):
    made = []

    def make(level):
        made.append(Town(tmp_path, level))
        return made[-1]

    yield make
    for one in made:
        one.records.dispose()


def test_each_form_of_a_bill_is_on_record_with_its_level_and_carries_both(town, tmp_path):
    one, out = town("internal"), tmp_path / "bill"
    said = json.loads(one.run(*BILL, "--json"))
    text = one.run(*BILL, "--format", "csv")
    for form in ("csv", "xlsx", "text"):
        one.run(*BILL, "--format", form, "--out", str(out))
    found = one.on_record(EXPORT)
    assert len(found) == 5
    assert {subject for subject, _ in found} == {"hall"}
    assert all("bill of 2026-09, level internal" in detail for _, detail in found)
    assert (said["level"], found[-1][1].startswith(f"{said['export']}: ")) == ("internal", True)
    rows = dict(row[1:3] for row in csv.reader(text.splitlines()) if row[0] == "bill")
    assert (rows["level"], found[-2][1].startswith(f"{rows['export']}: ")) == ("internal", True)
    assert found[0][1].partition(":")[0] in out.read_text()
    one.run(*BILL)
    assert len(one.on_record(EXPORT)) == 5, "who looks takes nothing along"
    assert one.on_record(READ) == []


def test_departments_and_indicators_for_a_program_are_on_record(town):
    one = town("internal")
    one.run("account", "departments", "--month", "2026-09", "--json")
    one.run("indicators", "report", "--first", "2026-09", "--months", "1", "--json")
    assert [detail.partition(": ")[2] for _, detail in one.on_record(EXPORT)] == [
        "indicators from 2026-09, level internal",
        "departments of 2026-09, level internal",
    ]


def test_above_internal_nothing_leaves_without_a_reason(town, tmp_path):
    one, out = town("sensitive"), tmp_path / "a.csv"
    for words in (
        (*BILL, "--format", "csv"),
        (*BILL, "--json"),
        ("account", "departments", "--month", "2026-09", "--json"),
        ("indicators", "report", "--first", "2026-09", "--json"),
        (*READINGS, "--out", str(out)),
    ):
        assert "is missing: what is taken along is sensitive" in one.run(*words, code=2), words
    assert (one.on_record(EXPORT), out.exists()) == ([], False)
    one.run(*READINGS, "--out", str(out), "--reason", "for the auditor")
    assert one.on_record(EXPORT)[0][1].endswith(", level sensitive, because for the auditor")


def test_important_data_leave_by_their_custodian_alone_and_each_look_is_on_record(town, tmp_path):
    one, out = town("important"), tmp_path / "a.csv"
    asked = (*READINGS, "--out", str(out), "--reason", "audit")
    for more in ((), ("--custodian", "Zhang")):
        assert "has not let it go: what is taken along is important (allowed: Li Wei)" in one.run(*asked, *more, code=2)
    one.run(*asked, "--custodian", "Li Wei")
    assert one.on_record(EXPORT)[0][1].endswith("level important, because audit, let by Li Wei")
    assert one.on_record(READ) == []
    one.run("latest")
    one.run("latest", "--json")
    one.run(*BILL)
    said = [("hall", f"{what}: main/energy_import/total") for what in ("bill of 2026-09", *["live values"] * 2)]
    assert one.on_record(READ) == said


def test_the_estate_itself_leaves_on_record_and_asks_for_no_reason(town, tmp_path):
    """It holds every name and no figure."""
    one = town("important")
    one.run("export", "meters")
    one.run("export", "meters", "--format", "xlsx", "--out", str(tmp_path / "m.xlsx"))
    one.run("site", "export")
    one.run("site", "export", "--agent", "edge-1")
    said = [(subject, detail.partition(": ")[2]) for subject, detail in one.on_record(EXPORT)]
    names = ("site file of agent edge-1", "site file", "table of meters, xlsx", "table of meters, csv")
    assert said == [("hall", f"{what}, level important") for what in names]


def ordered(one):
    """A case at the one point, and an order of it."""
    at = datetime(2026, 9, 2, tzinfo=UTC)
    point = "main/energy_import/total"
    found = Finding("night_waste", point, "main", "hall", at, at, Severity.ACT, 0.9, (Evidence(point, at, at),))
    case = Casebook(one.records).record(found, money=None, notify=False)
    wish = OrderWish(OrderPlace("hall"), Skill.GENERAL, Severity.ACT, "Look", "", "li", case.id)
    return case, Orders(one.records).make(wish, "li", at)


def test_orders_leave_with_the_level_of_what_they_rest_on(town):
    one = town("sensitive")
    ordered(one)
    assert "is missing: what is taken along is sensitive" in one.run("orders", "export", code=2)
    (row,) = csv.DictReader(one.run("orders", "export", "--reason", "for the plumber").splitlines())
    ((subject, detail),) = one.on_record(EXPORT)
    said = f"{row['export']}: work orders, level {row['level']}, because for the plumber"
    assert (subject, detail, row["level"]) == ("hall", said, "sensitive")


def test_each_look_at_important_data_at_the_machine_is_on_record(town):
    one = town("important")
    case, order = ordered(one)
    message = QuarantineItem(case.since, "decode", "message", "malformed", "", "t", "edge-1", "", None, None, 0, b"x")
    Quarantine(one.records).put(message)
    looks = {
        ("alerts",): "cases",
        ("cases", "list"): "cases",
        ("cases", "show", str(case.id)): f"case {case.id}",
        ("orders", "list"): "work orders",
        ("orders", "show", str(order.id)): f"work order {order.id}",
        ("quarantine", "list"): "refused messages",
        ("quarantine", "show", "1"): "refused message 1",
        ("meter", "history", "main"): "registers of a meter's ledger",
    }
    for words, what in looks.items():
        before = len(one.on_record(READ))
        one.run(*words)
        new = one.on_record(READ)[: len(one.on_record(READ)) - before]
        assert new == [("hall", f"{what}: main/energy_import/total")], words
    one.run("meter", "spells", "--all")
    one.run("account", "proposals", "--all")
    assert one.on_record(EXPORT) == []


def test_readings_leave_whole_with_their_level_or_not_at_all(town, tmp_path, monkeypatch):
    one, out = town("public"), tmp_path / "a.csv"
    one.run(*READINGS, "--out", str(out))
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 24
    assert {(row["level"], row["unit"], row["quality"]) for row in rows} == {("public", "kWh", "good")}
    assert rows[0]["time"] == "2026-08-31T16:00:00.000+00:00"
    assert one.on_record(EXPORT)[0][1].startswith(rows[0]["export"])
    out.unlink()
    monkeypatch.setattr(readings_table, "MOST_ROWS", 23)
    assert "more than 23 readings" in one.run(*READINGS, "--out", str(out), code=2)
    assert "unknown building" in one.run(
        "export", "readings", "--building", "x", *READINGS[4:], "--out", str(out), code=2
    )
    assert "is not after --from" in one.run(*READINGS[:-1], "2026-08-01", "--out", str(out), code=2)
    assert "cannot be written" in one.run(*READINGS, "--out", str(tmp_path / "none" / "a.csv"), code=2)
    assert not list(tmp_path.glob("a.csv*"))
