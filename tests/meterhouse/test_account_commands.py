"""The ledger and the bill from the command line, on an estate with two months of readings."""

import csv
from datetime import UTC, datetime

import numpy as np
import pytest
from typer.testing import CliRunner

from accounting.local_time import HOUR_MS
from analytics.rollups.recompute import Recompute
from analytics.rollups.writer import RollupWriter
from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.errors import ConfigError
from facility.model import ReadingBatch
from meterhouse.cli import app
from meterhouse.settings import Settings
from stores.readings import open_readings
from stores.records.accounts import Accounts
from stores.records.audit import Audit
from stores.records.database import open_records
from stores.records.recomputations import Recomputations
from stores.records.registry import Registry

POINT = "main/energy_import/total"
SITE = """\
version: 1
site:
  id: town
  name: Town
  timezone: Asia/Shanghai
  currency: CNY
  holidays: {country: CN}
  tariffs:
    - id: five
      utility: electricity
      valid_from: 2026-01-01
      basis: notice 1093
      prices: {peak: 1.2, flat: 0.8, valley: 0.4}
      otherwise: flat
      rules:
        - {period: peak, slots: ["08:00-11:00"]}
        - {period: valley, slots: ["22:00-06:00"]}
buildings: [{id: hall, name: Hall}]
agents: [{id: edge-1, buses: [{id: b, url: "modbus+tcp://127.0.0.1:502"}]}]
meters:
  - {id: main, name: Main, building: hall, profile: acrel/adl3000-e, agent: edge-1, bus: b, unit: 1,
     utility: electricity, role: head, serial: A1, ct_ratio: 40, points: [{quantity: energy_import}]}
"""


def ms(text):
    return round(datetime.fromisoformat(f"{text}+08:00").timestamp() * 1000)


SWAP_MS = ms("2026-09-14T10:30")


class Town:
    """A data folder, with the commands and what analytics does beside them."""

    def __init__(self, folder):
        self.folder = folder
        settings = Settings(data=folder)
        self.records, self.store = open_records(settings.records_url), open_readings(settings.store_url)
        self.registry = Registry(self.records)
        self.registry.apply(load_site(SITE, "site.yaml", load_profiles()), by="li", at=datetime(2026, 8, 1, tzinfo=UTC))
        t_ms = np.arange(ms("2026-09-01T00:00"), ms("2026-10-02T00:00") + 1, HOUR_MS)
        face = np.where(t_ms < SWAP_MS, 500 + (t_ms - t_ms[0]) / HOUR_MS / 4, 2 + (t_ms - SWAP_MS) / HOUR_MS / 4)
        self.store.write(ReadingBatch([POINT], [0] * len(t_ms), t_ms.tolist(), (40 * face).tolist()))
        RollupWriter(self.store, self.registry.load(), Accounts(self.records)).update(self.store.changes(0).ranges)

    def run(self, *words, ok=True):
        done = CliRunner().invoke(app, words, env={"METERHOUSE_DATA": str(self.folder)})
        assert done.exception is None or isinstance(done.exception, SystemExit | ConfigError), done.exception
        told = f"{done.output}{done.exception or ''}"
        assert (done.exit_code == 0) is ok, told
        return told

    def compute_again(self):
        catalogue = self.registry.load()
        writer = RollupWriter(self.store, catalogue, Accounts(self.records))
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
    told = town.run(*SWAP, "--closing", "580.625", "--by", "wang", "--photo", "photos/b2.jpg")
    assert "added installation main from 2026-09-14T02:30:00+00:00" in told
    assert "changed meter main: serial 'A1' → 'B2'" in told
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
    ("words", "told"),
    [
        (("--closing", "77"), "closing read 77 is below what the old register had shown before (580.5)"),
        (("--closing", "580.6", "--ct", "-40"), "a ratio of -40 is impossible"),
        (("--closing", "580.6", "--ct", "nan"), "--ct: a ratio of nan is impossible"),
        (("--closing", "inf"), "--closing: inf is no number that a register shows"),
        (("--rolls-over-at", "inf"), "--rolls-over-at: inf is no number that a register shows"),
        (("--closing", "580.6", "--digits", "2"), "greater than or equal to 3"),
    ],
)
def test_a_swap_that_cannot_be_leaves_nothing_behind(town, words, told):
    assert told in town.run(*SWAP, *words, ok=False)
    assert town.registry.load().installations == ()
    assert Recomputations(town.records).open_ones() == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("--closing", "900580"),
            "closing read 900580 is above what the old register can have reached: it had shown 580.5",
        ),
        (
            ("--closing", "580.6", "--opening", "3"),
            "opening read 3 is above what the new register first showed (2.125)",
        ),
        (("--closing", "580.6", "--opening", "3", "--digits", "4"), "opening read 3 is above"),
    ],
)
def test_a_read_that_its_neighbours_contradict_is_refused(town, words, told):
    assert told in town.run(*SWAP, *words, ok=False)
    assert town.registry.load().installations == ()


def test_a_register_that_rolled_over_since_its_opening_read_is_believed(town):
    town.run(*SWAP, "--closing", "580.625", "--digits", "4", "--opening", "9999.9")


def test_a_register_cannot_have_grown_faster_than_its_feeder_delivers(town):
    site = SITE.replace("ct_ratio: 40,", "ct_ratio: 40, most_per_hour: 40,")
    town.registry.apply(load_site(site, "site.yaml", load_profiles()), by="li", at=datetime(2026, 8, 2, tzinfo=UTC))
    assert "is too far below what the new register first showed" in town.run(
        *SWAP, "--closing", "580.625", "--opening", "0.5", ok=False
    )
    assert "its feeder can deliver 0.75 up to then" in town.run(*SWAP, "--closing", "581.5", ok=False)
    town.run(*SWAP, "--closing", "581.2")


def test_an_estate_whose_reads_contradict_the_readings_is_not_applied(town, tmp_path):
    said = "reason: r, by: li"
    swap = f"{{since: 2026-09-14 10:30, serial: B2, ct_ratio: 40, closing: 77, opening: 2, {said}}}"
    ledger = f"installations: [{{since: 2026-01-01, serial: A1, ct_ratio: 40, {said}}}, {swap}]"
    file = tmp_path / "site.yaml"
    file.write_text(SITE.replace("serial: A1, ct_ratio: 40", ledger))
    told = town.run("site", "apply", str(file), ok=False)
    assert "closing read 77 is below what the old register had shown before (580.5)" in told
    assert town.registry.load().installations == ()
    file.write_text(file.read_text().replace("closing: 77", "closing: 580.625"))
    whole = file.read_text()
    file.write_text(whole.replace("since: 2026-09-14 10:30", "since: 2999-09-14 10:30"))
    told = town.run("site", "apply", str(file), ok=False)
    assert "main, entry from 2999-09-14 02:30 UTC: lies in the future" in told
    assert town.registry.load().meter["main"].serial == "A1"
    file.write_text(whole)
    town.run("site", "apply", str(file))
    assert len(town.registry.load().installations) == 2


def test_a_second_swap_before_the_first_and_an_unknown_meter_are_refused(town):
    town.run(*SWAP, "--closing", "580.625")
    early = tuple("2026-09-13 10:30" if word.startswith("2026") else word for word in SWAP)
    assert "lies before the present device was installed" in town.run(*early, ok=False)
    assert "unknown meter 'nobody'" in town.run("meter", "history", "nobody", ok=False)
    assert "is no time" in town.run("meter", "swap", "main", "--at", "soon", "--reason", "r", ok=False)
    assert "is empty" in town.run("meter", "swap", "main", "--at", "2026-09-20", "--reason", " ", ok=False)


def test_a_swap_in_the_future_is_refused(town):
    late = tuple("2999-01-01 08:00" if word.startswith("2026") else word for word in SWAP)
    assert "--at: 2999-01-01 08:00 lies in the future (allowed: up to now, 20" in town.run(*late, ok=False)
    words = ("meter", "correct", "main", "--from", "2999-01-01", "--serial", "B2", "--reason", "r")
    assert "--from: 2999-01-01 00:00 lies in the future" in town.run(*words, ok=False)
    assert town.registry.load().meter["main"].serial == "A1"


def test_a_swap_under_a_wrong_date_is_taken_out_and_noted_under_the_right_one(town):
    wrong = tuple("2026-09-20 10:30" if word.startswith("2026") else word for word in SWAP)
    town.run(*wrong)
    town.compute_again()
    assert "take it out first: meterhouse meter remove-entry" in town.run(*SWAP, ok=False)
    out = ("meter", "remove-entry", "main", "--reason", "wrong day", "--by", "wang", "--entry")
    assert "is no entry of the ledger (allowed: 2026-09-20 02:30:00 UTC)" in town.run(*out, "2026-09-19", ok=False)
    assert "is the first of the ledger" in town.run(*out, "1970-01-01T00:00Z", ok=False)
    told = town.run(*out, "2026-09-20 10:30")
    assert "changed meter main: serial 'B2' → 'A1'" in told
    entry = Audit(town.records).entries()[0]
    assert (entry.who, entry.what) == ("wang", "meter.remove-entry")
    assert "wrong day" in entry.detail
    (one,) = Recomputations(town.records).open_ones()
    assert one.first_ms == ms("2026-09-20T10:30")
    town.run(*SWAP, "--closing", "580.625")
    town.compute_again()
    assert "7,200.000 kWh" in town.run("account", "report", "--building", "hall", "--month", "2026-09")


def test_a_wrong_ratio_is_corrected_from_a_date_and_the_agent_is_named(town):
    words = ("--from", "2026-09-21", "--ct", "60", "--reason", "type plate read", "--agent-from", "2026-10-02")
    told = town.run("meter", "correct", "main", *words)
    assert "agent edge-1 must know it" in told
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


def test_a_correction_writes_nothing_that_site_check_refuses_and_keeps_who_noted_the_entry(town, tmp_path):
    town.run(*SWAP, "--closing", "580.625", "--by", "wang")
    correct = ("meter", "correct", "main", "--from", "2026-09-14 10:30", "--reason", "photo read again", "--by", "li")
    assert "serial 'A1' hung there before" in town.run(*correct, "--serial", "A1", ok=False)
    assert "opening read 2000 is more than the register holds" in town.run(
        *correct, "--digits", "3", "--opening", "2000", ok=False
    )
    assert "the first installation closes nothing" in town.run(
        *correct[:4], "2026-09-01", *correct[5:], "--closing", "4", ok=False
    )
    town.run(*correct, "--digits", "5")
    town.run(*correct, "--rolls-over-at", "65536")
    swap = town.registry.load().installations[1]
    assert (swap.digits, swap.rolls_over_at, swap.reason, swap.by) == (None, 65536, "display failed", "wang")
    entry = Audit(town.records).entries()[0]
    assert (entry.who, entry.what) == ("li", "meter.correct")
    assert "photo read again" in entry.detail
    file = tmp_path / "site.yaml"
    file.write_text(town.run("site", "export"))
    assert "nothing to change" in town.run("site", "apply", str(file))


def test_a_ratio_changes_only_with_a_word_on_when_the_agent_knows_it(town):
    correct = ("meter", "correct", "main", "--from", "2026-09-21", "--ct", "60", "--reason", "type plate read")
    for words in (correct, (*SWAP, "--closing", "580.625", "--ct", "60")):
        told = town.run(*words, ok=False)
        assert "--agent-from: is missing: agent edge-1 multiplies by CT 40, PT 1 until it is restarted" in told
        assert "never, if it keeps the old ratio" in told
    assert town.registry.load().installations == ()
    told = town.run(*correct, "--agent-from", "never")
    assert "must know it" not in told
    assert town.registry.load().meter["main"].ct_ratio == 40  # what the agent's extract says


def test_a_restart_that_came_at_another_time_than_planned_is_put_right(town):
    correct = ("meter", "correct", "main", "--from", "2026-09-21", "--ct", "60", "--reason", "r", "--agent-from")
    town.run(*correct, "2999-01-01 08:00")
    assert town.registry.load().meter["main"].ct_ratio == 60
    town.run("meter", "remove-entry", "main", "--entry", "2999-01-01 08:00", "--reason", "restarted earlier")
    assert town.registry.load().meter["main"].ct_ratio == 40
    town.run(*correct, "2026-11-01 08:00")
    told = [(one.ct_ratio, one.told_ct_ratio) for one in town.registry.load().installations]
    assert told == [(40, None), (60, 40), (60, None)]
    assert "the ledger already says so" in town.run(*correct, "2026-11-01 08:00", ok=False)


def test_a_swap_to_another_ratio_loses_nothing_while_the_agent_multiplies_by_the_old_one(town):
    told = town.run(*SWAP, "--closing", "580.625", "--ct", "60", "--agent-from", "2026-10-05 09:00")
    assert "agent edge-1 must know it" in told
    assert town.registry.load().meter["main"].ct_ratio == 60
    town.compute_again()
    days = town.store.read_rollup(
        "usage_1d", {"meter": "main"}, ms("2026-09-12T00:00"), ms("2026-09-17T00:00"), ["qty"]
    )
    assert days[0].fields["qty"].tolist() == pytest.approx([240, 240, 105 + 13.5 * 15, 360, 360])


def test_a_swap_to_a_ratio_that_the_counters_do_not_know_is_refused(town):
    site = SITE.replace("acrel/adl3000-e", "schneider/iem3155")
    town.registry.apply(load_site(site, "site.yaml", load_profiles()), by="li", at=datetime(2026, 8, 2, tzinfo=UTC))
    told = town.run(*SWAP, "--closing", "580.625", "--ct", "60", "--agent-from", "never", ok=False)
    assert "its counters show primary values" in told


def test_a_month_is_closed_once_and_only_when_it_is_over(town, tmp_path):
    close = ("account", "close", "--building", "hall", "--month", "2026-09")
    town.run(*SWAP, "--closing", "580.625")
    told = town.run(*close, ok=False)
    assert "hall 2026-09 cannot be closed: main: these figures are to be computed again (main: display failed" in told
    assert "note: main: these figures" in town.run("account", "report", "--building", "hall", "--month", "2026-09")
    assert Accounts(town.records).closed() == frozenset()
    town.compute_again()
    future = ("account", "close", "--building", "hall", "--month", "2099-01")
    assert "is not over before" in town.run(*future, ok=False)
    assert "is closed with" in town.run(*close)
    assert "the month '9999-12' lies outside" in town.run(*future[:-1], "9999-12", ok=False)
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


def test_a_year_without_a_notice_of_moved_workdays_is_warned_of(town, tmp_path):
    file = tmp_path / "site.yaml"
    file.write_text(SITE)
    assert "no notice of moved workdays is known for 2027" in town.run("site", "check", str(file))
    notice = "{country: CN, notices: [{year: 2027, basis: n, workdays: [2027-02-06]}]}"
    file.write_text(SITE.replace("{country: CN}", notice))
    assert "2027" not in town.run("site", "check", str(file))


def test_a_device_that_changes_without_a_date_is_warned_of(town, tmp_path):
    file = tmp_path / "site.yaml"
    file.write_text(SITE.replace("ct_ratio: 40", "ct_ratio: 60"))
    told = town.run("site", "apply", str(file), "--dry-run")
    assert "changed meter main: ct_ratio 40.0 → 60.0" in told
    assert "main changes its device without saying since when" in told
    said = "reason: r, by: li"
    ledger = f"{{since: 2026-01-01, serial: A1, ct_ratio: 40, {said}}}"
    ledger += f", {{since: 2026-09-20, ct_ratio: 60, continues: true, {said}}}"
    dated = f"installations: [{ledger}]"
    file.write_text(SITE.replace("serial: A1, ct_ratio: 40", dated))
    assert "without saying since when" not in town.run("site", "apply", str(file), "--dry-run")


def test_a_notice_may_be_a_file_of_its_own_beside_the_estate(town, tmp_path):
    folder = tmp_path / "estate" / "calendar" / "CN"
    folder.mkdir(parents=True)
    site, notice = tmp_path / "estate" / "site.yaml", folder / "2027.yaml"
    site.write_text(SITE)
    notice.write_text("basis: notice of 2026-11\nworkdays: [2027-02-06]\ndays_off: [2027-02-05]\n")
    assert "2027" not in town.run("site", "check", str(site))
    assert "added notice 2027" in town.run("site", "apply", str(site))
    assert town.registry.load().site.notices[0].basis == "notice of 2026-11"
    assert {one.reason for one in Recomputations(town.records).open_ones()} == set()  # 2027 has not begun
    notice.write_text("basis: b\nworkdays: [2026-02-06]\n")
    assert "2027.yaml:2: 2026-02-06 is not in 2027" in town.run("site", "check", str(site), ok=False)
    notice.rename(folder / "next.yaml")
    assert "one file a year" in town.run("site", "check", str(site), ok=False)
