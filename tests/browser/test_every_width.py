"""Nothing is cut at any width: each page, in both languages, on a small phone, a phone and a desk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from rigs.every_page import plain_paths
from rigs.work_in_hand import order_paths

from stores.records.people import People
from stores.records.quarantine.quarantine import Quarantine

pytestmark = pytest.mark.browser

CUT = """
() => [...document.querySelectorAll('body *')]
  .filter(e => e.checkVisibility() && !e.closest('svg, canvas, .unseen, .skip, .uplot, .stacked thead'))
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1
    || (e.scrollWidth > e.clientWidth + 1 && e.clientWidth && getComputedStyle(e).display !== 'inline'))
  .map(e => `${e.tagName}.${e.className} ${e.innerText.slice(0, 40)}`)
"""
"""What ends beyond the screen, or is wider than the box that holds it."""

OPENED = "document.querySelectorAll('details:not(.verdict)').forEach(e => { e.open = true })"


@pytest.fixture(scope="module")
def paths(estate):
    sample, _ = estate
    cards = [f"/alerts/{alert.id}" for alert in sample.alerts.values()]
    refused = f"/quarantine/{Quarantine(sample.records).items(reason='malformed')[0].id}"
    buildings = [f"/buildings/{one}" for one in sample.catalogue.building]
    lists = [*plain_paths(), "/alerts?state=all", "/buildings/lib/account"]
    sample.session("Helper")
    orders = [path for name, path in order_paths(sample, "Helper").items() if name != "report_none"]  # it is a 403
    return [*lists, *buildings, *cards, refused, *orders]


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize("width", [pytest.param(360, marks=pytest.mark.thorough), 390, 1440])
def test_nothing_is_cut(open_page, estate, paths, width, language):
    sample, address = estate
    sample.session(language)
    People(sample.records).set_language(language, language)
    page = open_page("/", language=language, width=width, height=640)
    cut = {}
    for path in paths:
        page.goto(address + path)
        page.evaluate(OPENED)
        cut[path] = page.evaluate(CUT)
    assert {path: found for path, found in cut.items() if found} == {}


@pytest.mark.parametrize("width", [360, 390, 1440])
def test_old_figures_with_their_age_are_not_cut_either(open_page, estate, width):
    page = open_page("/", width=width)
    page.clock.install(time=datetime.now(UTC) + timedelta(days=3))
    for path in ("/", "/buildings/lib", "/buildings/office"):
        page.goto(estate[1] + path)
        page.clock.run_for(1500)
        assert page.locator(".stale").count() > 0
        assert page.evaluate(CUT) == [], path


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_button_that_closes_a_case_is_within_reach_on_a_small_phone(open_page, estate, language):
    sample, _ = estate
    path = f"/alerts/{sample.alerts['night_waste'].id}"
    page = open_page(path, language=language, width=360, height=640)
    page.locator(".verdict summary").click()
    box = page.locator(".verdict form .button-main").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 640
    middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    hit = page.evaluate("([x, y]) => document.elementFromPoint(x, y).className", middle)
    assert "button-main" in hit, "nothing lies over it"
    page.locator("input[value=expected]").scroll_into_view_if_needed()
    page.locator("input[value=expected]").check()
    again = page.locator(".verdict form .button-main").bounding_box()
    assert again["y"] + again["height"] <= 640
