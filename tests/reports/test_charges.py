"""Charges of a month by hand: shares by days that add up, demand by what was measured, money of every currency."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from rigs.billed_hall import (
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

from accounting.local_time import HOUR_MS
from facility.currency import smallest_unit
from facility.quantities import Utility
from facility.tariff import Capacity, Demand, Period, Step, Tariff, Tiers
from reports.closing import close_month
from reports.rounding import round_together, rounded
from stores.readings.memory import MemoryStore
from stores.records.accounting.closed_months import LATE, Adjustment

FLAT = Tariff("t", Utility.ELECTRICITY, date(2026, 1, 1), "b", ((Period.FLAT, 0.5),), (), Period.FLAT)


def since(day, tariff=FLAT, **more):
    return replace(tariff, id=f"t{day}", valid_from=date(2026, 10, day), **more)


def charged(bill, what):
    return [line for line in bill.utilities[0].lines if line.what == what]


def test_ten_of_thirty_one_days_of_a_fixed_charge_are_rounded_once(books):
    late = replace(FLAT, valid_from=date(2026, 10, 22), fixed_per_month=900)
    (line,) = charged(bill_of(estate(late), books, steady()), "fixed")
    assert (line.amount, line.price, line.quantity) == (Decimal("290.32"), 900, 1)
    assert (line.part.days, line.part.of) == (10, 31)


@pytest.mark.parametrize(
    ("what", "terms"),
    [
        ("fixed", {"fixed_per_month": 900}),
        ("capacity", {"capacity": Capacity(45, 20.0)}),
        ("demand", {"demand": Demand(20.0, declared_kw=45)}),
        ("demand", {"demand": Demand(75.0)}),  # 12 kW are measured
    ],
)
def test_a_charge_that_three_tariffs_share_adds_up_to_the_whole(books, what, terms):
    prices = [((Period.FLAT, price),) for price in (0.5, 0.6, 0.7)]
    three = [since(day, prices=price, **terms) for day, price in zip((1, 11, 21), prices, strict=True)]
    lines = charged(bill_of(estate(*three), books, steady()), what)
    assert [(line.part.days, line.part.of) for line in lines] == [(10, 31), (10, 31), (11, 31)]
    assert [line.amount for line in lines] == [Decimal("290.32"), Decimal("290.32"), Decimal("319.36")]
    assert sum(line.amount for line in lines) == 900
    assert len({line.quantity for line in lines}) == 1  # what was declared or measured is not printed pro rata


def test_shares_go_by_days_in_a_month_whose_clocks_change(books):
    catalogue = estate(replace(FLAT, valid_from=date(2026, 10, 22), fixed_per_month=900))
    catalogue = replace(catalogue, site=replace(catalogue.site, timezone="Europe/London"))
    (line,) = charged(bill_of(catalogue, books, steady()), "fixed")
    assert line.amount == Decimal("290.32")


def test_money_that_is_shared_is_rounded_such_that_nothing_is_lost():
    shares = [Decimal(900) * days / 31 for days in (10, 10, 11)]
    assert round_together(shares, Decimal("0.01")) == [Decimal("290.32"), Decimal("290.32"), Decimal("319.36")]
    assert [rounded(x, Decimal("0.01")) for x in (0.125, -0.125, 2.675, -0.001)] == [
        *(Decimal("0.13"), Decimal("-0.13"), Decimal("2.68"), Decimal("0.00")),
    ]


def outage(busy=(), end="2026-11-01T00:00"):
    """Twelve kilowatts, silent for 19 hours on the 12th; the register shows all of it at once, in a quarter-hour."""
    t_ms, x = steady(end=end)
    for begin, kw in busy:
        x = x + np.where(t_ms > ms(begin), kw / 4 - 3, 0.0)
    silent = (t_ms > ms("2026-10-12T01:00")) & (t_ms < ms("2026-10-12T20:00"))
    return t_ms[~silent], x[~silent]


def test_demand_is_never_paid_for_an_estimate_and_names_its_peak(books):
    t_ms, x = outage(busy=[("2026-10-20T10:15", 30)])
    x = x + np.where(t_ms >= ms("2026-10-12T20:00"), 300.0, 0.0)  # a backlog of 76 kW in its quarters
    (line,) = charged(bill_of(estate(replace(FLAT, demand=Demand(40.0))), books, (t_ms, x)), "demand")
    assert (line.quantity, line.amount) == (30, 1_200)
    assert line.peak.kw == 30
    assert line.peak.at == datetime(2026, 10, 20, 10, 15, tzinfo=ZONE)
    assert line.peak.measured == round((744 - 19) / 744, 4)


def test_of_equal_peaks_the_first_is_named_however_their_sums_are_rounded(books):
    t_ms, _ = steady()
    x = 0.1 + np.cumsum(np.where((t_ms // QUARTER) % 96 == 30, 0.1 + 0.2, 0.2))
    (line,) = charged(bill_of(estate(replace(FLAT, demand=Demand(40.0))), books, (t_ms, x)), "demand")
    assert line.quantity == Decimal("1.200")
    assert line.peak.at == datetime(2026, 10, 1, 15, 15, tzinfo=ZONE)


def as_an_earlier_meterhouse_wrote_it(store):
    """Take from hours what rows of before 2026-12 do not say, and let a peak be made of estimates, as it was then."""
    for name in ("usage_1h", "building_1h"):
        for rows in store.read_rollup(name, {}, 0, 2**60):
            fields = {field: column for field, column in rows.fields.items() if not np.isnan(column).all()}
            fields = {field: fields[field] for field in fields.keys() - {"estimated", "peak_minute"}}
            fields["peak_kw"] = np.where(np.nan_to_num(fields["completeness"]) < 1, 76.0, fields["peak_kw"])
            store.delete_rollup(name, rows.tags, 0, 2**60)
            store.write_rollup(name, [replace(rows, fields=fields)])
    return store


def test_hours_of_an_earlier_release_pay_no_estimated_demand_and_keep_their_shares(books):
    catalogue = estate(replace(FLAT, demand=Demand(40.0)))
    store = as_an_earlier_meterhouse_wrote_it(stored(catalogue, outage(busy=[("2026-10-20T10:15", 30)])))
    bill = made(store, catalogue, books)
    (line,) = charged(bill, "demand")
    assert (line.quantity, line.peak.kw) == (30, 30)
    assert line.peak.at == datetime(2026, 10, 20, 10, tzinfo=ZONE)  # its hour is known
    shares = bill.utilities[0].shares
    assert (shares.measured_h, shares.estimated_h, shares.missing_h) == (725, 19, 0)


def test_a_month_without_a_measured_quarter_charges_no_measured_demand_and_says_so(books):
    t_ms, x = steady(step=3 * HOUR_MS)
    both = estate(replace(FLAT, demand=Demand(40.0)))
    bill = bill_of(both, books, (t_ms, x))
    assert charged(bill, "demand") == []
    assert any("no quarter-hour was measured" in one for one in sentences(bill.notes))
    declared = bill_of(estate(replace(FLAT, demand=Demand(40.0, declared_kw=8))), books, (t_ms, x))
    assert amounts(declared)["demand"] == (8, 320)
    assert "demand_above" not in amounts(declared)


def test_a_price_that_changes_amid_the_month_does_not_change_the_months_demand(books):
    busy = [("2026-10-05T10:00", 100)]
    t_ms, x = outage(busy)
    terms = {"demand": Demand(40.0, declared_kw=60, tolerance=0.0)}
    whole = bill_of(estate(replace(FLAT, **terms)), books, (t_ms, x))
    assert amounts(whole)["demand_above"] == (40, 3_200)
    two = [replace(FLAT, **terms), since(11, prices=((Period.FLAT, 0.6),), **terms)]
    parts = bill_of(estate(*two), books, (t_ms, x))
    assert sum(line.amount for line in charged(parts, "demand_above")) == 3_200
    assert sum(line.amount for line in charged(parts, "demand")) == 2_400


@pytest.mark.parametrize(
    ("currency", "amount", "total"), [("JPY", "290", "4754"), ("KWD", "290.323", "4754.323"), ("CLF", "290.3226", None)]
)
def test_money_has_the_decimals_of_its_currency(books, currency, amount, total):
    late = replace(FLAT, fixed_per_month=0), since(22, fixed_per_month=900)
    bill = bill_of(estate(*late, currency=currency), books, steady())
    assert str(charged(bill, "fixed")[0].amount) == amount
    assert total is None or str(bill.total) == total
    assert all(line.amount.as_tuple().exponent == smallest_unit(currency).as_tuple().exponent
               for line in bill.utilities[0].lines)  # fmt: skip
    assert bill.total == sum(line.amount for line in bill.utilities[0].lines)


def test_iso_4217_says_how_many_decimals_and_not_what_is_in_circulation():
    units = {"CNY": "0.01", "JPY": "1", "KRW": "1", "XOF": "1", "BHD": "0.001", "IQD": "0.001", "LBP": "0.01"}
    assert {currency: str(smallest_unit(currency)) for currency in units} == units
    assert str(smallest_unit("UYW")) == "0.0001"


YEARLY = replace(FLAT, tiers=Tiers("year", (Step(10_000, 0.05),)))


def closed_september(store, catalogue, books):
    bill = made(store, catalogue, books, "2026-09")
    close_month(bill, books, based_on=0, by="li", at=datetime(2026, 10, 2, tzinfo=UTC))
    return bill


def late(books, qty, cost, meter="main", quantity="energy_import"):
    found = datetime(2026, 10, 9, tzinfo=UTC)
    days = {"2026-09-03": {"qty": qty, "cost": cost}}
    entry = Adjustment("hall", "electricity", meter, quantity, "2026-09", found, LATE, days)
    books.adjust([entry], based_on=books.newest_entry())


def test_tiers_of_a_year_see_what_closed_months_were_adjusted_by(books):
    catalogue = estate(YEARLY)
    store = stored(catalogue, steady("2026-09-01T00:00", "2026-11-01T00:00"))
    closed_september(store, catalogue, books)
    assert amounts(made(store, catalogue, books))["tier_2"] == (7_568, Decimal("378.40"))  # of 8,640 + 8,928
    late(books, 100, 50)
    late(books, 7, 0, quantity="energy_export")
    late(books, 5, 1, meter="other")
    bill = made(store, catalogue, books)
    assert amounts(bill)["tier_2"] == (7_668, Decimal("383.40"))
    assert [(line.meter, line.quantity, line.amount) for line in bill.adjustments] == [("main", 100, 50)]


def test_an_adjusting_line_stays_when_its_meter_stops_being_a_head(books):
    catalogue = estate(YEARLY, heads=2)
    columns = steady("2026-09-01T00:00", "2026-11-01T00:00"), steady("2026-09-01T00:00", "2026-11-01T00:00", 1.0)
    store = stored(catalogue, *columns, points=(POINT, "side/energy_import/total"))
    closed_september(store, catalogue, books)
    late(books, -10, -5, meter="side")
    alone = replace(catalogue, meters=catalogue.meters[:1], points=catalogue.points[:1])
    bill = made(store, alone, books)
    assert [(line.meter, line.quantity, line.amount) for line in bill.adjustments] == [("side", -10, -5)]
    assert bill.total == bill.utilities[0].amount - 5
    assert amounts(bill)["tier_2"][0] == 8_640 + 720 - 10 + 8_928 - 10_000


def test_an_estimate_that_was_as_measured_after_all_is_no_line_of_zeros(books):
    catalogue = estate(FLAT)
    closed_september(stored(catalogue, steady("2026-09-01T00:00", "2026-11-01T00:00")), catalogue, books)
    late(books, 0.0002, -0.003)
    assert made(MemoryStore(), catalogue, books).adjustments == ()
    late(books, 0.0002, 0.02)
    assert [(one.quantity, one.amount) for one in made(MemoryStore(), catalogue, books).adjustments] == [
        (0, Decimal("0.02"))
    ]


def test_entries_of_one_closed_month_and_meter_are_one_line_rounded_once(books):
    catalogue = estate(FLAT)
    store = stored(catalogue, steady("2026-09-01T00:00", "2026-11-01T00:00"))
    closed_september(store, catalogue, books)
    for _ in range(3):
        late(books, 0.0104, 0.004)
    (line,) = made(store, catalogue, books).adjustments
    assert (line.quantity, line.amount) == (Decimal("0.031"), Decimal("0.01"))


def test_quarters_of_a_running_hour_are_not_billed_before_they_are_over(books):
    t_ms, x = steady(end="2026-10-15T10:30")
    bill = bill_of(estate(FLAT), books, (t_ms, x), now=datetime(2026, 10, 15, 10, 30, tzinfo=ZONE))
    shares = bill.utilities[0].shares
    assert (shares.measured_h, shares.estimated_h, shares.missing_h) == (14 * 24 + 10.5, 0, 0)
    assert t_ms[-1] - t_ms[-2] == QUARTER


WHOLE = "what is charged by the month (capacity, demand, a fixed sum) stands here for all of its days"


@pytest.mark.parametrize(
    "terms", [{"fixed_per_month": 900}, {"capacity": Capacity(45, 20.0)}, {"demand": Demand(20.0, declared_kw=45)}]
)
def test_a_running_month_says_that_its_charges_are_those_of_the_whole_month(books, terms):
    now, columns = datetime(2026, 10, 10, 12, tzinfo=ZONE), steady(end="2026-10-10T12:00")
    bill = bill_of(estate(replace(FLAT, **terms)), books, columns, now=now)
    assert bill.utilities[0].lines[-1].amount == 900
    assert WHOLE in sentences(bill.notes)
    close_month(bill, books, based_on=0, by="li", at=now, accept_missing="the hall was given back")
    assert WHOLE in sentences(made(MemoryStore(), estate(), books).notes)
    assert WHOLE not in sentences(bill_of(estate(FLAT), books, columns, month="2026-11", now=now).notes)
    over = bill_of(estate(replace(FLAT, **terms)), books, columns, month="2026-09", now=now)
    assert WHOLE not in sentences(over.notes)
