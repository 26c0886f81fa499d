"""What the face of a case says: when it began and was found, what is measured, what is over, what it costs so far."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest
import sqlalchemy as sa
from rigs.sample import NOW

from console.figures.building import days_plot, today_plot
from console.visit import Visit
from facility.model import Name
from facility.quantities import Utility
from facility.work import AlertState
from stores.records import tables
from wording.alerts import wording_of
from wording.cases import case_of
from wording.formats import Formats
from wording.texts import load_texts


@pytest.fixture
def visit(sample, app):
    view = app.state.parts.access.view("Kim")
    site = view.catalogue.site
    return Visit(view, load_texts("en"), Formats("en", site.timezone, site.currency), NOW + timedelta(seconds=1))


def head_of(text):
    return re.sub(r"<[^>]+>", " ", text[text.index('<p class="alert-line">') : text.index("<h1>")])


def test_what_is_over_is_not_to_be_acted_on_today(visitor, sample):
    over = [alert for alert in sample.alerts.values() if alert.state in {AlertState.CLOSED, AlertState.RESOLVED}]
    assert over
    for alert in over:
        head = head_of(visitor.get(f"/alerts/{alert.id}").text)
        assert "Over" in head
        assert not any(words in head for words in ("Act today", "Act now", "Keep an eye on it"))
    running = head_of(visitor.get(f"/alerts/{sample.alerts['continuous_flow'].id}").text)
    assert "Act today" in running


def test_a_case_says_on_its_face_when_it_began_and_when_it_was_found(visitor, sample):
    alert = sample.alerts["night_waste"]
    formats = Formats("en", "Europe/London", "GBP")
    head = head_of(visitor.get(f"/alerts/{alert.id}").text)
    assert f"since {formats.instant(alert.since)}" in head
    assert f"found {formats.instant(alert.raised_at)}" in head
    assert f"since {formats.instant(alert.since)}" in visitor.get("/alerts").text


def test_what_a_sensor_says_is_not_likely_but_measured_and_costs_nothing_by_the_day(visitor, sample):
    text = visitor.get(f"/alerts/{sample.alerts['door_left_open'].id}").text
    band = re.sub(r"<[^>]+>", " ", text[text.index('class="band') : text.index('class="advice"')])
    assert "Measured" in band
    assert "so far" in band
    assert not any(words in band for words in ("ikely", "per day", "a year"))
    water = visitor.get(f"/alerts/{sample.alerts['continuous_flow'].id}").text
    assert "per day" in water
    assert case_of(sample.alerts["silent_meter"], sample.catalogue, "en", NOW).sure == "fact"


@pytest.mark.parametrize(
    ("detector", "by_day", "by_year"),
    [("door_left_open", False, False), ("water_on_floor", False, False), ("spike", False, False),
     ("early_start", True, False), ("weekend_or_holiday_waste", True, False), ("continuous_flow", True, True)],
)  # fmt: skip
def test_only_what_goes_on_is_told_by_the_day_and_only_what_shows_every_day_by_the_year(
    sample, detector, by_day, by_year
):
    case = case_of(replace(sample.alerts["continuous_flow"], detector=detector), sample.catalogue, "en", NOW)
    assert case.goes_on_by_day == by_day
    assert (case.goes_on_by_day and case.every_day) == by_year


def test_a_year_is_not_told_of_what_shows_on_some_days_alone(visitor, sample):
    alert = sample.alerts["night_waste"]

    def page_of(detector):
        rename = sa.update(tables.alert).where(tables.alert.c.key == alert.key).values(detector=detector)
        with sample.records.begin() as connection:
            connection.execute(rename)
        return visitor.get(f"/alerts/{alert.id}").text

    try:
        assert "a year" not in page_of("early_start")
        assert "per day" in page_of("early_start")
    finally:
        assert "a year" in page_of("night_waste")


@pytest.mark.parametrize(
    ("language", "name", "said"),
    [("en", "Back door contact", "Back door has stood open for 14 hours while Estates office is closed"),
     ("en", "Back door", "Back door has stood open for 14 hours while Estates office is closed"),
     ("zh-Hans", "后门门磁", "后勤办公楼非开放时段，后门已敞开 14 小时"),
     ("zh-Hans", "门磁", "后勤办公楼非开放时段，门磁已敞开 14 小时")],
)  # fmt: skip
def test_a_door_stands_open_and_not_its_contact(sample, language, name, said):
    alert = sample.alerts["door_left_open"]
    meter = replace(sample.catalogue.meter[alert.meter], name=Name(name, name))
    known = SimpleNamespace(
        meter={meter.id: meter}, building=sample.catalogue.building, space=sample.catalogue.space,
        site=sample.catalogue.site,
    )  # fmt: skip
    assert wording_of(replace(alert, params=alert.params | {"hours_h": 14}), language, known).what == said


def test_a_leak_is_marked_on_the_water_of_its_building_alone(visitor, sample):
    alert = sample.alerts["continuous_flow"]
    text = visitor.get(f"/buildings/{alert.building}").text
    panel = text[text.index('class="panel panel-water"') :]
    assert f'href="/alerts/{alert.id}"' in panel[: panel.index("</section>")]
    assert "Water alert open" in panel
    assert "Water alert open" not in visitor.get("/buildings/office").text


def test_the_live_line_begins_where_the_hours_that_are_over_end(visit):
    plot = today_plot(visit, visit.catalogue.building["lib"])
    by_shape = {line.shape: np.array([np.nan if y is None else y for y in line.y]) for line in plot.lines}
    live = np.flatnonzero(np.isfinite(by_shape["thin"]))
    assert len(live)
    assert plot.x[live[0]] >= NOW.replace(minute=0, second=0, microsecond=0).timestamp()


def test_the_day_that_is_not_over_is_a_bar_of_its_own_kind(visit):
    plot = days_plot(visit, visit.catalogue.building["lib"], Utility.ELECTRICITY)
    bars, part = ([y is not None for y in line.y] for line in plot.lines[:2])
    assert [line.shape for line in plot.lines] == ["bars", "part", "mark"]
    assert part == [False] * (len(part) - 1) + [True]
    assert not any(a and b for a, b in zip(bars, part, strict=True))
