"""Pages of accounts in a real browser: they fit, have a name for each field, and a keyboard is enough for them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from facility.rights import Role
from stores.records.accounts.grants import Grant, Grants, RolePart
from stores.records.people import People

LOOKS = [("en", 1440, "light"), ("zh-Hans", 390, "dark"), ("en", 390, "light"), ("zh-Hans", 1440, "dark")]
PAGES = {"account": "/account", "people": "/people", "person": "/people/Fixer", "roles": "/roles", "server": "/server"}
NAMELESS = """
[...document.querySelectorAll('input:not([type=hidden]), select, button, a')]
  .filter(e => e.checkVisibility() && !(e.labels?.length || e.ariaLabel || e.getAttribute('aria-labelledby')
    || e.innerText?.trim() || e.querySelector('[alt]')))
  .map(e => e.outerHTML)
"""
SMALL = """
[...document.querySelectorAll('main button, main summary, main input:not([type=hidden]), main select')]
  .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44).map(e => e.outerHTML)
"""


@pytest.fixture(scope="session")
def fixer(estate):
    """Somebody with two roles, in one building each until a day."""
    sample, _ = estate
    now = datetime.now(UTC)
    sample.session("Fixer")
    Grants(sample.records).give("Fixer", Grant(Role.CONTRACTOR, RolePart.BUILDING, "lib"), "test", now)


def check(page, name):
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
    assert page.evaluate(NAMELESS) == [], name
    assert page.evaluate(SMALL) == [], name
    assert page.locator("h1").count() == 1, name
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(e => +e.tagName[1])")
    assert all(after - before <= 1 for before, after in pairwise(levels)), name
    doubled = "[...document.querySelectorAll('main [id]')].map(e => e.id).filter((e, i, all) => all.indexOf(e) < i)"
    assert page.evaluate(doubled) == [], name


@pytest.mark.usefixtures("fixer")
@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS)
def test_pages_of_accounts_fit_and_name_what_they_ask_for(open_page, estate, screenshots, language, width, scheme):
    sample, address = estate
    sample.session(language)
    People(sample.records).set_language(language, language)
    page = open_page("/roles", language=language, width=width, scheme=scheme)
    for name, path in PAGES.items():
        page.goto(address + path)
        assert page.locator("html").get_attribute("lang") == language
        page.screenshot(path=screenshots / f"{name}-{language}-{width}-{scheme}.png", full_page=True)
        check(page, name)


@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS)
def test_an_auditors_pages_fit_and_lead_to_the_trail_alone(chromium, estate, screenshots, language, width, scheme):
    sample, address = estate
    now, name = datetime.now(UTC), f"Auditor {language}"
    people, grants = People(sample.records), Grants(sample.records)
    link = people.invite(name, now)
    people.set_language(name, language)
    if not grants.of(name, now):
        grants.give(name, Grant(Role.AUDITOR), "test", now)
    looks = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "locale": language}
    context = chromium.new_context(**looks)
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.screenshot(path=screenshots / f"sign-in-{language}-{width}-{scheme}.png", full_page=True)
    check(page, "sign-in")
    page.goto(f"{address}/sign-in?token={link}")
    page.keyboard.press("Enter")  # the one button has the focus
    page.wait_for_url("**/audit")
    assert page.locator(".main-nav a").count() == 1
    page.screenshot(path=screenshots / f"audit-{language}-{width}-{scheme}.png", full_page=True)
    check(page, "audit")
    context.close()


def test_a_password_is_set_by_the_keyboard_alone(chromium, estate):
    sample, address = estate
    link = People(sample.records).invite("Typist", datetime.now(UTC))
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{address}/sign-in?token={link}")
    page.keyboard.press("Enter")
    page.wait_for_url("**/account")
    page.get_by_label("New password").focus()
    page.keyboard.type("four gentle old trams")
    page.keyboard.press("Enter")
    page.wait_for_url("**/account?done=password")
    assert page.get_by_role("status").filter(has_text="The password is set").count() == 1
    context.close()
