"""Figures of the pages on days on which the clocks change by half an hour, or that begin or end oddly."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from rigs.rollup_hall import batch, estate, fed
from rigs.whole_view import whole_view

from accounting.calendars import SiteCalendar
from accounting.local_time import DAY_MS, HOUR_MS, MINUTE_MS
from console.figures.building import DAYS, days, days_plot, meter_rows, today, today_plot
from console.figures.evidence import _usage
from console.figures.sparkline import sparkline
from console.figures.use import building_hours
from console.visit import Visit
from facility.model import MeterRole
from facility.quantities import Utility
from stores.readings.port import RollupSeries
from wording.formats import Formats
from wording.texts import load_texts

POINT = "m0/energy_import/total"
PER_HOUR = 4.0


def visit_at(zone, now, *, role=MeterRole.HEAD):
    """A page of a hall that always uses 4 kWh an hour, expected to the last one, as seen at a local time."""
    catalogue = estate()
    catalogue = replace(
        catalogue,
        site=replace(catalogue.site, timezone=zone, holiday_country="", holiday_subdivision=""),
        meters=(replace(catalogue.meters[0], role=role), *catalogue.meters[1:]),
    )
    now_ms = round(now.timestamp()) * 1000
    t_ms = np.arange(now_ms - 34 * DAY_MS, now_ms + 1, 10 * MINUTE_MS)
    store = fed(catalogue, batch(POINT, t_ms, 500 + (t_ms - t_ms[0]) / HOUR_MS * PER_HOUR))
    edges = SiteCalendar(catalogue.site).hour_edges(now_ms - 34 * DAY_MS, now_ms + 2 * DAY_MS)
    lengths = np.diff(edges) / HOUR_MS
    band = {name: scale * PER_HOUR * lengths for name, scale in (("expected", 1.0), ("lo", 0.5), ("hi", 2.0))}
    if role is MeterRole.HEAD:
        tags = {"site": "town", "building": "hall", "utility": "electricity"}
        store.write_rollup("building_1h", [RollupSeries(tags, edges[:-1], band)])
    (usage,) = store.read_rollup("usage_1h", {"meter": "m0"}, 0, 2**52, ["qty"])
    store.write_rollup("baseline_1h", [RollupSeries(usage.tags, edges[:-1], band)])
    view = whole_view(store, catalogue)
    return Visit(view, load_texts("en"), Formats("en", zone, "GBP"), now)


def local(zone, text, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


CASES = [
    ("Australia/Lord_Howe", "2026-04-05T12:00", 24.5, 12.5),
    ("Australia/Lord_Howe", "2026-10-04T12:00", 23.5, 11.5),
    ("Australia/Lord_Howe", "2026-04-06T12:10", 24, 12 + 1 / 6),
    ("Asia/Kathmandu", "2026-04-05T12:00", 24, 12),
    ("America/Havana", "2026-11-01T12:00", 25, 13),
    ("Asia/Beirut", "2026-03-29T12:00", 23, 11),
    ("Pacific/Apia", "2011-12-31T12:00", 24, 12),
    ("Europe/London", "2026-10-25T12:00", 25, 13),
]


@pytest.mark.parametrize(("zone", "now", "long", "passed"), CASES)
def test_today_is_as_long_as_it_is_and_compared_with_as_much(zone, now, long, passed):
    visit = visit_at(zone, local(zone, now))
    hall = visit.catalogue.building["hall"]
    start, end = visit.midnights_ms(0)
    assert (end - start) / HOUR_MS == long
    used = today(visit, hall, Utility.ELECTRICITY)
    assert used.qty == pytest.approx(PER_HOUR * passed)
    assert used.expected == pytest.approx(used.qty)
    plot = today_plot(visit, hall)
    assert [plot.start, plot.end] == [start / 1000, end / 1000]
    for line in plot.lines:
        known = [y for y in line.y if y is not None]
        scale = {"lo": 0.5, "hi": 2.0}.get(line.shape, 1.0)
        assert known == pytest.approx([PER_HOUR * scale] * len(known)), line.shape
        assert len(known) > 5


@pytest.mark.parametrize(("zone", "now", "long", "passed"), CASES)
def test_thirty_days_before_today_have_their_own_lengths_and_expectations(zone, now, long, passed):
    visit = visit_at(zone, local(zone, now))
    shown = days(visit, visit.catalogue.building["hall"], Utility.ELECTRICITY)
    assert len(shown) == DAYS + 1
    edges = np.diff(visit.midnights_ms(DAYS)) / HOUR_MS
    for day, hours in zip(shown[:-1], edges[:-1], strict=True):
        assert day.use.qty == pytest.approx(PER_HOUR * hours), day.day
        assert day.use.expected == pytest.approx(PER_HOUR * hours), day.day
        assert day.complete
    assert shown[-1].use.qty == pytest.approx(PER_HOUR * passed)
    assert (shown[-1].day - shown[0].day).days == (DAYS + 1 if zone == "Pacific/Apia" else DAYS)
    plot = days_plot(visit, visit.catalogue.building["hall"], Utility.ELECTRICITY)
    assert plot.start < plot.x[0] < plot.x[-1] < plot.end


@pytest.mark.parametrize(("zone", "now", "long", "passed"), CASES)
def test_evidence_and_sparkline_draw_a_short_hour_as_the_flow_it_was(zone, now, long, passed):
    visit = visit_at(zone, local(zone, now))
    x, lines = _usage(visit, visit.catalogue.point[POINT], visit.now_ms - 3 * DAY_MS, visit.now_ms)
    assert np.diff(x).max() == 3600
    assert np.diff(x).min() == (1800 if zone == "Australia/Lord_Howe" else 3600)
    for line in lines:
        known = np.array([y for y in line.y if y is not None])
        assert len(known) >= len(x) - 1
        np.testing.assert_allclose(known, PER_HOUR * {"lo": 0.5, "hi": 2.0}.get(line.shape, 1.0))
    start_ms = visit.now_ms - DAY_MS
    hours = building_hours(visit.view, Utility.ELECTRICITY, start_ms, visit.now_ms)["hall"]
    drawn = sparkline(hours, start_ms, visit.now_ms)
    assert drawn.peak == pytest.approx(2 * PER_HOUR)
    assert re.fullmatch(r"(M\d+ \d+l(\d+ 0 ?)*)+", drawn.line), "no step goes up or down"


def test_a_week_of_a_sub_meter_is_seven_days_and_rows_of_other_hours_are_passed_over():
    zone = "Australia/Lord_Howe"
    visit = visit_at(zone, local(zone, "2026-04-08T09:00"), role=MeterRole.SUB)
    (row,) = meter_rows(visit, visit.catalogue.building["hall"])
    assert row.week == pytest.approx(PER_HOUR * (7 * 24 + 0.5))
    assert row.today == pytest.approx(PER_HOUR * 9)


@pytest.mark.parametrize("fold", [0, 1])
def test_of_two_midnights_the_first_begins_the_day(fold):
    visit = visit_at("America/Havana", local("America/Havana", "2026-11-01T00:30", fold))
    assert visit.midnight_ms() == round(datetime(2026, 11, 1, 4, tzinfo=UTC).timestamp()) * 1000
    used = today(visit, visit.catalogue.building["hall"], Utility.ELECTRICITY)
    assert used.qty == pytest.approx(PER_HOUR * (0.5 + fold))
