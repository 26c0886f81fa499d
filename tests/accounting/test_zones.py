"""Hours, days and months of every time zone: the clocks may change by half an hour, over midnight, or skip a day."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounting.calendars import SiteCalendar
from accounting.demand import peak_rate, quarter_edges
from accounting.intervals import use_between
from accounting.local_time import DAY_MS, DAY_S, HOUR_MS, MINUTE_MS, day_edges, hour_edges
from analytics.rollups.days import base_use, daily
from analytics.rollups.hours import by_hour
from facility.model import Name, Site

FIRST_S, END_S = (round(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1990, 2038))
AT = st.integers(FIRST_S, END_S - 1)
HALF_DAY_S = DAY_S // 2
ODD = [
    "Africa/Casablanca",
    "America/Caracas",
    "America/Havana",
    "America/Recife",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Atlantic/Azores",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Kwajalein",
]


def ms(at):
    return round(at.timestamp() * 1000)


def calendar(zone):
    return SiteCalendar(Site("s", Name("s"), zone, "EUR"))


def clock(t_ms, zone):
    return datetime.fromtimestamp(t_ms // 1000, ZoneInfo(zone))


@cache
def changes(zone, first=FIRST_S, end=END_S):
    """All instants (ms) at which the clocks of a zone change, found by asking it every half day and then closer."""
    here, found = ZoneInfo(zone), []
    offset = lambda second: datetime.fromtimestamp(second, here).utcoffset()  # noqa: E731
    times = range(first, end + HALF_DAY_S, HALF_DAY_S)
    for low, (before, after) in zip(times, pairwise(map(offset, times)), strict=False):
        if before != after:
            found.append(next(s for s in range(low + 1, low + HALF_DAY_S + 1) if offset(s) != before) * 1000)
    return found


def assert_exact(zone, start_ms, end_ms):
    """Hours and days of a stretch follow the rule, second by zone and minute by minute."""
    here = ZoneInfo(zone)
    hours, days = hour_edges(start_ms, end_ms, here), day_edges(start_ms, end_ms, here)
    assert hours[0] <= start_ms < hours[1]
    assert hours[-2] < end_ms <= hours[-1]
    assert days[0] <= start_ms < days[1]
    assert days[-2] < end_ms <= days[-1]
    lengths = np.diff(hours)
    assert lengths.min() > 0
    assert lengths.max() <= HOUR_MS
    assert np.diff(days).min() > 0
    assert np.isin(days[1:-1], hours).all()
    assert sum(np.diff(days)) == days[-1] - days[0]
    numbers = calendar(zone).local_days(hours[:-1])
    assert (np.diff(numbers) >= 0).all()
    for edge in hours.tolist():
        local = clock(edge, zone)
        changed = local.utcoffset() != clock(edge - 1000, zone).utcoffset()
        assert changed or (local.minute, local.second) == (0, 0)
    for a, b in pairwise(hours.tolist()):
        assert {clock(t, zone).utcoffset() for t in (a, b - 1000)} == {clock(a, zone).utcoffset()}
    for a, b in pairwise(days.tolist()):
        inside = numbers[(hours[:-1] >= a) & (hours[:-1] < b)]
        assert len(set(inside.tolist())) <= 1


@pytest.mark.parametrize("zone", ODD)
def test_around_every_change_hours_nest_in_days_that_follow_each_other(zone):
    for change in changes(zone):
        assert_exact(zone, change - 30 * HOUR_MS, change + 30 * HOUR_MS)


@settings(deadline=None, max_examples=600)
@given(zone=st.sampled_from(sorted(available_timezones())), at=AT)
def test_hours_nest_in_days_in_every_zone_at_any_time_and_around_the_next_change(zone, at):
    for start_ms in (at * 1000, *(change - 20 * HOUR_MS for change in changes(zone, at, at + 200 * DAY_S)[:1])):
        assert_exact(zone, start_ms, start_ms + 45 * HOUR_MS)


@settings(deadline=None, max_examples=200)
@given(
    zone=st.sampled_from(ODD),
    at=AT,
    starts=st.lists(st.integers(0, 400 * DAY_MS), min_size=2, max_size=2, unique=True),
)
def test_edges_do_not_depend_on_where_a_range_begins(zone, at, starts):
    here = ZoneInfo(zone)
    (early, late), end = sorted(at * 1000 + start for start in starts), at * 1000 + 401 * DAY_MS
    for edges in (hour_edges, day_edges):
        whole, part = edges(early, end, here), edges(late, end, here)
        assert whole[-len(part) :].tolist() == part.tolist()


@pytest.mark.parametrize("zone", ODD)
def test_days_begin_with_the_first_instant_that_shows_them_and_months_with_such_a_day(zone):
    here, shown = ZoneInfo(zone), {}
    for change in changes(zone):
        for t_ms in range(change - 49 * HOUR_MS, change + 49 * HOUR_MS, MINUTE_MS * 30):
            shown.setdefault(clock(t_ms, zone).date(), change)
    for day, near in shown.items():
        edges = day_edges(near - 52 * HOUR_MS, near + 52 * HOUR_MS, here)
        first = [t for t in edges.tolist() if clock(t, zone).date() == day]
        assert len(first) == 1, day
        before = clock(first[0] - 1000, zone)
        assert before.date() < day
        if day.day == 1:
            assert calendar(zone).month_edges(f"{day:%Y-%m}")[0] == first[0]


@pytest.mark.parametrize(
    ("zone", "around", "lengths"),
    [
        ("Australia/Lord_Howe", "2026-04-05T12:00+10:30", [24, 24.5, 24]),
        ("Australia/Lord_Howe", "2026-10-04T12:00+11:00", [24, 23.5, 24]),
        ("Pacific/Apia", "2011-12-29T12:00-10:00", [24, 24, 24]),
        ("America/Havana", "2026-11-01T12:00-05:00", [24, 25, 24]),
        ("America/Havana", "2026-03-08T12:00-04:00", [24, 23, 24]),
        ("Asia/Beirut", "2026-03-29T12:00+03:00", [24, 23, 24]),
        ("Asia/Beirut", "2026-10-24T12:00+03:00", [24, 25, 24]),
        ("Antarctica/Troll", "2026-03-29T12:00+02:00", [24, 22, 24]),
        ("Antarctica/Troll", "2026-10-25T12:00+00:00", [24, 26, 24]),
        ("Antarctica/Casey", "2010-03-05T12:00+08:00", [24, 27, 24]),
        ("America/St_Johns", "2009-11-01T12:00-03:30", [24, 25, 24]),
        ("America/St_Johns", "2009-03-08T12:00-02:30", [24, 23, 24]),
        ("Africa/Casablanca", "2026-02-15T12:00+00:00", [24, 25, 24]),
        ("Europe/Dublin", "2026-10-25T12:00+00:00", [24, 25, 24]),
        ("Asia/Kathmandu", "2026-10-25T12:00+05:45", [24, 24, 24]),
        ("America/Toronto", "1919-03-31T12:00-04:00", [23.5, 23.5, 24]),
    ],
)
def test_lengths_of_days_around_a_change(zone, around, lengths):
    noon = ms(datetime.fromisoformat(around))
    edges = calendar(zone).day_edges(noon - DAY_MS, noon + DAY_MS)
    assert (np.diff(edges) / HOUR_MS).tolist() == lengths


def test_a_day_that_does_not_exist_is_in_no_month():
    apia = calendar("Pacific/Apia")
    start, end = apia.month_edges("2011-12")
    days = [apia.local_date(t) for t in apia.day_edges(start, end)[:-1].tolist()]
    assert len(days) == 30
    assert date(2011, 12, 30) not in days
    assert end - start == 30 * DAY_MS
    kiritimati = calendar("Pacific/Kiritimati")
    assert len(kiritimati.day_edges(*kiritimati.month_edges("1994-12"))) - 1 == 30


@pytest.mark.parametrize(
    ("zone", "at"),
    [
        ("Africa/Monrovia", "1972-01-07"),
        ("Europe/Amsterdam", "1937-07-01"),
        ("Asia/Manila", "1899-09-06"),
        ("America/Juneau", "1867-10-18"),
        ("Asia/Kathmandu", "1986-01-01"),
        ("Europe/Dublin", "1916-10-01"),
        ("America/Recife", "2000-10-12"),
    ],
)
def test_clocks_of_old_that_changed_by_odd_seconds_have_edges_too(zone, at):
    start_ms = ms(datetime.fromisoformat(at).replace(tzinfo=UTC))
    assert_exact(zone, start_ms - 10 * DAY_MS, start_ms + 10 * DAY_MS)


def test_a_zone_that_changes_its_clocks_twice_within_a_week_has_all_its_edges():
    found = changes("America/Recife")
    assert min(np.diff(found)) < 7 * DAY_MS
    edges = set(hour_edges(found[0] - DAY_MS, found[-1] + DAY_MS, ZoneInfo("America/Recife")).tolist())
    assert set(found) <= edges


def test_an_hour_ends_where_the_clocks_change():
    here = calendar("Australia/Lord_Howe")
    change = ms(datetime(2026, 4, 4, 15, tzinfo=UTC))
    at = np.array([change - 1, change, change + 30 * MINUTE_MS - 1, change + 30 * MINUTE_MS])
    assert here.hour_ends(at).tolist() == [change, *[change + 30 * MINUTE_MS] * 2, change + 90 * MINUTE_MS]
    assert here.hour_ends(at[:0]).tolist() == []


def test_an_hour_cut_short_has_quarters_that_end_with_it():
    hours = np.array([0, 60, 90, 110, 170]) * MINUTE_MS
    edges = quarter_edges(hours)
    assert (np.diff(edges) // MINUTE_MS).reshape(-1, 4).tolist() == [
        [15, 15, 15, 15], [15, 15, 0, 0], [15, 5, 0, 0], [15, 15, 15, 15],
    ]  # fmt: skip
    t_ms = np.arange(0, 171, 5) * MINUTE_MS
    with np.errstate(all="raise"):
        use = use_between(t_ms, t_ms / HOUR_MS * 12, edges)
    assert np.diff(edges)[np.isnan(use.qty)].tolist() == [0] * 4
    assert np.nansum(use.qty) == pytest.approx(170 / 60 * 12)
    peak_kw, minute = peak_rate(use.qty, hours)
    assert peak_kw.tolist() == pytest.approx([12.0] * 4)
    assert minute.tolist() == [0.0] * 4


def test_an_hour_cut_short_is_missing_where_nothing_is_known_of_it():
    hours = np.array([0, 60, 90, 150, 180, 240]) * MINUTE_MS
    t_ms = np.array([90, 120, 150]) * MINUTE_MS
    qty = by_hour(use_between(t_ms, np.array([5, 6, 7.0]), quarter_edges(hours)).qty)
    assert np.isnan(qty).tolist() == [True, True, False, True, True]
    assert qty[2] == pytest.approx(2)


def test_a_day_weighs_its_hours_by_their_length():
    hours = np.array([0, 60, 90, 150]) * MINUTE_MS
    day = np.array([0, 150]) * MINUTE_MS
    fields = {"qty": np.array([2, 1, 2.0]), "est_qty": np.zeros(3), "completeness": np.array([1, 0, 1.0])}
    fields["estimated"] = np.array([0, 1, 0.0])
    found = daily(fields, np.zeros(3, np.int64), hours, day)
    assert found["completeness"].tolist() == [0.8]
    assert found["estimated"].tolist() == [0.2]
    assert base_use(fields["qty"], hours, day).tolist() == [5.0]


@pytest.mark.parametrize("month", ["1900-01", "1901-12", "9998-12"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "Europe/London", "Asia/Manila"])
def test_months_at_the_ends_of_all_time_have_edges(zone, month):
    start, end = calendar(zone).month_edges(month)
    assert 30 * DAY_MS < end - start <= 31 * DAY_MS + HOUR_MS
    assert clock(start, zone).date() == date.fromisoformat(f"{month}-01")
    assert clock(end, zone).date() - timedelta(days=31) == date.fromisoformat(f"{month}-01")
