"""Local hours, holidays, make-up workdays and day edges."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from accounting.calendars import Occupancy, SiteCalendar
from accounting.local_time import HOUR_MS, day_number
from facility.errors import ConfigError
from facility.model import Building, Closure, DayHours, Name, Notice, Site


def site(zone="Europe/London", country="GB", subdivision="ENG", **more):
    return Site("s", Name("s"), zone, "GBP", holiday_country=country, holiday_subdivision=subdivision, **more)


def china(**more):
    return SiteCalendar(site("Asia/Shanghai", "CN", "", **more))


def at(text, zone="UTC"):
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000


def one(calendar, text, zone, building=None):
    return calendar.local_hours(np.array([at(text, zone)]), building)


OFFICE = Building("b", Name("b"), hours={day: DayHours(time(8, 30), time(18)) for day in range(5)})


@pytest.mark.parametrize("zone", ["Europe/London", "Asia/Shanghai", "America/New_York", "Asia/Kolkata"])
def test_local_fields_agree_with_zoneinfo_at_every_hour_of_two_years(zone):
    t_ms = np.arange(at("2025-01-01T00:00"), at("2027-01-01T00:00"), HOUR_MS)
    hours = SiteCalendar(site(zone, "", "")).local_hours(t_ms)
    local = [datetime.fromtimestamp(t / 1000, UTC).astimezone(ZoneInfo(zone)) for t in t_ms.tolist()]
    assert hours.hour.tolist() == [moment.hour for moment in local]
    assert hours.weekday.tolist() == [moment.weekday() for moment in local]


def test_london_days_have_23_and_25_hours_when_the_clocks_change():
    edges = SiteCalendar(site()).day_edges(at("2026-03-28T12:00"), at("2026-03-30T12:00"))
    assert (np.diff(edges) / HOUR_MS).tolist() == [24, 23, 24]
    edges = SiteCalendar(site()).day_edges(at("2026-10-24T12:00"), at("2026-10-26T12:00"))
    assert (np.diff(edges) / HOUR_MS).tolist() == [24, 25, 24]


def test_day_edges_are_half_open():
    calendar = SiteCalendar(site())
    midnight, next_midnight = at("2026-01-05T00:00"), at("2026-01-06T00:00")
    assert calendar.day_edges(midnight, next_midnight).tolist() == [midnight, next_midnight]
    assert calendar.day_edges(midnight, next_midnight + 1).tolist()[-1] == at("2026-01-07T00:00")
    assert calendar.local_date(midnight - 1) == date(2026, 1, 4)
    assert calendar.local_date(midnight) == date(2026, 1, 5)


def test_hour_edges_stand_on_full_local_hours():
    kolkata = SiteCalendar(site("Asia/Kolkata", "", ""))
    edges = kolkata.hour_edges(at("2026-01-05T00:10"), at("2026-01-05T01:30"))
    assert edges.tolist() == [at("2026-01-04T23:30"), at("2026-01-05T00:30"), at("2026-01-05T01:30")]
    london = SiteCalendar(site())
    assert len(london.hour_edges(at("2026-01-05T00:00"), at("2026-01-06T00:00"))) == 25


def test_opening_hours_include_their_start_and_exclude_their_end():
    calendar = SiteCalendar(site())
    for text, occ in [
        ("2026-01-07T05:59", Occupancy.NIGHT),
        ("2026-01-07T06:00", Occupancy.OFF),
        ("2026-01-07T08:29", Occupancy.OFF),
        ("2026-01-07T08:30", Occupancy.WORK),
        ("2026-01-07T17:59", Occupancy.WORK),
        ("2026-01-07T18:00", Occupancy.OFF),
        ("2026-01-07T22:00", Occupancy.NIGHT),
        ("2026-01-10T12:00", Occupancy.WEEKEND),
        ("2026-01-01T12:00", Occupancy.HOLIDAY),
    ]:
        assert one(calendar, text, "Europe/London", OFFICE).occ[0] == occ, text


def test_a_building_open_on_saturday_works_on_saturday():
    shop = Building("b", Name("b"), hours={5: DayHours(time(9), time(0))})
    assert one(SiteCalendar(site()), "2026-01-10T23:30", "Europe/London", shop).occ[0] == Occupancy.WORK
    assert one(SiteCalendar(site()), "2026-01-12T12:00", "Europe/London", shop).occ[0] == Occupancy.WEEKEND


@pytest.mark.parametrize("day", ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"])
def test_chinese_make_up_workdays_are_worked(day):
    hours = one(china(), f"{day}T10:00", "Asia/Shanghai", OFFICE)
    assert hours.occ[0] == Occupancy.WORK
    assert not hours.closed[0]
    assert hours.weekday[0] >= 5
    assert hours.hour_of_week_closed[0] == 2 * 24 + 10


def test_a_chinese_monday_off_is_a_holiday_and_looks_like_a_sunday():
    hours = one(china(), "2026-02-16T10:00", "Asia/Shanghai", OFFICE)
    assert hours.closed[0]
    assert hours.occ[0] == Occupancy.HOLIDAY
    assert hours.hour_of_week[0] == 10
    assert hours.hour_of_week_closed[0] == 6 * 24 + 10


def test_years_without_a_notice_of_moved_workdays_are_named():
    assert china().unadjusted_years(range(2010, 2027)) == ()
    assert china().unadjusted_years([2026, 2027, 2028]) == (2027, 2028)
    assert SiteCalendar(site()).unadjusted_years([2027]) == ()


def test_holidays_shift_with_the_data_and_closures_do_not():
    shift = 1456
    closure = Closure(date(2026, 12, 24), date(2026, 12, 25))
    closed = SiteCalendar(site(holiday_shift_days=shift, closures=(closure,))).closed_days([2026])
    assert date.fromordinal(date(2022, 8, 29).toordinal() + shift) in closed
    assert date(2026, 12, 24) in closed
    assert date(2026, 8, 31) not in closed


def test_an_unknown_zone_or_country_is_a_config_error():
    for wrong in (site(zone="Europe/Londom"), site(country="XX"), site(subdivision="XX")):
        with pytest.raises(ConfigError):
            SiteCalendar(wrong)


def kinds(calendar, *days):
    return calendar.day_kinds(np.array([day_number(date.fromisoformat(day)) for day in days]))


def test_day_kinds_know_make_up_days_holidays_and_long_ones():
    found = kinds(china(), "2026-02-14", "2026-10-03", "2026-10-04", "2026-10-17", "2026-10-19")
    assert found.workday.tolist() == [True, False, False, False, True]
    assert found.holiday.tolist() == [False, True, True, False, False]
    assert found.long_holiday.tolist() == [False, True, True, False, False]
    assert (found.month.tolist(), found.day.tolist()) == ([2, 10, 10, 10, 10], [14, 3, 4, 17, 19])
    british = kinds(SiteCalendar(site()), "2026-01-01", "2026-05-25", "2026-05-24")
    assert british.holiday.tolist() == [True, True, True]
    assert british.long_holiday.tolist() == [False, True, True]  # Thursday alone; Saturday to Monday


def test_a_notice_adds_workdays_and_days_off_and_makes_its_year_known():
    notice = Notice(2027, "notice 7", workdays=(date(2027, 2, 7),), days_off=(date(2027, 2, 5),))
    calendar = china(notices=(notice,))
    assert calendar.unadjusted_years([2026, 2027]) == ()
    assert date(2027, 2, 7) in calendar.makeup_days([2027])
    assert date(2027, 2, 5) in calendar.closed_days([2027])
    assert one(calendar, "2027-02-07T10:00", "Asia/Shanghai", OFFICE).occ[0] == Occupancy.WORK


ARMED = Building("b", Name("b"), hours=OFFICE.hours, armed={day: DayHours(time(22), time(6)) for day in range(5)})


@pytest.mark.parametrize(
    ("text", "armed"),
    [
        ("2026-01-07T21:59", False),
        ("2026-01-07T22:00", True),
        ("2026-01-08T05:59", True),
        ("2026-01-08T06:00", False),
        ("2026-01-10T05:59", True),
        ("2026-01-10T12:00", False),
        ("2026-01-01T12:00", True),
    ],
)
def test_armed_hours_run_over_midnight_and_all_day_when_closed(text, armed):
    calendar = SiteCalendar(site())
    assert calendar.armed(np.array([at(text, "Europe/London")]), ARMED).tolist() == [armed]


def test_a_building_without_armed_hours_is_armed_when_it_is_not_open():
    calendar = SiteCalendar(site())
    times = np.array([at("2026-01-07T08:29", "Europe/London"), at("2026-01-07T08:30", "Europe/London")])
    assert calendar.armed(times, OFFICE).tolist() == [True, False]


@pytest.mark.parametrize("month", ["9999-12", "0001-01"])
def test_a_month_outside_all_time_is_refused(month):
    with pytest.raises(ConfigError, match=f"the month '{month}' lies outside the years 1900 to 9998"):
        SiteCalendar(site()).month_edges(month)
