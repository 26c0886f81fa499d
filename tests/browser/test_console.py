"""Every page in a real browser: both languages, phone and desktop, light and dark, and what moves by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from rigs.patience import until
from rigs.rights import everything

from accounting.spells import Outcome, Spell
from facility.status import AgentStatus, ProcessStatus
from stores.records.accounting.spells import Spells
from stores.records.people import People
from stores.records.quarantine.quarantine import Quarantine
from stores.records.status.board import StatusBoard

pytestmark = pytest.mark.browser

LOOKS = [("en", 1440, "light"), ("zh-Hans", 390, "dark"), ("en", 390, "light"), ("zh-Hans", 1440, "dark")]
TITLES = {
    "now": ("Now · Meterhouse", "总览 · Meterhouse"),
    "building": ("Riverside Library · Meterhouse", "滨河图书馆 · Meterhouse"),
    "alerts": ("Alerts · Meterhouse", "告警 · Meterhouse"),
    "alert": ("Water never stops · Meterhouse", None),
    "night": (None, None),
    "door": (None, None),
    "quarantine": ("Quarantine · Meterhouse", "异常数据 · Meterhouse"),
    "spells": ("Registers · Meterhouse", "读数存疑 · Meterhouse"),
    "spell": (
        "Riverside Library · Library main meter · in doubt · Meterhouse",
        "滨河图书馆 · 图书馆总表 · 存疑 · Meterhouse",
    ),
    "refused": ("Message that cannot be read · Meterhouse", "报文无法解读 · Meterhouse"),
}


@pytest.fixture(scope="session")
def paths(estate):
    sample, _ = estate
    doubt = Spell(1_790_000_000_000, 1_790_000_900_000, None, 61_234.5, 0.0, Outcome.IN_DOUBT)
    Spells(sample.records).replace("lib-power/energy_import/total", 0, 2**62, [doubt])
    cards = {name: f"/alerts/{sample.alerts[name].id}" for name in ("continuous_flow", "night_waste", "door_left_open")}
    return {
        "now": "/",
        "building": "/buildings/lib",
        "alerts": "/alerts?state=all",
        "alert": cards["continuous_flow"],
        "night": cards["night_waste"],
        "door": cards["door_left_open"],
        "quarantine": "/quarantine",
        "spells": "/spells",
        "spell": f"/spells/{Spells(sample.records).asked()[0].number}",
        "refused": f"/quarantine/{Quarantine(sample.records).items(reason='malformed')[0].id}",
    }


@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS)
def test_every_page_opens_fits_and_draws(open_page, estate, paths, screenshots, language, width, scheme):
    sample, address = estate
    sample.session(language)
    People(sample.records).set_language(language, language)
    page = open_page("/", language=language, width=width, scheme=scheme)
    for name, titles in TITLES.items():
        page.goto(address + paths[name])
        page.wait_for_function("() => document.querySelectorAll('[data-chart]:not(:has(canvas))').length === 0")
        title = titles[0 if language == "en" else 1]
        assert title is None or page.title() == title
        assert page.locator("html").get_attribute("lang") == language
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        page.screenshot(path=screenshots / f"{name}-{language}-{width}-{scheme}.png", full_page=True)
        assert overflow <= 0, name


def test_pages_fit_a_narrow_phone_and_buttons_fit_a_thumb(open_page, paths):
    page = open_page(paths["alert"], width=360, height=640)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    sizes = page.evaluate(
        "[...document.querySelectorAll('button, summary')].filter(e => e.checkVisibility())"
        ".map(e => Math.min(e.getBoundingClientRect().height, e.getBoundingClientRect().width))"
    )
    assert min(sizes) >= 44


@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS)
def test_system_alarms_stand_on_every_page_and_fit(open_page, estate, fares, screenshots, language, width, scheme):
    sample, _ = estate
    sample.session(language)
    People(sample.records).set_language(language, language)
    words = "bytes: 1 of 268435456, payloads not kept: 3"
    fares["status"] = ProcessStatus(alarms={"store_unavailable": "", "quarantine_full": words})
    fares["agents"] = [AgentStatus("edge-1", "offline", 1.0)]
    try:
        until(lambda: len(StatusBoard(sample.records).outlook().alarms) == 3)
        page = open_page("/alerts", language=language, width=width, scheme=scheme)
        lines = page.locator(".system li").all_inner_texts()
        page.screenshot(path=screenshots / f"system-{language}-{width}-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    finally:
        fares["status"], fares["agents"] = ProcessStatus(), [AgentStatus("edge-1", "online", 1.0)]
        until(lambda: not StatusBoard(sample.records).outlook().alarms)
    assert len(lines) == 3
    assert ("存储不可用" if language == "zh-Hans" else "The store is away") in lines[0]
    assert lines[2].endswith("edge-1")


@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS)
def test_what_cannot_be_seen_is_unknown_on_every_page_and_never_well(
    open_page, estate, screenshots, language, width, scheme
):
    sample, _ = estate
    sample.session(language)
    People(sample.records).set_language(language, language)
    with sample.records.begin() as connection:
        connection.execute(sa.text("ALTER TABLE agent_status RENAME TO elsewhere"))
    try:
        page = open_page("/alerts", language=language, width=width, scheme=scheme)
        (line,) = page.locator(".system li").all_inner_texts()
        page.screenshot(path=screenshots / f"unknown-{language}-{width}-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    finally:
        with sample.records.begin() as connection:
            connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO agent_status"))
    assert ("未知" if language == "zh-Hans" else "unknown") in line


def test_a_number_changes_when_a_reading_is_stored(open_page, estate):
    sample, _ = estate
    page = open_page("/")
    tile = page.locator("#power-hall .number")
    for watts, shown in ((41_200.0, "41.2"), (43_700.0, "43.7")):
        sample.say("hall-power/active_power/total", watts, datetime.now(UTC))
        page.wait_for_function("text => document.querySelector('#power-hall .number').textContent === text", arg=shown)
    assert tile.inner_text() == "43.7"


def test_a_paused_page_stands_still(open_page, estate):
    sample, _ = estate
    page = open_page("/")
    page.locator("[data-pause]").click()
    before = page.locator("#power-lab .number").inner_text()
    sample.say("lab-power/active_power/total", 12_300.0, datetime.now(UTC))
    page.wait_for_timeout(2500)
    assert page.locator("#power-lab .number").inner_text() == before
    sample.say("lab-power/active_power/total", 96_000.0, datetime.now(UTC))


def test_old_numbers_are_greyed_with_their_age(open_page, estate):
    page = open_page("/")
    page.clock.install(time=datetime.now(UTC) + timedelta(minutes=9))
    page.reload()
    page.clock.run_for(1500)
    assert page.locator("#power-office.stale").count() == 1
    assert "min" in page.locator("#power-office time").inner_text()


@pytest.mark.parametrize(("language", "width"), [("en", 390), ("en", 1440), ("zh-Hans", 1024)])
def test_figures_with_their_age_stay_inside_their_cards(open_page, language, width):
    page = open_page("/", language=language, width=width)
    page.clock.install(time=datetime.now(UTC) + timedelta(minutes=9))
    page.reload()
    page.clock.run_for(1500)
    assert page.locator(".domain .stale").count() > 0
    beyond = page.evaluate(
        "[...document.querySelectorAll('.domain, .card, .figure')].filter(card => [...card.querySelectorAll('.tile')]"
        ".some(tile => tile.getBoundingClientRect().right > card.getBoundingClientRect().right)).map(c => c.innerText)"
    )
    assert beyond == []


def test_a_chart_without_a_figure_says_so_and_draws_once_there_is_one(open_page, estate):
    page = open_page("/")
    empty = True

    def without_figures(route):
        plot = route.fetch().json()
        if empty:
            plot["lines"] = [{**line, "y": [None] * len(line["y"])} for line in plot["lines"]]
        route.fulfill(json=plot)

    page.route("**/api/buildings/lib/today", without_figures)
    page.goto(f"{estate[1]}/buildings/lib")
    chart = page.locator("[data-chart='/api/buildings/lib/today']")
    chart.get_by_text("Nothing is known of this time.").wait_for()
    assert chart.locator("canvas").count() == 0
    empty = False
    page.wait_for_timeout(50)
    page.evaluate("document.dispatchEvent(new CustomEvent('live'))")
    chart.locator("canvas").wait_for()


def test_an_alert_is_taken_and_given_back_by_keyboard(open_page, paths):
    page = open_page(paths["night"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#act-acknowledge").focus()
    for said, then in (("You took it.", "act-release"), ("You gave it back.", "act-acknowledge")):
        page.keyboard.press("Enter")
        when_shown = page.wait_for_function(
            "id => document.querySelector('#' + id) && [document.activeElement.id, window.done.innerText]",
            arg=then,
        )
        assert when_shown.json_value() == [then, said], "the keyboard stays where the next act is"


def test_a_verdict_keeps_the_keyboard_too(open_page, paths):
    page = open_page(paths["night"])
    page.locator(".verdict summary").focus()
    page.keyboard.press("Enter")
    for choice in ("expected", "process"):
        page.locator(f"input[value={choice}]").focus()
        page.keyboard.press("Space")
    page.locator(".verdict button").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.id === 'act-reopen'")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.id === 'act-acknowledge'")


def test_who_comes_second_is_told(open_page, paths):
    quick, slow = open_page(paths["night"]), open_page(paths["night"], tolerated=" 409 ")
    quick.locator("#act-acknowledge").click()
    quick.locator("#act-release").wait_for()
    slow.locator("#act-acknowledge").click()
    slow.get_by_role("heading", name="Somebody was quicker").wait_for()
    slow.get_by_role("link", name="Look at the alert again").click()
    slow.locator("#act-release").wait_for()
    quick.locator("#act-release").click()
    quick.locator("#act-acknowledge").wait_for()


def test_a_verdict_is_given_and_taken_back(open_page, paths):
    page = open_page(paths["door"], width=390, height=844)
    page.locator(".verdict summary").click()
    page.locator("input[value=fixed]").check()
    page.locator("input[value=equipment]").check()
    page.locator("#note").fill("Closed it")
    page.locator(".verdict button").click()
    page.locator("#act-reopen").wait_for()
    assert "Closed it" in page.locator(".standing").inner_text()
    page.locator("#act-reopen").click()
    page.locator("#act-acknowledge").wait_for()


def test_the_theme_is_kept(open_page):
    page = open_page("/")
    page.locator("[data-theme-toggle]").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_a_one_time_link_signs_in(chromium, estate):
    sample, address = estate
    token = People(sample.records).invite("Newcomer", datetime.now(UTC))
    everything(sample.records, "Newcomer", datetime.now(UTC))
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{address}/sign-in?token={token}")
    page.get_by_role("button", name="Sign in to Meterhouse").click()
    page.locator("#power-lib").wait_for()
    context.close()
