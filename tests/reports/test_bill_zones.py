"""Bills where the clocks change by half an hour, over midnight or over a day: from readings to the printed month."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from rigs.rich_bill import FIVE
from rigs.rollup_hall import assert_same, batch, estate, everything, fed, rows

from accounting.calendars import SiteCalendar
from accounting.local_time import DAY_MS, HOUR_MS, MINUTE_MS
from accounting.spells import NoSpells
from analytics.rollups.writer import RollupWriter
from facility.ledger.installation import BEGINNING
from facility.tariff import PERIODS
from reports.bill import BILL
from reports.billing import make_bill

POINT = "m0/energy_import/total"
METER = {"meter": "m0"}
QUARTER = HOUR_MS // 4
LATER = datetime(2040, 1, 1, tzinfo=UTC)
MONTHS = [
    ("Australia/Lord_Howe", "2026-04", 720.5, 30),
    ("Australia/Lord_Howe", "2026-10", 743.5, 31),
    ("Pacific/Apia", "2011-12", 720, 30),
    ("Pacific/Apia", "2010-09", 719, 30),
    ("Asia/Kathmandu", "2026-11", 720, 30),
    ("America/St_Johns", "2026-11", 721, 30),
    ("America/St_Johns", "2009-10", 744, 31),
    ("America/St_Johns", "2009-11", 721, 30),
    ("America/St_Johns", "2009-03", 743, 31),
    ("America/Havana", "2026-03", 743, 31),
    ("America/Havana", "2026-11", 721, 30),
    ("Asia/Beirut", "2026-10", 745, 31),
    ("Africa/Casablanca", "2026-02", 673, 28),
    ("Antarctica/Troll", "2026-03", 742, 31),
    ("Antarctica/Troll", "2026-10", 746, 31),
    ("Antarctica/Casey", "2010-03", 747, 31),
    ("Australia/Eucla", "2026-07", 744, 31),
    ("Europe/Dublin", "2026-10", 745, 31),
]


def hall_in(zone, *tariffs):
    catalogue = estate()
    site = replace(catalogue.site, timezone=zone, holiday_country="", holiday_subdivision="", tariffs=tariffs)
    return replace(catalogue, site=replace(site, prices=() if tariffs else site.prices))


def growing(zone, month, step=QUARTER, beside=3 * DAY_MS, shift=0):
    """Readings of a month and some days beside it, of a register that grows by 1 to 2 an hour."""
    start, end = SiteCalendar(hall_in(zone).site).month_edges(month)
    t_ms = np.arange(start - beside - shift, end + beside, step)
    return t_ms, 1_000 + np.cumsum(1 + (t_ms // QUARTER * 2_654_435_761 % 1_000) / 1_000) * step / HOUR_MS


def true_use(t_ms, x, edges):
    return np.diff(np.interp(edges, t_ms, x))


@pytest.mark.parametrize(("zone", "month", "hours", "days"), MONTHS)
def test_a_month_adds_up_to_its_registers_in_hours_and_days_of_their_true_length(books, zone, month, hours, days):
    catalogue = hall_in(zone, replace(FIVE, valid_from=date(2000, 1, 1)))
    calendar = SiteCalendar(catalogue.site)
    start, end = calendar.month_edges(month)
    t_ms, x = growing(zone, month, shift=7 * MINUTE_MS)
    store = fed(catalogue, batch(POINT, t_ms, x))
    bill = make_bill(store, catalogue, books, NoSpells(), "hall", month, now=LATER)
    (utility,) = bill.utilities
    assert (end - start) / HOUR_MS == hours
    assert utility.shares.measured_h == pytest.approx(hours)
    assert utility.shares.missing_h == pytest.approx(0)
    assert utility.residual == 0
    assert float(utility.quantity) == pytest.approx(true_use(t_ms, x, [start, end])[0], abs=0.001)
    assert utility.counted == utility.quantity
    assert sum(line.quantity for line in utility.lines) == utility.quantity

    by_hour, by_day = rows(store, "usage_1h", METER), rows(store, "usage_1d", METER)
    ends = calendar.hour_ends(by_hour.t_ms)
    assert (ends[:-1] == by_hour.t_ms[1:]).all()  # none overlap, none is left out
    known = (by_hour.t_ms >= t_ms[0]) & (ends <= t_ms[-1])
    edges = np.append(by_hour.t_ms[known], ends[known][-1])
    np.testing.assert_allclose(by_hour.fields["qty"][known], true_use(t_ms, x, edges), atol=1e-9)
    assert (by_hour.fields["complete"][known] == 1).all()
    inside = (by_day.t_ms >= start) & (by_day.t_ms < end)
    assert inside.sum() == days == len(bill.days[POINT.rsplit("/", 1)[0]])
    day_edges = np.append(by_day.t_ms[inside], end)
    np.testing.assert_allclose(by_day.fields["qty"][inside], true_use(t_ms, x, day_edges), atol=1e-9)
    assert (by_day.fields["complete"][inside] == 1).all()
    for a, b, qty in zip(by_day.t_ms, by_day.t_ms[1:], by_day.fields["qty"], strict=False):
        hourly = by_hour.fields["qty"][(by_hour.t_ms >= a) & (by_hour.t_ms < b)]
        assert qty == pytest.approx(np.nansum(hourly))
    peak = rows(store, "building_1h").fields["peak_kw"]
    assert np.nanmax(peak) <= 2
    periods = sum(by_day.fields[f"qty_{period}"][inside].sum() for period in PERIODS)
    assert periods == pytest.approx(by_day.fields["qty"][inside].sum())


@pytest.mark.parametrize(("zone", "month"), [case[:2] for case in MONTHS[:4]])
def test_readings_one_by_one_and_backwards_give_what_all_at_once_give(zone, month):
    catalogue = hall_in(zone)
    t_ms, x = growing(zone, month, 40 * MINUTE_MS)
    offset = [datetime.fromtimestamp(t / 1000, ZoneInfo(zone)).utcoffset() for t in t_ms.tolist()]
    turned = [k for k, (one, next_one) in enumerate(pairwise(offset)) if one != next_one]
    change = int(t_ms[turned[0] if turned else len(t_ms) // 2])
    here = (t_ms > change - 2 * DAY_MS) & (t_ms < change + 2 * DAY_MS)
    silent = (t_ms > change - 5 * HOUR_MS) & (t_ms < change + 7 * HOUR_MS)
    t_ms, x = t_ms[here & ~silent], x[here & ~silent]
    whole = fed(catalogue, batch(POINT, t_ms, x))
    one_by_one = [batch(POINT, [t], [v]) for t, v in zip(t_ms, x, strict=True)]
    assert_same(everything(fed(catalogue, *one_by_one[::-1])), everything(whole))
    assert_same(everything(fed(catalogue, *one_by_one)), everything(whole))
    assert np.nansum(rows(whole, "usage_1h", METER).fields["qty"]) == pytest.approx(x[-1] - x[0])


@pytest.mark.parametrize(("month", "change"), [("2026-04", "2026-04-04T15:00"), ("2026-10", "2026-10-03T15:30")])
def test_a_silence_over_half_an_hour_s_change_is_spread_by_time(month, change):
    catalogue = hall_in("Australia/Lord_Howe")
    t_ms, x = growing("Australia/Lord_Howe", month, beside=30 * DAY_MS)
    x = 500 + (t_ms - t_ms[0]) / HOUR_MS * 4.0
    at = round(datetime.fromisoformat(change).replace(tzinfo=UTC).timestamp()) * 1000
    silent = (t_ms > at - 6 * HOUR_MS) & (t_ms < at + 6 * HOUR_MS)
    found = rows(fed(catalogue, batch(POINT, t_ms[~silent], x[~silent])), "usage_1h", METER)
    lengths = (SiteCalendar(catalogue.site).hour_ends(found.t_ms) - found.t_ms) / HOUR_MS
    assert sorted(set(lengths.tolist())) == [0.5, 1]
    known = np.isfinite(found.fields["qty"])
    assert known[1:-1].all()
    inside = found.fields["est_qty"] > 0
    assert inside.sum() == 13
    np.testing.assert_allclose(found.fields["qty"][1:-1], 4.0 * lengths[1:-1])


def test_a_short_hour_that_is_read_in_part_is_complete_by_its_own_length():
    catalogue = hall_in("Australia/Lord_Howe")
    change = round(datetime(2026, 4, 4, 15, tzinfo=UTC).timestamp()) * 1000
    before = change - np.arange(9)[::-1] * QUARTER
    part = fed(catalogue, batch(POINT, [*before, change + 10 * MINUTE_MS], np.arange(10.0)))
    last = rows(part, "usage_1h", METER)
    assert last.t_ms[-1] == change
    assert last.fields["completeness"][-1] == pytest.approx(1 / 3)
    assert last.fields["qty"][-1] == pytest.approx(1)
    day = rows(part, "usage_1d", METER).fields["completeness"]
    assert day[-1] == pytest.approx((130 / 60) / 24.5)


def test_a_closed_month_of_half_an_hour_more_is_adjusted_by_what_came_late(books):
    catalogue = hall_in("Australia/Lord_Howe", replace(FIVE, valid_from=date(2000, 1, 1)))
    t_ms, x = growing("Australia/Lord_Howe", "2026-04")
    change = round(datetime(2026, 4, 4, 15, tzinfo=UTC).timestamp()) * 1000
    silent = (t_ms > change - 3 * HOUR_MS) & (t_ms < change + 3 * HOUR_MS)
    store = fed(catalogue, batch(POINT, t_ms[~silent], x[~silent]))
    bill = make_bill(store, catalogue, books, NoSpells(), "hall", "2026-04", now=LATER)
    books.close("hall", "2026-04", BILL.dump_python(bill, mode="json"), based_on=0, by="li", at=LATER)
    store.write(batch(POINT, t_ms[silent], x[silent]))
    ranges = {POINT: (int(t_ms[silent][0]), int(t_ms[silent][-1]))}
    RollupWriter(store, catalogue, books).update(ranges, now_ms=round(LATER.timestamp() * 1000))
    (entry,) = books.adjustments("hall", BEGINNING, datetime(2041, 1, 1, tzinfo=UTC))
    truth = rows(fed(catalogue, batch(POINT, t_ms, x)), "usage_1d", METER)
    handed_in = rows(store, "usage_1d", METER)
    for field in ("qty", "cost", "est_qty", "qty_valley"):
        more = np.nansum(truth.fields[field]) - np.nansum(handed_in.fields[field])
        assert entry.sum_of(field) == pytest.approx(more, abs=1e-5), field
    assert set(entry.differences) <= {"2026-04-04", "2026-04-05"}
