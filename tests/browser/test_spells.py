"""Registers in doubt in a real browser: decided by thumb and by keyboard, with a reason, and taken back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accounting.spells import Outcome, Spell
from stores.records.accounting.spells import Spells

pytestmark = pytest.mark.browser

POINT = "lab-power/energy_import/total"
DOUBT = Spell(1_790_000_000_000, 1_790_000_900_000, None, 61_234.5, 0.0, Outcome.IN_DOUBT)


@pytest.fixture
def spells(estate):
    kept = Spells(estate[0].records)
    kept.replace(POINT, 0, 2**62, [DOUBT])
    yield kept
    kept.replace(POINT, 0, 2**62, [])


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh-Hans", 390)])
def test_a_register_is_decided_with_a_reason_and_the_decision_taken_back(open_page, spells, language, width):
    (doubt,) = spells.asked([POINT])
    page = open_page("/spells", language=language, width=width, height=844)
    page.locator(f'a[href="/spells/{doubt.number}"]').click()
    page.locator("details:has(#act-reject) summary").click()
    page.locator("#act-reject").click()
    assert page.locator(".state-waiting").count() == 1  # the browser asks for the reason first
    page.locator("#reason-reject").fill("线路故障")
    page.locator("#act-reject").focus()
    page.keyboard.press("Enter")
    page.locator(".story").wait_for()
    page.wait_for_function("() => document.activeElement.id === 'spell-standing'")
    assert "线路故障" in page.locator(".story").inner_text()
    assert spells.spell(doubt.number).spell.accepted is False
    page.locator("summary").click()
    page.locator("#reason-ask_again").fill("the wrong meter")
    page.locator("#act-ask_again").click()
    page.locator("#act-accept").wait_for(state="attached")
    assert spells.spell(doubt.number).spell.is_asked


def test_who_was_slower_is_told_who_decided(open_page, spells):
    (doubt,) = spells.asked([POINT])
    page = open_page(f"/spells/{doubt.number}", width=390, height=844, tolerated="409")
    decision = {
        "accepted": True,
        "by": "Bo",
        "at": datetime.now(UTC),
        "reason": "a new board",
        "based_on": doubt.changes,
    }
    spells.decide(doubt.number, **decision)
    page.locator("details:has(#act-reject) summary").click()
    page.locator("#reason-reject").fill("a bus fault")
    page.locator("#act-reject").click()
    page.locator(".door").wait_for()
    assert "a new board" in page.locator(".door").inner_text()
    page.locator(".door .button").click()
    page.locator(".story").wait_for()
    assert page.url.endswith(f"/spells/{doubt.number}")
