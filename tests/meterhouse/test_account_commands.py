"""The ledger and the bill from the command line, on an estate with two months of readings."""

import csv
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from rigs.one_meter import SITE, at, estate, ms, readings
from typer.testing import CliRunner

from analytics.rollups.recompute import Recompute
from analytics.rollups.writer import RollupWriter
from facility.errors import MeterhouseError
from facility.remark import RemarkKind
from meterhouse.answers.account import (
    BillAnswer,
    MonthAgain,
    RecomputationAnswer,
    RecomputationsAnswer,
    recomputations_table,
)
from meterhouse.answers.meter import MeterLedger, MetersNow
from meterhouse.cli import app
from meterhouse.commands.site import AppliedSite, CheckedSite
from meterhouse.settings import Settings
from stores.readings import open_readings
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.accounting.recomputations import Recomputations
from stores.records.audit import Audit
from stores.records.database import open_records
from stores.records.registry import Registry
from wording.formats import Formats


class Town:
    """A data folder, with the commands and what analytics does beside them."""

    def __init__(self, folder):
        self.folder = folder
        settings = Settings(data=folder)
        self.records, self.store = open_records(settings.records_url), open_readings(settings.store_url)
        self.registry = Registry(self.records)
        self.registry.apply(estate(), by="li", at=datetime(2026, 8, 1, tzinfo=UTC))
        self.store.write(readings())
        RollupWriter(self.store, self.registry.load(), ClosedMonths(self.records)).update(self.store.changes(0).ranges)

    def run(self, *words, ok=True):
        done = self._invoke(words)
        printed = f"{done.output}{done.exception or ''}"
        assert (done.exit_code == 0) is ok, printed
        return printed

    def answer(self, *words, shape):
        """What a program reads: the JSON document on standard output, as the shape that is documented."""
        return msgspec.json.decode(self._invoke((*words, "--json")).stdout, type=shape)

    def _invoke(self, words):
        env = {"METERHOUSE_DATA": str(self.folder)}
        done = copy_context().run(CliRunner().invoke, app, words, env=env)  # how it speaks ends with the command
        assert done.exception is None or isinstance(done.exception, SystemExit | MeterhouseError), done.exception
        return done

    def compute_again(self):
        catalogue = self.registry.load()
        writer = RollupWriter(self.store, catalogue, ClosedMonths(self.records))
        again = Recompute(self.store, writer, catalogue, Recomputations(self.records))
        while again.step(ms("2026-11-20T00:00")):
            pass


@pytest.fixture
def town(tmp_path):
    town = Town(tmp_path)
    yield town
    town.store.close()
    town.records.dispose()


SWAP = (
    "meter",
    "swap",
    "main",
    "--at",
    "2026-09-14 10:30",
    "--serial",
    "B2",
    "--opening",
    "2",
    "--reason",
    "display failed",
)


def test_a_swap_is_noted_computed_again_billed_and_proved(town):
    printed = town.run(*SWAP, "--closing", "580.625", "--by", "wang", "--photo", "photos/b2.jpg")
    assert "added installation main from 2026-09-14T02:30:00+00:00" in printed
    assert "changed meter main: serial 'A1' → 'B2'" in printed
    town.compute_again()
    bill = town.run("account", "report", "--building", "hall", "--month", "2026-09")
    assert "7,200.000 kWh" in bill  # ten an hour for thirty days, as the truth was
    assert "0.000000" in bill
    history = town.run("meter", "history", "main")
    assert all(
        word in history for word in ("A1", "B2", "580.625", "wang", "display failed", "photos/b2.jpg", "beginning")
    )
    assert "B2" in town.run("meter", "list")
    entry = Audit(town.records).entries()[0]
    assert (entry.who, entry.what) == ("wang", "meter.swap")
    again = town.run("account", "recomputations")
    assert all(word in again for word in ("display failed", "done", "2026-09", "7,200.000"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("--closing", "580.6", "--ct", "nan"),
            "--ct: a ratio of nan is impossible (allowed: more than 0",
        ),
        (("--closing", "inf"), "--closing: inf is no number that a register shows"),
        (("--rolls-over-at", "inf"), "--rolls-over-at: inf is no number that a register shows"),
        (("--digits", "2"), "--digits: a register of 2 whole digits is impossible (allowed: 3 to 12)"),
        (("--ct", "60"), "--agent-from: is missing: agent edge-1 multiplies by CT 40, PT 1 until it is restarted"),
        (("--agent-from", "soon"), "--agent-from: 'soon' is no time"),
        (("--at", "2999-01-01 08:00"), "--at: 2999-01-01 08:00 lies in the future (allowed: up to now, 20"),
        (("--at", "soon"), "--at: 'soon' is no time"),
        (("--reason", " "), "--reason: is empty"),
    ],
)
def test_what_a_swap_cannot_say_is_told_by_its_option(town, words, sentence):
    assert sentence in town.run(*SWAP, *words, ok=False)
    assert town.registry.load().installations == ()


def test_an_entry_is_taken_out_as_history_shows_it(town):
    town.run(*SWAP, "--closing", "580.625")
    out = ("meter", "remove-entry", "main", "--reason", "wrong day", "--entry")
    assert "is no entry of the ledger (allowed: 2026-09-14 10:30)" in town.run(*out, "2026-09-19", ok=False)
    assert "is the first of the ledger" in town.run(*out, "1970-01-01T00:00Z", ok=False)
    assert "changed meter main: serial 'B2' → 'A1'" in town.run(*out, "2026-09-14 10:30")
    assert "unknown meter 'nobody'" in town.run("meter", "history", "nobody", ok=False)
    assert "--building: unknown building 'hull' (allowed: hall)" in town.run(
        "meter", "list", "--building", "hull", ok=False
    )


def test_a_wrong_ratio_is_corrected_from_a_date_and_the_agent_is_named(town):
    words = ("--from", "2026-09-21", "--ct", "60", "--reason", "type plate read", "--agent-from", "2026-10-02")
    printed = town.run("meter", "correct", "main", *words)
    assert "agent edge-1 must know it" in printed
    town.run(*SWAP, "--closing", "580.625", ok=False)  # the ledger has gone on since
    town.compute_again()
    days = town.store.read_rollup(
        "usage_1d", {"meter": "main"}, ms("2026-09-19T00:00"), ms("2026-09-23T00:00"), ["qty"]
    )
    assert days[0].fields["qty"].tolist() == pytest.approx([240, 240, 360, 360])
    assert town.registry.load().meter["main"].ct_ratio == 60
    assert "nothing is corrected" in town.run(
        "meter", "correct", "main", "--from", "2026-09-21", "--reason", "r", ok=False
    )


def test_a_swap_to_another_ratio_loses_nothing_while_the_agent_multiplies_by_the_old_one(town):
    printed = town.run(*SWAP, "--closing", "580.625", "--ct", "60", "--agent-from", "2026-10-05 09:00")
    assert "agent edge-1 must know it" in printed
    assert town.registry.load().meter["main"].ct_ratio == 60
    town.compute_again()
    days = town.store.read_rollup(
        "usage_1d", {"meter": "main"}, ms("2026-09-12T00:00"), ms("2026-09-17T00:00"), ["qty"]
    )
    assert days[0].fields["qty"].tolist() == pytest.approx([240, 240, 105 + 13.5 * 15, 360, 360])


def test_a_month_is_closed_once_and_only_when_it_is_over(town, tmp_path):
    close = ("account", "close", "--building", "hall", "--month", "2026-09")
    town.run(*SWAP, "--closing", "580.625")
    refusal = town.run(*close, ok=False)
    assert (
        "hall 2026-09 cannot be closed: main: these figures are to be computed again (main: display failed" in refusal
    )
    assert "note: main: these figures" in town.run("account", "report", "--building", "hall", "--month", "2026-09")
    assert ClosedMonths(town.records).closed() == frozenset()
    town.compute_again()
    future = ("account", "close", "--building", "hall", "--month", "2099-01")
    assert "the month begins on 2099-01-01" in town.run(*future, ok=False)
    assert "is closed with" in town.run(*close)
    assert "--month: the month '9999-12' lies outside" in town.run(*future[:-1], "9999-12", ok=False)
    assert "is closed already" in town.run(*close, ok=False)
    report = ("account", "report", "--building", "hall", "--month", "2026-09")
    assert "closed    20" in town.run(*report)
    file = tmp_path / "bill.csv"
    assert "bill.csv: Hall, 2026-09" in town.run(*report, "--format", "csv", "--out", str(file))
    table = list(csv.reader(file.read_text().splitlines()))
    assert sum(float(row[8]) for row in table if row[0] == "lines" and row[1] == "electricity") == pytest.approx(
        900 * 1.2 + 3_900 * 0.8 + 2_400 * 0.4
    )
    assert "a workbook cannot be printed" in town.run(*report, "--format", "xlsx", ok=False)
    town.run(*report, "--format", "xlsx", "--out", str(tmp_path / "bill.xlsx"))
    assert (tmp_path / "bill.xlsx").read_bytes()[:2] == b"PK"


def test_every_building_is_closed_at_once_and_one_or_all_must_be_said(town):
    close = ("account", "close", "--month", "2026-09")
    for said, why in (((), "is missing"), (("--all", "--building", "hall"), "stands beside --all")):
        assert f"--building: {why} (allowed: a building's id, or --all" in town.run(*close, *said, ok=False)
    assert "hall" in town.run(*close, "--all")
    assert ClosedMonths(town.records).closed() == {("hall", "2026-09")}
    assert "--month: 2026-09 is closed in every building" in town.run(*close, "--all", ok=False)
    assert Audit(town.records).look_through().fault == ""


@pytest.mark.parametrize("month", ["2026-13", "October"])
def test_what_is_no_month_is_told_with_its_option(town, month):
    for command in ("report", "close"):
        refusal = town.run("account", command, "--building", "hall", "--month", month, ok=False)
        assert f"--month: '{month}' is no month, such as 2026-10" in refusal


def test_a_month_that_has_not_begun_has_no_bill_and_is_not_looked_for(town):
    done = town._invoke(("account", "report", "--building", "hall", "--month", "2099-01"))
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr == "the month begins on 2099-01-01; nothing can be known of it yet\n"


@pytest.mark.parametrize("form", [(), ("--json",), ("--format", "csv"), ("--format", "xlsx"), ("--format", "text")])
def test_a_month_of_which_nothing_is_known_has_no_bill_in_any_form(town, tmp_path, form):
    file = tmp_path / "bill.out"
    out = ("--out", str(file)) if "--format" in form else ()
    done = town._invoke(("account", "report", "--building", "hall", "--month", "2025-03", *form, *out))
    assert done.exit_code == 3
    assert "nothing is known of hall in this month" in done.stderr
    assert done.stdout == ""
    assert not file.exists()
    if form == ("--json",):
        assert msgspec.json.decode(done.stderr)["error"]["exit_code"] == 3


def test_a_month_that_lacks_hours_is_closed_only_with_a_reason(town):
    close = ("account", "close", "--building", "hall", "--month", "2026-10")
    refusal = town.run(*close, ok=False)
    assert "hall 2026-10 cannot be closed: electricity, main: missing hours: 720 of 744" in refusal
    assert "--accept-missing: is not given (allowed: why the month is closed all the same)" in refusal
    assert "is closed with" in town.run(*close, "--accept-missing", "the hall was pulled down")
    printed = town.run("account", "report", "--building", "hall", "--month", "2026-10")
    assert "the hall was pulled down" in printed
    bill = town.answer("account", "report", "--building", "hall", "--month", "2026-10", shape=BillAnswer)
    assert bill.accepted_missing == "the hall was pulled down"
    assert [note.stops_closing for note in bill.notes] == [False] * len(bill.notes)
    exported, closed, *_ = Audit(town.records).entries()
    assert (exported.what, closed.detail.endswith("missing accepted: the hall was pulled down")) == ("export", True)


def test_a_stretch_is_computed_again_on_demand_with_a_reason(town):
    words = ("account", "recompute", "--meter", "main", "--reason", "asked for")
    assert "computes it again" in town.run(*words, "--from", "2026-09-01", "--to", "2026-09-03")
    (one,) = Recomputations(town.records).open_ones()
    assert (one.first_ms, one.last_ms) == (ms("2026-09-01T00:00"), ms("2026-09-03T00:00") - 1)
    assert "computes it again" in town.run(*words, "--from", "2026-09-01T00:00+00:00")
    assert Recomputations(town.records).open_ones()[1].first_ms == ms("2026-09-01T08:00")
    empty = (*words[:-1], " ", "--from", "2026-09-01")
    assert "--reason: is empty (allowed: why this is so, in a few words)" in town.run(*empty, ok=False)
    assert "does not come after" in town.run(*words, "--from", "2026-09-03", "--to", "2026-09-03", ok=False)
    assert "has no counter" in town.run(*words[:3], "nobody", *words[4:], "--from", "2026-09-03", ok=False)


@pytest.mark.parametrize(("currency", "cost"), [("JPY", "1,235"), ("KWD", "1,234.568"), ("CLF", "1,234.5679")])
def test_costs_of_recomputations_have_the_decimals_of_their_currency(currency, cost):
    month = MonthAgain("2026-09", 7_200.0, None, 1_234.56789, None)
    again = RecomputationAnswer(
        at("2026-10-01"), "li", "r", ["p"], at("2026-09-01"), at("2026-10-01"), "done", None, [month]
    )
    printed = recomputations_table([again], Formats("en", "Asia/Tokyo", currency)).splitlines()[-1]
    assert printed.split()[-4:] == ["7,200.000", "–", cost, "–"]


def test_what_a_person_should_know_of_an_estate_is_a_warning(town, tmp_path):
    file = tmp_path / "site.yaml"
    file.write_text(SITE.replace("ct_ratio: 40", "ct_ratio: 60"))
    assert "warning: no notice of moved workdays is known for 2027" in town.run("site", "check", str(file))
    printed = town.run("site", "apply", str(file), "--dry-run")
    assert "changed meter main: ct_ratio 40.0 → 60.0" in printed
    assert "warning: main changes its device without saying since when" in printed
    assert town.registry.load().meter["main"].ct_ratio == 40
    assert "--agent: unknown agent 'edge-9' (allowed: edge-1)" in town.run(
        "site", "export", "--agent", "edge-9", ok=False
    )


def test_ledgers_are_answered_to_a_program(town):
    (meter,) = town.answer("meter", "list", shape=MetersNow).meters
    assert (meter.meter, meter.serial, meter.ct_ratio, meter.rolls_over_at, meter.entries) == (
        "main",
        "A1",
        40,
        None,
        1,
    )
    town.run(*SWAP, "--closing", "580.625", "--ct", "60", "--agent-from", "never")
    first, second = town.answer("meter", "history", "main", shape=MeterLedger).entries
    assert (first.since, first.serial, first.closing) == (None, "A1", None)
    assert (second.since, second.closing, second.opening) == (at("2026-09-14T10:30"), 580.625, 2)
    assert (second.ct_ratio, second.told_ct_ratio, second.photo) == (60, 40, None)


def test_bills_and_recomputations_are_answered_to_a_program(town):
    report = ("account", "report", "--building", "hall", "--month", "2026-09")
    bill = town.answer(*report, "--language", "zh-Hans", shape=BillAnswer)
    (electricity,) = bill.utilities
    assert [line.what for line in electricity.lines] == ["peak", "flat", "valley"]
    assert sum(line.amount for line in electricity.lines) == bill.total
    assert (bill.closed_at, bill.notes) == (None, [])
    assert town.answer("account", "recomputations", shape=RecomputationsAnswer).recomputations == []
    town.run(*SWAP, "--closing", "580.625")
    note = town.answer(*report, shape=BillAnswer).notes[0]
    assert (note.remark, note.stops_closing) == (RemarkKind.TO_BE_COMPUTED_AGAIN, True)
    town.compute_again()
    (again,) = town.answer("account", "recomputations", shape=RecomputationsAnswer).recomputations
    assert (again.state, again.start, again.points) == ("done", at("2026-09-14T10:30"), ["main/energy_import/total"])
    assert (again.months[0].month, again.months[0].use_after) == ("2026-09", 7_200)
    assert "--json: stands beside --format or --out" in town.run(*report, "--json", "--format", "csv", ok=False)


def test_a_document_and_its_differences_are_answered_to_a_program(town, tmp_path):
    file = tmp_path / "site.yaml"
    with_radio = SITE.replace("]}]", ', {id: radio, url: "mqtt://127.0.0.1"}]}]', 1)
    file.write_text(with_radio)
    town.run("site", "apply", str(file))
    file.write_text(with_radio.replace("name: Hall", "name: Great hall").replace("mqtt://", "mqtt://li:secret@"))
    assert town.answer("site", "check", str(file), shape=CheckedSite).meters == 1
    stored = town.registry.load()
    edited = replace(stored, buildings=(replace(stored.buildings[0], floor_area_m2=1200.0),))
    town.registry.edit(edited, based_on=town.registry.version(), by="kim", at=datetime.now(UTC))
    dry = town.answer("site", "apply", str(file), "--dry-run", shape=AppliedSite)
    found = {(one.change.what, one.change.field): one for one in dry.differences}
    assert found["building", "name_en"].change.after == "Great hall"
    assert found["building", "name_en"].undoes is None
    assert found["building", "floor_area_m2"].undoes.after == 1200
    assert found["bus", "url"].change.after == "mqtt://li@127.0.0.1?password_env=METERHOUSE_PASSWORD_RADIO"
    assert dry.applied is False
    assert town.answer("site", "apply", str(file), "--accept", shape=AppliedSite).applied is True
    assert town.answer("site", "apply", str(file), shape=AppliedSite) == AppliedSite([], applied=False)


def test_commands_speak_the_readers_language(town, tmp_path):
    (tmp_path / "site.yaml").write_text(SITE.replace("name: Hall", "name: Great hall"))
    chinese = ("--language", "zh-Hans")
    assert "楼宇  表计" in town.run("meter", "list", *chinese)
    assert "变更 meter main：serial 'A1' → 'B2'" in town.run(*SWAP, "--closing", "580.625", *chinese)
    assert "建账前已安装" in town.run("meter", "history", "main", *chinese)
    assert "警告：尚无 2027 年的调休通知" in town.run("site", "check", str(tmp_path / "site.yaml"), *chinese)
    assert "[将撤销一处修改：" in town.run("site", "apply", str(tmp_path / "site.yaml"), "--dry-run", *chinese)
    assert "待重算" in town.run("account", "recomputations", *chinese)
    report = town.run("account", "report", "--building", "hall", "--month", "2026-09", *chinese)
    assert "电费" in report
    assert "高峰" in report
