"""Every page of the console as axe-core sees it (WCAG 2.1, A and AA, and its best practices), wide and narrow."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
from rigs.every_page import plain_paths
from rigs.oidc_provider import CLIENT, SECRET, OidcProvider
from rigs.serving import served
from rigs.work_in_hand import order_paths

from console.provider import Provider
from facility.levels import Level
from facility.rights import Role
from stores.access import exports
from stores.records.accounts.grants import Grant, Grants, RolePart
from stores.records.accounts.sign_in import SignIn
from stores.records.people import People
from stores.records.quarantine.quarantine import Quarantine

AXE = Path(__file__).parents[2] / "console" / "node_modules" / "axe-core" / "axe.min.js"
"""Of the browser packages for tests: no page loads it, and no wheel holds it."""

RUN = """
async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}))
  .violations.map(v => `${v.id}: ${v.nodes.map(n => n.target.join(' ') + ' ' + (n.failureSummary || '')).join(' | ')}`)
"""
LOOKS = [("en", 1440, "light"), ("zh-Hans", 390, "dark"), ("en", 390, "dark"), ("zh-Hans", 1440, "light")]


@pytest.fixture(scope="session")
def paths(estate):
    """What an administrator and an officer open, by name."""
    sample, _ = estate
    now = datetime.now(UTC)
    sample.session("Helper")
    Grants(sample.records).give("Helper", Grant(Role.CONTRACTOR, RolePart.BUILDING, "lib"), "test", now)
    (item, *_) = Quarantine(sample.records).items(reason="malformed")
    return {
        "now": "/", "building": "/buildings/lib", "alerts": "/alerts", "quarantine": "/quarantine", "spells": "/spells",
        "alert": f"/alerts/{sample.alerts['night_waste'].id}", "item": f"/quarantine/{item.id}",
        "people": "/people", "person": "/people/Helper", "roles": "/roles", "account": "/account",
        "second_factor": "/account/second-factor", "nowhere": "/buildings/none", **order_paths(sample, "Helper"),
        "building_account": "/buildings/lib/account", **{path: path for path in plain_paths()},
    }  # fmt: skip


@pytest.fixture
def looked_at(chromium, estate):
    """Opens a context with axe in it, signed in by a name."""
    sample, address = estate
    contexts = []

    def opened(name, language, width, scheme):
        looks = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "reduced_motion": "reduce"}
        context = chromium.new_context(locale=language, **looks)
        context.add_init_script(path=AXE)
        contexts.append(context)
        if name:
            session = sample.session(name) if name != "Axe" else auditor(sample)
            context.add_cookies([{"name": "meterhouse_session", "value": session, "url": address}])
            People(sample.records).set_language(name, language)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


def auditor(sample):
    now = datetime.now(UTC)
    people, grants = People(sample.records), Grants(sample.records)
    link = people.invite("Axe", now)
    if not grants.of("Axe", now):
        grants.give("Axe", Grant(Role.AUDITOR), "test", now)
    return people.redeem(link, now, 86_400)


@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS)
def test_axe_finds_nothing_on_any_page(looked_at, estate, paths, language, width, scheme):
    _, address = estate
    found = {}
    page = looked_at(language, language, width, scheme)
    for name, path in paths.items():
        page.goto(address + path)
        found[name] = page.evaluate(RUN)
    page.goto(f"{address}/account")
    page.locator("form[action='/account/phone'] button").click()
    page.wait_for_selector(".qr")
    found["phone"] = page.evaluate(RUN)
    page = looked_at("Axe", language, width, scheme)
    for name, path in {"audit": "/audit", "whole": "/audit/whole", "audit_nobody": "/audit?who=nobody"}.items():
        page.goto(address + path)
        found[name] = page.evaluate(RUN)
    page = looked_at("", language, width, scheme)
    for name, path in {"sign_in": "/sign-in", "link": "/sign-in?token=x"}.items():
        page.goto(address + path)
        found[name] = page.evaluate(RUN)
    assert [f"{name}: {words}" for name, all_words in found.items() for words in all_words] == []


@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS[:2])
def test_axe_finds_nothing_on_the_pages_of_a_provider_a_new_phone_and_a_graded_table(
    chromium, estate, screenshots, monkeypatch, language, width, scheme
):
    """Sign-in by the provider, matching with and without a password, recovery codes, and an export that asks why."""
    sample, _ = estate
    clock, name, found = lambda: datetime.now(UTC), f"At {width}", {}
    looks = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "reduced_motion": "reduce"}
    with (
        OidcProvider() as idp,
        served(sample.store, sample.records, clock, provider=Provider(idp.issuer, CLIENT, SECRET, "City id")) as (
            at,
            _,
        ),
        chromium.new_context(locale=language, **looks) as context,
    ):
        context.add_init_script(path=AXE)
        page = context.new_page()

        def look(called):
            page.screenshot(path=screenshots / f"{called}-{language}-{width}-{scheme}.png", full_page=True)
            found[called] = page.evaluate(RUN)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, called

        page.goto(f"{at}/sign-in")
        look("provider-sign-in")
        context.add_cookies([{"name": "meterhouse_session", "value": sample.session(name), "url": at}])
        People(sample.records).set_language(name, language)
        SignIn(sample.records).set_password(name, "nine green bottles", clock())
        page.goto(f"{at}/account")
        look("provider-account")
        page.locator("#before-match").fill("not it")
        page.locator("form[action='/account/provider'] button").press("Enter")
        page.wait_for_selector("[role=alert]")
        look("provider-refused")
        page.locator("#before-match").fill("nine green bottles")
        page.keyboard.press("Enter")
        page.wait_for_selector("a.button-main")
        look("provider-match")
        page.goto(f"{at}/account")
        page.locator("form[action='/account/phone'] button").click()
        page.locator("input[name=before]").fill("nine green bottles")
        secret = page.locator("input[name=secret]").get_attribute("value")
        page.locator("input[name=code]").fill(pyotp.TOTP(secret).at(clock()))
        page.keyboard.press("Enter")
        page.wait_for_selector("code")
        look("recovery-codes")
        monkeypatch.setattr(exports, "FREE", Level.PUBLIC)  # nothing of this estate is graded higher
        page.goto(f"{at}/orders/table.csv")
        look("graded-table")
    assert [f"{name}: {words}" for name, all_words in found.items() for words in all_words] == []


def test_axe_would_find_something(looked_at, estate):
    _, address = estate
    page = looked_at("", "en", 390, "light")
    page.goto(f"{address}/sign-in")
    page.evaluate("document.querySelector('label').remove()")
    assert any(re.match("label:", words) for words in page.evaluate(RUN))


def test_the_pages_of_accounts_are_gone_through_by_keyboard(looked_at, estate, paths):
    """Tab comes by every control once, in the order of the page, and each shows that it has the focus."""
    _, address = estate
    page = looked_at("Keys", "en", 1440, "light")
    for name in ("people", "person", "account", "roles"):
        page.goto(address + paths[name])
        controls = page.evaluate(
            "[...document.querySelectorAll('main :is(a, button, input:not([type=hidden]), select, summary)')]"
            ".filter(e => e.checkVisibility()).length"
        )
        page.locator("main").evaluate("e => { e.tabIndex = -1; e.focus(); }")
        reached, outlined = [], []
        for _ in range(controls * 4):  # a date has a few stops of its own
            page.keyboard.press("Tab")
            at = page.evaluate(
                "(() => { const e = document.activeElement, all = [...document.querySelectorAll('main *')];"
                " return [all.indexOf(e), e.type === 'date' || e.matches(':focus-visible')]; })()"
            )
            if at[0] < 0:
                break
            reached.append(at[0])
            outlined.append(at[1])
        assert len(set(reached)) == controls, name
        assert reached == sorted(reached), name
        assert all(outlined), name
