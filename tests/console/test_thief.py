"""What somebody gets who finds a phone unlocked, with a session, letters and codes on it; and how that ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count

import httpx
import pyotp
import pytest
from rigs.console_routes import routes
from rigs.patience import PATIENCE_S
from rigs.photos import jpeg
from rigs.sample import NOW
from rigs.serving import served
from rigs.visitor import next_event, post

from console.guesses import Guesses
from facility.order import OrderPlace, OrderWish, Skill
from facility.rights import Role
from facility.work import Severity
from stores.records.accounts import sign_in
from stores.records.accounts.grants import Grant, Grants
from stores.records.accounts.second_factor import SecondFactor
from stores.records.accounts.sign_in import SignIn
from stores.records.audit import Audit, AuditFilter
from stores.records.letters.take_links import TakeLinks
from stores.records.orders.order_files import OrderFiles
from stores.records.orders.orders import Orders
from stores.records.people import People

GOOD, BETTER = "nine green bottles", "another good one 7"
AT = NOW + timedelta(seconds=1)
NUMBERS = count()


@pytest.fixture(scope="module")
def console(sample):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sign_in, "fits", lambda password, kept: kept == f"hash of {password}")
        patch.setattr(sign_in, "hash_of", lambda password: f"hash of {password}")
        with served(sample.store, sample.records, lambda: AT) as running:
            yield running


@pytest.fixture(autouse=True)
def _patient(console):
    """Each test's wrong guesses are counted for themselves."""
    console[1].state.parts = replace(console[1].state.parts, guesses=Guesses())


@pytest.fixture
def browser(console):
    opened = []

    def new(agent="Firefox on a phone"):
        headers = {"accept": "text/html", "user-agent": agent}
        opened.append(httpx.Client(base_url=console[0], headers=headers, timeout=PATIENCE_S, trust_env=False))
        return opened[-1]

    yield new
    for one in opened:
        one.close()


@pytest.fixture
def owner(console, sample):
    """Has a password and may look at the site, and take what happens there."""
    name = f"Mo {next(NUMBERS)}"
    People(sample.records).invite(name, AT)
    Grants(sample.records).give(name, Grant(Role.FACILITIES), "test", AT)
    SignIn(sample.records).set_password(name, GOOD, AT)
    return name


@pytest.fixture
def phone(browser, owner):
    """The unlocked phone: signed in."""
    found = browser()
    assert found.post("/sign-in/password", data={"name": owner, "password": GOOD}).status_code == 303
    return found


@pytest.fixture
def photo(sample):
    orders = Orders(sample.records)
    order = orders.make(OrderWish(OrderPlace("lib"), Skill.GENERAL, Severity.ACT, "Mend it"), "Mo", AT)
    kept = OrderFiles(sample.records).add(order.id, "tap.jpg", jpeg(), "Mo", AT)
    yield f"/orders/{order.id}/files/{kept}"
    orders.call_off(order.id, "", "test", AT, based_on=orders.one(order.id).acts)


@pytest.fixture
def letters(sample, owner):
    """Links in letters on the phone: to take a case, and to come in."""
    case = next(one for one in sample.alerts.values() if one.state.value == "open")
    token = TakeLinks(sample.records).make(owner, case.id, AT)
    return {"alert": str(case.id), "token": token}, People(sample.records).invite(owner, AT)


LOOKS = ("/", "/buildings/lib", "/alerts", "/live?of=estate", "/events?of=estate", "/account", "/orders/table.csv")


def opens(browser, path):
    """Whether a path tells its reader anything: as a page, as a part of one, or to a program."""
    with browser.stream("GET", path, headers={"hx-request": "true"}) as part:
        answers = [part.status_code]
    with browser.stream("GET", path, headers={"accept": "application/json"}) as plain:
        answers.append(plain.status_code)
    return {status < 300 for status in answers} == {True}


def away(browser, owner, form):
    """The owner, from another device."""
    other = browser("Firefox on a desk")
    assert other.post("/sign-in/password", data={"name": owner, "password": GOOD}).status_code == 303
    assert form(other).status_code in {200, 303}


def set_up(other):
    secret = SecondFactor.new_secret()
    form = {"secret": secret, "code": pyotp.TOTP(secret).at(AT), "before": GOOD}
    return post(other, "/account/phone/confirm", **form)


WAYS = {
    "signs out everywhere": lambda other: post(other, "/account/sessions/end-others"),
    "sets another password": lambda other: post(other, "/account/password", before=GOOD, password=BETTER),
    "sets up another phone": set_up,
}


@pytest.mark.parametrize("way", WAYS)
def test_the_owner_ends_it_from_elsewhere(phone, browser, photo, letters, owner, way):
    """Pages, parts of pages, streams, photos, and what lies in the letters."""
    assert all(opens(phone, path) for path in (*LOOKS, photo))
    take, link = letters
    with phone.stream("GET", "/events?of=estate") as stream:
        lines = stream.iter_lines()
        assert next_event(lines)
        away(browser, owner, WAYS[way])
        assert sum(len(line) for line in lines) >= 0, "the stream ends by itself"
    assert not any(opens(phone, path) for path in (*LOOKS, photo))
    assert phone.post("/account/password", data={"password": BETTER, "csrf": "x"}).status_code in {303, 401}
    assert phone.get("/take", params=take).status_code == 403
    assert phone.post("/take", data=take).status_code == 403
    assert phone.post("/sign-in", data={"token": link}).status_code == 403


def test_an_administrator_who_forgets_the_phone_ends_what_it_opened(phone, sample, letters, owner):
    take, link = letters
    SecondFactor(sample.records).take_away(owner, "Sec", AT)
    assert not any(opens(phone, path) for path in LOOKS)
    assert phone.get("/take", params=take).status_code == 403
    assert phone.post("/sign-in", data={"token": link}).status_code == 403


def test_whoever_has_it_meanwhile_opens_no_way_in_of_their_own(phone, sample, owner):
    """Every way in that lasts asks for the password, which is not on the phone; each try counts as a wrong one."""
    before = len(Audit(sample.records).entries(limit=10_000))
    secret = SecondFactor.new_secret()
    code = pyotp.TOTP(secret).at(AT)
    assert post(phone, "/account/password", before="guess", password=BETTER).status_code == 403
    assert post(phone, "/account/phone/confirm", secret=secret, code=code, before="guess").status_code == 403
    assert post(phone, "/account/phone/confirm", secret=secret, code=code).status_code == 403
    for path in ("/people", f"/people/{owner}"):
        assert phone.get(path).status_code == 403
    for _ in range(10):
        post(phone, "/account/password", before="guess", password=BETTER)
    assert post(phone, "/account/password", before=GOOD, password=BETTER).status_code == 403, "locked for a while"
    new = Audit(sample.records).entries(limit=10_000)[:-before]
    assert {"person.locked", "access.denied"} == {one.what for one in new}


def test_a_stolen_recovery_code_is_no_way_in_and_its_use_is_on_record(browser, sample, owner):
    factor, secret = SecondFactor(sample.records), SecondFactor.new_secret()
    codes = factor.set_up(owner, secret, pyotp.TOTP(secret).at(AT), AT)
    thief = browser("curl")
    for form in ({"password": codes[0]}, {"password": " ", "code": codes[0]}, {"password": "guess", "code": codes[0]}):
        assert thief.post("/sign-in/password", data={"name": owner, **form}).status_code == 403
    assert thief.post("/sign-in", data={"token": codes[0]}).status_code == 403
    assert factor.codes_left(owner) == 10
    mine = browser()
    form = {"name": owner, "password": GOOD, "code": codes[1]}
    assert mine.post("/sign-in/password", data=form).status_code == 303
    (came, *_) = Audit(sample.records).entries(among=AuditFilter(who=owner, what="person.sign_in"))
    assert came.detail == "recovery_code, from 127.0.0.1"
    other = SecondFactor.new_secret()
    form = {"secret": other, "code": pyotp.TOTP(other).at(AT), "before": GOOD}
    assert post(mine, "/account/phone/confirm", **form).status_code == 200
    form = {"name": owner, "password": GOOD, "code": codes[2]}
    assert thief.post("/sign-in/password", data=form).status_code == 403, "the codes of before end with a new phone"


def test_nothing_that_is_personal_is_kept_or_handed_out_in_part(phone, console, photo, sample, owner):
    """Whoever finds the phone later finds nothing in its cache, and HEAD tells nobody more than GET."""
    order, _, file = photo.removeprefix("/orders/").split("/")
    case = next(iter(sample.alerts.values())).id
    parts = {"building_id": "lib", "alert_id": case, "order_id": order, "file_id": file, "item_id": 1, "number": 1}
    parts |= {"utility": "electricity", "name": owner}
    asked = {"range": "bytes=0-9", "if-none-match": "*", "if-modified-since": "Tue, 01 Dec 2099 00:00:00 GMT"}
    for path in sorted({path for method, path in routes(console[1], parts) if method == "GET"}):
        if path.startswith("/static/"):
            continue
        with phone.stream("GET", path, headers=asked) as answer:
            assert answer.headers["cache-control"] == "no-store", path
            assert answer.status_code not in {206, 304, 500}, path
            assert not {"etag", "last-modified", "accept-ranges"} & answer.headers.keys(), path
        head = phone.head(path)
        assert (head.content, head.headers["cache-control"]) == (b"", "no-store"), path
        assert head.status_code in {405, 303}, path
