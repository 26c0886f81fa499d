"""The quarantine in a real browser: by thumb and by keyboard, with an ingest that answers and one that does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rigs.sample import refused

from stores.records.errands import Errands
from stores.records.quarantine.quarantine import ItemState, Quarantine

pytestmark = pytest.mark.browser


@pytest.fixture
def put(estate):
    """Keeps readings aside for a reason of their own; returns the items as they are kept."""
    quarantine, used = Quarantine(estate[0].records), []
    before = len(quarantine.items(standing=None))

    def kept(reason, n=1):
        used.append(reason)
        now = datetime.now(UTC)
        quarantine.put(*(replace(refused(now)[1], reason=reason, first_seq=before + i) for i in range(n)))
        return quarantine.items(reason=reason)

    yield kept
    for reason in used:
        for left in quarantine.items(reason=reason):
            quarantine.discard(left.id, "test", "the test is over", datetime.now(UTC), based_on=left.state)


def test_the_list_is_a_table_on_a_desk_and_cards_on_a_phone(open_page):
    wide, narrow = open_page("/quarantine"), open_page("/quarantine", width=390, height=844)
    display = "getComputedStyle(document.querySelector('.stacked tr:has(td)')).display"
    assert (wide.evaluate(display), narrow.evaluate(display)) == ("table-row", "block")
    assert narrow.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    sizes = narrow.evaluate(
        "[...document.querySelectorAll('button, summary, .stacked a, .filters a')].filter(e => e.checkVisibility())"
        ".map(e => e.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 44


def test_an_item_is_replayed_by_keyboard_and_the_answer_comes_by_itself(open_page, put, estate):
    (item,) = put("no_level")
    page = open_page(f"/quarantine/{item.id}")
    page.locator("#act-replay").focus()
    page.keyboard.press("Enter")
    page.locator(".state-asked").wait_for()
    page.wait_for_function("() => document.activeElement.id === 'item-standing'")
    assert page.locator("#act-replay").count() == 0
    Quarantine(estate[0].records).close_replayed(item.id, "stored 3 readings", datetime.now(UTC))
    page.locator(".state-replayed").wait_for()
    assert "stored 3 readings" in page.locator("#item-standing").inner_text()
    page.wait_for_function("() => document.activeElement.id === 'item-standing'")
    assert page.locator("#item-acts").get_attribute("hx-trigger") is None


def test_what_is_refused_again_can_be_asked_for_again(open_page, put, estate):
    (item,) = put("no_level")
    page = open_page(f"/quarantine/{item.id}", width=390, height=844)
    page.locator("#act-replay").click()
    page.locator(".state-asked").wait_for()
    errands = Errands(estate[0].records)
    errands.settle(errands.of_item(item.id)[0].id, "refused again: no_level", datetime.now(UTC))
    page.locator("#act-replay").wait_for()
    assert "refused again: no_level" in page.locator("#item-standing").inner_text()


def test_an_item_is_discarded_with_a_reason(open_page, put, estate):
    (item,) = put("no_level")
    page = open_page(f"/quarantine/{item.id}", language="zh-Hans", width=390, height=844, scheme="dark")
    page.locator(".verdict summary").click()
    page.locator("#act-discard").click()
    assert page.locator(".state-waiting").count() == 1  # the browser asks for the reason first
    page.locator("#reason").fill("测试设备")
    page.locator("#act-discard").click()
    page.locator(".state-discarded").wait_for()
    assert "测试设备" in page.locator("#item-standing").inner_text()
    assert Quarantine(estate[0].records).item(item.id).state is ItemState.DISCARDED


def test_all_of_one_reason_leave_the_list_as_they_are_stored(open_page, put, estate):
    items = put("no_level", 3)
    page = open_page("/quarantine?reason=no_level")
    page.locator("#replay-all").click()
    page.locator(".state-asked").nth(2).wait_for()
    quarantine = Quarantine(estate[0].records)
    for item in items:
        quarantine.close_replayed(item.id, "stored 3 readings", datetime.now(UTC))
    page.locator(".empty-large").wait_for()
    assert page.locator("#waiting").get_attribute("hx-trigger") is None


def test_one_row_is_replayed_from_the_list(open_page, put):
    items = put("no_level", 2)
    page = open_page("/quarantine?reason=no_level", width=390, height=844)
    page.locator(f"#replay-{items[0].id}").focus()
    page.keyboard.press("Enter")
    page.locator(".state-asked").wait_for()
    page.wait_for_function("id => document.activeElement.id === id", arg=f"replay-{items[0].id}")
    assert page.url.endswith("/quarantine?reason=no_level")
    assert page.locator(".state-waiting").count() == 1
