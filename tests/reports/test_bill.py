"""A month's bill: lines that add up to the cent, what was measured, the proof by registers, the same in every file."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from python_calamine import CalamineWorkbook
from rigs.billed_hall import (
    EN,
    LATER,
    POINT,
    QUARTER,
    ZONE,
    amounts,
    bill_of,
    estate,
    made,
    ms,
    sentences,
    steady,
    stored,
)
from rigs.rich_bill import FIVE

from accounting.dirty import Dirty
from accounting.local_time import HOUR_MS
from accounting.spells import NoSpells, Outcome, Spell, SpellsInMemory
from analytics.rollups.writer import RollupWriter
from facility.errors import ConfigError
from facility.ledger.installation import Installation, first_installation, swapped
from facility.model import Price, ReadingBatch
from facility.quantities import Utility
from facility.tariff import PERIODS, Capacity, Demand, Period, Step, Tariff, TariffRule, Tiers
from reports.bill import BILL, HandedIn
from reports.bill_files import bill_csv, bill_xlsx
from reports.billing import make_bill
from reports.closing import close_month
from reports.lines import round_together
from stores.readings.memory import MemoryStore
from stores.readings.port import RollupSeries
from stores.records.accounting.recomputations import Recomputations


def test_a_month_of_five_tiers_by_hand(books):
    bill = bill_of(estate(FIVE), books, steady())
    # 31 days of 12 kWh an hour: sharp half an hour, peak 6.5 h, valley 8 h, flat 9 h; 7 days of the National Day
    # holiday have a deep hour instead of a flat one
    assert amounts(bill) == {
        "sharp": (Decimal("186.000"), Decimal("297.60")),
        "peak": (Decimal("2418.000"), Decimal("2901.60")),
        "flat": (Decimal("3264.000"), Decimal("2611.20")),
        "valley": (Decimal("2976.000"), Decimal("1190.40")),
        "deep": (Decimal("84.000"), Decimal("16.80")),
    }
    assert bill.total == Decimal("7017.60")
    (electricity,) = bill.utilities
    assert electricity.quantity == Decimal("8928.000")
    assert electricity.counted == Decimal("8928.000")
    assert electricity.residual == 0
    assert (electricity.shares.measured_h, electricity.shares.missing_h) == (pytest.approx(744), 0)
    assert {line.basis for line in electricity.lines} == {"notice 1093"}


def test_lines_add_up_to_the_total_whatever_is_rounded(books):
    rng = np.random.default_rng(5)
    t_ms, _ = steady()
    odd = tuple(
        (period, price) for period, price in zip(PERIODS, (1.23457, 0.98761, 0.65433, 0.33337, 0.11119), strict=True)
    )
    bill = bill_of(estate(replace(FIVE, prices=odd)), books, (t_ms, 500 + np.cumsum(rng.random(len(t_ms)) / 3)))
    (electricity,) = bill.utilities
    assert sum(line.amount for line in electricity.lines) == electricity.amount == bill.total
    assert sum(line.quantity for line in electricity.lines) == electricity.quantity
    for line in electricity.lines:
        assert line.amount == (line.quantity * line.price).quantize(Decimal("0.01"), "ROUND_HALF_UP")


def test_rounding_together_loses_nothing():
    parts = round_together([1 / 3, 1 / 3, 1 / 3])
    assert sum(parts) == Decimal("1.000")
    assert round_together([]) == []


def test_yesterday_is_billed_by_yesterdays_tariff(books):
    old = Price(Utility.ELECTRICITY, 0.5, date(2026, 1, 1), "contract 1")
    bill = bill_of(estate(replace(FIVE, valid_from=date(2026, 10, 11)), prices=(old,)), books, steady())
    lines = bill.utilities[0].lines
    assert (lines[0].tariff, lines[0].quantity, lines[0].amount) == ("flat-electricity", 2880, 1440)
    assert sum(line.quantity for line in lines if line.tariff == "five") == 21 * 24 * 12
    assert bill.total == sum(line.amount for line in lines)


def test_a_swap_and_an_outage_of_12_hours_conserve(books):
    catalogue = estate(FIVE)
    at = datetime(2026, 10, 14, 10, 30, tzinfo=ZONE)
    new = Installation("main", at.astimezone(UTC), "B2", opening=3.0, closing=4_870.0)
    history = swapped((replace(first_installation(catalogue.meters[0]), serial="A1"),), new)
    catalogue = replace(catalogue, installations=history)
    t_ms, x = steady()
    swap_ms = round(at.timestamp() * 1000)
    x = np.where(t_ms <= swap_ms, x, 3.0 + (t_ms - swap_ms) / HOUR_MS * 12)
    heard = (t_ms < ms("2026-10-20T06:00")) | (t_ms > ms("2026-10-20T18:00"))
    bill = bill_of(catalogue, books, (t_ms[heard], x[heard]))
    (electricity,) = bill.utilities
    assert electricity.quantity == electricity.counted == Decimal("8928.000")
    assert electricity.residual == 0
    first, second = electricity.registers
    assert (first.serial, first.opening, first.closing, first.counted) == ("A1", 1_000, 4_870, pytest.approx(3_870))
    assert (second.serial, second.opening, second.counted) == ("B2", 3, pytest.approx(5_058))
    assert [line.events for line in electricity.registers] == pytest.approx([0, 0], abs=1e-6)
    assert electricity.shares.estimated_h == pytest.approx(12.5)
    assert electricity.shares.estimated_quantity == Decimal("150.000")


def test_a_silence_over_the_months_end_is_split_and_still_conserves(books):
    catalogue = estate(FIVE)
    t_ms, x = steady("2026-09-10T00:00", "2026-11-02T00:00")
    local_hour = ((t_ms + 8 * HOUR_MS) // HOUR_MS) % 24
    x = 700 + np.cumsum(np.where((local_hour >= 8) & (local_hour < 18), 5.0, 1.0))
    heard = (t_ms < ms("2026-10-31T15:20")) | (t_ms > ms("2026-11-01T06:10"))
    store = stored(catalogue, (t_ms[heard], x[heard]))
    october, november = (made(store, catalogue, books, month) for month in ("2026-10", "2026-11"))
    assert october.utilities[0].residual == november.utilities[0].residual == 0
    assert october.utilities[0].registers[0].estimated
    whole = x[-1] - x[np.searchsorted(t_ms, ms("2026-10-01T00:00"))]
    assert float(october.utilities[0].counted + november.utilities[0].counted) == pytest.approx(whole, abs=0.002)


def daytime_load(t_ms, zone):
    hours = (t_ms / HOUR_MS + datetime.fromtimestamp(t_ms[0] / 1000, zone).utcoffset().total_seconds() / 3600) % 24
    return 700 + np.cumsum(np.where((hours >= 8) & (hours < 18), 5.0, 1.0))


def test_a_silence_over_the_months_end_conserves_in_a_zone_half_an_hour_off(books):
    zone, catalogue = ZoneInfo("Asia/Kolkata"), estate(FIVE)
    catalogue = replace(catalogue, site=replace(catalogue.site, timezone="Asia/Kolkata"))
    first, began, ended, last = (
        round(datetime(2026, *at, tzinfo=zone).timestamp()) * 1000
        for at in ((9, 25), (10, 31, 21, 40), (11, 1, 6), (11, 5))
    )
    t_ms = np.arange(first, last, HOUR_MS // 6)
    heard = (t_ms <= began) | (t_ms > ended)
    store = stored(catalogue, (t_ms[heard], daytime_load(t_ms, zone)[heard]))
    bills = [made(store, catalogue, books, month) for month in ("2026-10", "2026-11")]
    assert [bill.utilities[0].residual for bill in bills] == [0, 0]
    assert bills[0].utilities[0].registers[-1].estimated


def test_two_silences_that_meet_in_one_hour_over_the_months_end_conserve(books):
    end, catalogue = ms("2026-11-01T00:00"), estate(FIVE)
    t_ms = np.arange(ms("2026-09-25T00:00"), ms("2026-11-05T00:00"), HOUR_MS // 12)
    hours = (t_ms - end) / HOUR_MS
    heard = ~(((hours > -9) & (hours < -4.8)) | ((hours > -4.5) & (hours < 5)))
    store = stored(catalogue, (t_ms[heard], daytime_load(t_ms, ZONE)[heard]))
    bills = [made(store, catalogue, books, month) for month in ("2026-10", "2026-11")]
    assert [bill.utilities[0].residual for bill in bills] == [0, 0]


def test_a_meter_read_every_few_hours_off_the_hour_is_proved_by_its_registers(books):
    t_ms = np.arange(ms("2026-09-25T00:20"), ms("2026-11-05T00:00"), 5 * HOUR_MS)
    store = stored(estate(FIVE), (t_ms, daytime_load(t_ms, ZONE)))
    bill = made(store, estate(FIVE), books)
    assert bill.utilities[0].residual == 0
    tags = {"meter": "main", "quantity": "energy_import"}
    (lost,) = store.read_rollup("usage_1h", tags, ms("2026-10-10T00:00"), ms("2026-10-11T00:00"))
    valley = np.nan_to_num(lost.fields["qty_valley"])
    less = {"qty": lost.fields["qty"] - valley, "qty_valley": 0 * valley}
    store.write_rollup("usage_1h", [RollupSeries(lost.tags, lost.t_ms, less)])
    assert made(store, estate(FIVE), books).utilities[0].residual > 1


def test_a_register_that_rolls_over_is_told(books):
    catalogue = estate(FIVE)
    catalogue = replace(catalogue, meters=(replace(catalogue.meters[0], digits=4),))
    t_ms, x = steady(begin=5_000)
    bill = bill_of(catalogue, books, (t_ms, x % 10_000))
    (line,) = bill.utilities[0].registers
    assert (line.opening, line.closing) == (5_000, pytest.approx(3_928))
    assert line.counted == pytest.approx(8_928)
    assert line.events == pytest.approx(10_000)


def test_missing_hours_are_counted_and_never_billed(books):
    bill = bill_of(estate(FIVE), books, steady("2026-10-11T00:00"))
    shares = bill.utilities[0].shares
    assert (shares.missing_h, shares.measured_h) == (240, pytest.approx(504))
    assert bill.utilities[0].quantity == 504 * 12
    assert shares.share(shares.missing_h) == pytest.approx(0.3226)
    assert sentences(bill.notes) == ["electricity: missing hours: 240; they are not billed"]
    empty = made(MemoryStore(), estate(FIVE), books)
    assert (empty.total, empty.utilities[0].shares.missing_h, empty.utilities[0].registers) == (0, 744, ())


def test_a_register_that_never_moves_is_named(books):
    t_ms, _ = steady()
    bill = bill_of(estate(FIVE), books, (t_ms, np.full(len(t_ms), 812.5)))
    assert bill.total == 0
    (note,) = sentences(bill.notes)
    assert note.startswith("main: the register stood at 812.5 kWh from 2026-10-01 to 2026-10-31;")
    assert bill_of(estate(FIVE), books, steady()).notes == ()


def test_a_register_that_stands_still_for_a_part_of_the_month_is_named(books):
    t_ms, x = steady()
    stuck = bill_of(estate(FIVE), books, (t_ms, np.minimum(x, 1_288)))  # from the second day on
    (note,) = sentences(stuck.notes)
    assert note.startswith("main: the register stood at 1,288 kWh from 2026-10-02 to 2026-10-31; is nothing used")
    away = (t_ms > ms("2026-10-05T00:00")) & (t_ms <= ms("2026-10-12T06:00"))
    short = (t_ms > ms("2026-10-20T00:00")) & (t_ms <= ms("2026-10-26T00:00"))
    used = 1_000 + np.cumsum(np.where(away | short, 0.0, 3.0))
    (note,) = sentences(bill_of(estate(FIVE), books, (t_ms, used)).notes)
    assert "from 2026-10-05 to 2026-10-12;" in note


def test_days_without_a_price_are_named_and_cost_nothing(books):
    bill = bill_of(estate(replace(FIVE, valid_from=date(2026, 10, 3))), books, steady())
    assert bill.utilities[0].unpriced_days == (date(2026, 10, 1), date(2026, 10, 2))
    assert sum(line.quantity for line in bill.utilities[0].lines) == 29 * 24 * 12


def test_tiers_of_a_year_go_on_from_the_months_before(books):
    tiers = Tiers("year", (Step(10_000, 0.05), Step(15_000, 0.30)))
    flat = Tariff("t", Utility.ELECTRICITY, date(2026, 1, 1), "b", ((Period.FLAT, 0.5),), (), Period.FLAT, tiers=tiers)
    bill = bill_of(estate(flat), books, steady("2026-09-01T00:00", "2026-11-01T00:00"))
    # September used 8,640; October's 8,928 reach 17,568
    assert amounts(bill) == {
        "flat": (Decimal("8928.000"), Decimal("4464.00")),
        "tier_2": (Decimal("5000.000"), Decimal("250.00")),
        "tier_3": (Decimal("2568.000"), Decimal("770.40")),
    }
    monthly = replace(flat, tiers=Tiers("month", (Step(8_000, 0.1),)))
    assert amounts(bill_of(estate(monthly), books, steady()))["tier_2"] == (Decimal("928.000"), Decimal("92.80"))


def test_tiers_of_a_year_count_months_in_which_the_meter_was_no_head_yet(books):
    tiers = Tiers("year", (Step(10_000, 0.05),))
    flat = Tariff("t", Utility.ELECTRICITY, date(2026, 1, 1), "b", ((Period.FLAT, 0.5),), (), Period.FLAT, tiers=tiers)
    store = stored(estate(flat), steady("2026-09-01T00:00", "2026-11-01T00:00"))
    september = (ms("2026-09-01T00:00"), ms("2026-10-01T00:00"))
    (rows,) = store.read_rollup("usage_1d", {"meter": "main"}, *september)
    store.delete_rollup("usage_1d", rows.tags, *september)
    store.write_rollup("usage_1d", [replace(rows, tags={**rows.tags, "role": "sub"})])
    bill = made(store, estate(flat), books)
    assert amounts(bill)["tier_2"] == (Decimal("7568.000"), Decimal("378.40"))


def test_two_parts_capacity_demand_and_what_is_above_it(books):
    t_ms, x = steady()
    peak = (t_ms >= ms("2026-10-12T10:00")) & (t_ms < ms("2026-10-12T10:15"))
    x = x + np.cumsum(np.roll(peak, 1) * 22.0)  # a quarter of 25 kWh: 100 kW
    two = replace(FIVE, capacity=Capacity(630, 20.0), demand=Demand(38.0, declared_kw=80), fixed_per_month=15)
    found = amounts(bill_of(estate(two), books, (t_ms, x)))
    assert found["capacity"] == (630, Decimal("12600.00"))
    assert found["demand"] == (80, Decimal("3040.00"))
    assert found["demand_above"] == (16, Decimal("1216.00"))
    assert found["fixed"] == (1, Decimal("15.00"))
    measured = replace(FIVE, demand=Demand(38.0))
    assert amounts(bill_of(estate(measured), books, (t_ms, x)))["demand"] == (100, Decimal("3800.00"))


def test_demand_is_the_peak_of_all_head_meters_together_not_the_sum_of_their_peaks(books):
    t_ms, _ = steady()
    points = (POINT, "side/energy_import/total")
    turns = [np.where(np.arange(len(t_ms)) % 2 == k, 25.0, 0.0) for k in range(2)]  # 100 kW in every other quarter
    columns = [(t_ms, 1_000 + np.cumsum(turn)) for turn in turns]
    bill = bill_of(estate(replace(FIVE, demand=Demand(40.0)), heads=2), books, *columns, points=points)
    assert amounts(bill)["demand"] == (100, Decimal("4000.00"))


def test_head_meters_are_billed_together_and_proved_apart(books):
    points = (POINT, "side/energy_import/total")
    bill = bill_of(estate(FIVE, heads=2), books, steady(), steady(per_hour=3.0), points=points)
    (electricity,) = bill.utilities
    assert electricity.meters == ("main", "side")
    assert electricity.quantity == 744 * 15
    assert [line.meter for line in electricity.registers] == ["main", "side"]
    assert electricity.residual == 0


def test_a_closed_month_is_printed_as_handed_in_and_adjusted_when_it_is_found_out(books, other_books):
    catalogue = estate(FIVE)
    t_ms, x = steady("2026-10-01T00:00", "2026-12-01T00:00")
    x = x + np.where(t_ms > ms("2026-10-20T09:00"), 30.0, 0.0)
    late = (t_ms >= ms("2026-10-20T02:00")) & (t_ms < ms("2026-10-20T20:00"))
    store = stored(catalogue, (t_ms[~late], x[~late]))
    handed_in = made(store, catalogue, books)
    assert close_month(handed_in, books, based_on=0, by="li", at=datetime(2026, 11, 2, tzinfo=UTC)).digest
    store.write(ReadingBatch([POINT], [0] * int(late.sum()), t_ms[late].tolist(), x[late].tolist()))
    ranges = {POINT: (int(t_ms[late][0]), int(t_ms[late][-1]))}
    RollupWriter(store, catalogue, books).update(ranges, now_ms=ms("2026-11-09T12:00"))
    october, november = (made(store, catalogue, books, month) for month in ("2026-10", "2026-11"))
    assert replace(october, closed=None) == handed_in
    assert october.closed == HandedIn(datetime(2026, 11, 2, tzinfo=UTC), "li")
    (line,) = november.adjustments
    assert (line.month, line.meter, line.reason) == ("2026-10", "main", "readings that came late")
    assert line.quantity == 0
    assert november.total == november.utilities[0].amount + line.amount
    truth = bill_of(catalogue, other_books, (t_ms, x))
    assert handed_in.total + line.amount == truth.total
    assert line.amount != 0


def ask(books, first, end, points=(POINT,)):
    todo = Recomputations(books._engine)
    dirty = [Dirty(points, datetime.fromisoformat(first), datetime.fromisoformat(end), "tariff five changed")]
    todo.ask(dirty, by="li", at=LATER, reason="notice")
    return todo


def test_a_bill_says_that_its_figures_are_still_to_be_computed_by_the_new_rules(books):
    store = stored(estate(FIVE), steady())
    new = estate(replace(FIVE, rules=(TariffRule(Period.PEAK, ((480, 1200),)), *FIVE.rules[1:])))
    ask(books, "2026-11-01T00:00+08:00", "2026-12-01T00:00+08:00")  # another month
    ask(books, "2026-10-01T00:00+08:00", "2026-11-01T00:00+08:00", points=("gone/energy_import/total",))
    assert made(store, new, books).doubts == ()
    todo = ask(books, "2026-10-31T00:00+08:00", "2026-12-01T00:00+08:00")
    stale = made(store, new, books)
    (doubt,) = sentences(stale.doubts)
    assert doubt.startswith("main: these figures are to be computed again (notice: tariff five changed); wait until")
    assert stale.notes == stale.doubts
    todo.note(
        3, based_on=todo.open_ones()[-1].next_ms, next_ms=ms("2026-11-01T00:00"), months={}
    )  # October is done, November is not
    assert made(store, new, books).doubts == ()


def test_a_bill_says_that_registers_have_moved_since_its_figures_were_computed(books):
    t_ms, x = steady()
    store = stored(estate(FIVE), (t_ms[:-96], x[:-96]))
    store.write(ReadingBatch([POINT], [0] * 96, t_ms[-96:].tolist(), x[-96:].tolist()))
    doubts = sentences(made(store, estate(FIVE), books).doubts)
    assert len(doubts) == 1
    assert "registers and intervals differ by 288.000000 kWh; wait until analytics" in doubts[0]
    assert "--meter main --from 2026-10-01" in doubts[0]


def test_a_bill_says_that_nothing_is_known_or_that_its_month_is_not_over(books):
    (empty,) = sentences(made(MemoryStore(), estate(FIVE), books).doubts)
    assert empty.startswith("nothing is known of hall in this month")
    store, before = stored(estate(FIVE), steady()), datetime(2026, 10, 31, 23, 59, tzinfo=ZONE)
    (early,) = sentences(made(store, estate(FIVE), books, now=before).doubts)
    assert early.startswith("the month is not over before 2026-11-01")


@pytest.mark.parametrize(
    ("outcome", "until", "accepted", "asked"),
    [
        (Outcome.IN_DOUBT, None, None, True),
        (Outcome.LEAP, "2026-10-01T00:15", None, True),
        (Outcome.NEW_REGISTER, "2026-10-01T00:00", None, False),  # September alone is in doubt
        (Outcome.RESET, "2026-10-01T00:15", None, False),
        (Outcome.LEAP, "2026-10-01T00:15", True, False),
    ],
)
def test_a_bill_names_the_spells_that_a_person_is_asked_about(books, outcome, until, accepted, asked):
    store, spells = stored(estate(FIVE), steady()), SpellsInMemory()
    first_ms = ms("2026-09-30T08:00")
    decided = ms(until) if until else None
    spell = Spell(first_ms - QUARTER, first_ms, decided, 60_000.0, 0.0, outcome, accepted)
    spells.replace(POINT, 0, 2**60, [spell])
    found = sentences(made(store, estate(FIVE), books, spells=spells).doubts)
    words = "main: the register went from 60,000 to 0 kWh on 2026-09-30 08:00"
    assert [one.startswith(words) for one in found] == [True] * asked
    waiting_helps = outcome is Outcome.IN_DOUBT  # what went on from another level will not return by itself
    assert ["wait until it returns" in one for one in found] == [waiting_helps] * asked


def test_a_month_is_closed_once_and_only_when_nothing_speaks_against_it(books):
    early = made(MemoryStore(), estate(FIVE), books, now=datetime(2026, 10, 31, tzinfo=ZONE))
    with pytest.raises(ConfigError, match="hall 2026-10 cannot be closed: the month is not over") as caught:
        close_month(early, books, based_on=0, by="li", at=LATER)
    assert "hall 2026-10 cannot be closed: nothing is known of hall" in str(caught.value)
    assert books.closed() == frozenset()
    bill = bill_of(estate(FIVE), books, steady())
    close_month(bill, books, based_on=0, by="li", at=LATER)
    with pytest.raises(ConfigError, match=r"hall 2026-10 is closed already \(by li\)"):
        close_month(bill, books, based_on=0, by="wang", at=LATER)


def test_a_month_that_was_closed_by_an_earlier_meterhouse_is_still_that_bill(books):
    bill = bill_of(estate(FIVE), books, steady())
    kept = BILL.dump_python(bill, mode="json") | {"name": "Hall", "closed": "", "doubts": []}
    books.close("hall", "2026-10", kept, based_on=0, by="li", at=LATER)
    again = made(MemoryStore(), estate(FIVE), books)
    assert again == replace(bill, closed=HandedIn(LATER, "li"))


def test_a_closed_bill_that_was_tampered_with_is_refused(books):
    books.close("hall", "2026-10", {"total": "1"}, based_on=0, by="li", at=datetime(2026, 11, 2, tzinfo=UTC))
    with books._engine.begin() as connection:
        connection.exec_driver_sql('UPDATE closed_month SET bill = \'{"total": "2"}\'')
    with pytest.raises(ConfigError, match="was changed after it was closed"):
        made(MemoryStore(), estate(FIVE), books)


@pytest.mark.parametrize(
    ("building", "month", "words"), [("hull", "2026-10", "unknown building 'hull'"), ("hall", "2026-13", "is no month")]
)
def test_what_does_not_exist_is_told(books, building, month, words):
    with pytest.raises(ConfigError, match=words):
        make_bill(MemoryStore(), estate(FIVE), books, NoSpells(), building, month, now=LATER)


def test_figures_that_do_not_follow_the_tariff_yet_are_not_billed(books):
    store = stored(estate(prices=(Price(Utility.ELECTRICITY, 0.5, date(2026, 1, 1)),)), steady())
    with pytest.raises(ConfigError, match="not computed by tariff 'five' yet"):
        made(store, estate(FIVE), books)


def test_csv_and_workbook_say_what_the_bill_says(books):
    bill = bill_of(estate(replace(FIVE, basis="=cmd()")), books, steady())
    table = list(csv.reader(io.StringIO(bill_csv(bill, EN))))
    lines = [row for row in table if row[0] == "lines"][1:]
    assert sum(Decimal(row[8]) for row in lines) == bill.total
    assert {row[9] for row in lines} == {"'=cmd()"}
    assert ["bill", "total", "7017.60"] in table
    assert [row[1:] for row in table if row[0] == "proof"][1] == [
        "electricity",
        "8928.000",
        "8928.000",
        "0.000000",
        "kWh",
    ]
    book = CalamineWorkbook.from_filelike(io.BytesIO(bill_xlsx(bill, EN)))
    assert book.sheet_names == [
        *("bill", "lines", "subtotals", "tariffs"),
        *("adjustments", "shares", "registers", "proof", "notes"),
    ]
    cells = book.get_sheet_by_name("lines").to_python()
    assert sum(row[7] for row in cells[1:]) == pytest.approx(7_017.60)
    assert cells[1][8] == "=cmd()"
    assert book.get_sheet_by_name("proof").to_python()[1] == ["electricity", 8_928.0, 8_928.0, 0.0, "kWh"]


def test_the_same_figures_give_the_same_bytes(books):
    bill = bill_of(estate(FIVE), books, steady())
    assert bill_csv(bill, EN) == bill_csv(bill, EN)
    assert bill_xlsx(bill, EN) == bill_xlsx(bill, EN)
    assert BILL.validate_python(BILL.dump_python(bill, mode="json")) == bill
