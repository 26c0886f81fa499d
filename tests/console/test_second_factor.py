"""Administrators have a phone: they set it up at the first sign-in, and their roles hold once it has shown its code."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pyotp
import pytest
from rigs.patience import PATIENCE_S
from rigs.sample import NOW
from rigs.serving import served
from rigs.visitor import post

from facility.rights import ADMINISTRATORS, Role
from stores.access import views
from stores.records.accounts.grants import Grant, Grants
from stores.records.accounts.second_factor import SecondFactor
from stores.records.audit import Audit, AuditFilter
from stores.records.people import People

STEP, SECRET = "/account/second-factor", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
GOOD = "nine green bottles"


@pytest.fixture
def clock():
    return [NOW + timedelta(seconds=1)]


@pytest.fixture(scope="module")
def served_to(sample):
    clock = [NOW]
    with served(sample.store, sample.records, lambda: clock[0], second_factor="administrators") as (address, _):
        yield address, clock


@pytest.fixture
def sign_in(served_to, sample, clock):
    """Somebody with roles, by a link: their browser, and where they were led first."""
    address, now = served_to
    opened = []

    def client(name, *roles):
        now[0] = clock[0]
        link = People(sample.records).invite(name, clock[0])
        for role in roles:
            Grants(sample.records).give(name, Grant(role), "test", clock[0])
        opened.append(
            httpx.Client(base_url=address, headers={"accept": "text/html"}, timeout=PATIENCE_S, trust_env=False)
        )
        return opened[-1], opened[-1].post("/sign-in", data={"token": link}).headers["location"]

    yield client
    for one in opened:
        one.close()


def code(at, later=0):
    return pyotp.TOTP(SECRET).at(at + timedelta(seconds=30 * later))


def enrol(client, at):
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', post(client, "/account/phone").text)[1]
    return secret, post(client, "/account/phone/confirm", secret=secret, code=pyotp.TOTP(secret).at(at))


PLACES = {Role.SECURITY_ADMINISTRATOR: "/people", Role.AUDITOR: "/audit", Role.SYSTEM_ADMINISTRATOR: "/buildings/lib"}


@pytest.mark.parametrize("role", sorted(ADMINISTRATORS))
def test_an_administrator_sets_up_a_phone_at_the_first_sign_in_and_is_one_from_then_on(sign_in, clock, role):
    client, first = sign_in(f"New {role}", role)
    assert first == STEP
    assert client.get(PLACES[role]).status_code in {403, 404}
    assert "Set up a phone" in client.get(STEP).text
    _, done = enrol(client, clock[0])
    assert done.status_code == 200
    assert client.get(PLACES[role]).status_code == 200


def test_another_role_of_theirs_holds_meanwhile_and_pages_say_what_waits(sign_in, sample):
    client, first = sign_in("Both", Role.OFFICER, Role.SECURITY_ADMINISTRATOR)
    assert first == STEP
    page = client.get("/buildings/lib")
    assert page.status_code == 200
    assert "wait for a code of your phone" in page.text
    assert client.get("/people").status_code == 403
    assert post(client, "/people", name="Mate", role="viewer").status_code == 403
    assert not People(sample.records).knows("Mate")


def test_a_link_is_no_second_factor_where_there_is_a_phone(sign_in, sample, clock):
    """Whoever gets hold of a link of an administrator, and not of the phone, is nobody's administrator."""
    client, _ = sign_in("Held", Role.SECURITY_ADMINISTRATOR)
    secret, _ = enrol(client, clock[0])
    thief, first = sign_in("Held")
    assert first == STEP
    assert thief.get("/people").status_code == 403
    shown = post(thief, "/account/phone").text
    another = re.search(r'name="secret" value="([A-Z2-7]{32})"', shown)[1]
    mine = post(thief, "/account/phone/confirm", secret=another, code=pyotp.TOTP(another).at(clock[0]))
    assert mine.status_code == 403, "another phone takes the place of none that has not shown its code"
    assert post(thief, STEP, code="000000").status_code == 422
    clock[0] += timedelta(seconds=60)
    right = pyotp.TOTP(secret).at(clock[0])
    sign_in("Clock")
    assert post(thief, STEP, code=right).headers["location"] == "/"
    assert thief.get("/people").status_code == 200
    found = Audit(sample.records).entries(among=AuditFilter(who="Held", what="person.second_factor"))
    assert len(found) == 1


def test_codes_are_not_guessed(sign_in, sample, clock):
    client, _ = sign_in("Guessed", Role.AUDITOR)
    SecondFactor(sample.records).set_up("Guessed", SECRET, code(clock[0]), clock[0])
    answers = [post(client, STEP, code=f"{n:06}").status_code for n in range(12)]
    assert answers == [422] * 10 + [429] * 2
    assert post(client, STEP, code=code(clock[0], 1)).status_code == 429


def test_who_is_no_administrator_is_asked_for_nothing(sign_in):
    client, first = sign_in("Plain", Role.VIEWER)
    assert first == "/"
    assert "wait for a code" not in client.get("/").text


def test_a_trial_asks_nobody(sample):
    with served(sample.store, sample.records, lambda: NOW, second_factor="nobody") as (address, _):
        link = People(sample.records).invite("Trial", NOW)
        Grants(sample.records).give("Trial", Grant(Role.SECURITY_ADMINISTRATOR), "test", NOW)
        with httpx.Client(base_url=address, headers={"accept": "text/html"}, timeout=PATIENCE_S) as client:
            assert client.post("/sign-in", data={"token": link}).headers["location"] == "/"
            assert client.get("/people").status_code == 200


def test_who_is_written_to_needs_no_phone(sample):
    """A system administrator hears of cases also while no phone was set up: they do nothing with them."""
    People(sample.records).invite("Reached", NOW)
    Grants(sample.records).give("Reached", Grant(Role.SYSTEM_ADMINISTRATOR), "test", NOW)
    view = views(sample.store, sample.records, lambda: NOW)("Reached")
    assert view.cases.alert(sample.alerts["night_waste"].id) is not None
