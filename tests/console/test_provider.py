"""Signing in by the site's provider, against a real one: whom nobody matched gets in by no claim, and every wrong
answer is one sentence that is on record."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from rigs.command_line import meterhouse
from rigs.oidc_provider import CLIENT, SECRET, OidcProvider
from rigs.patience import PATIENCE_S
from rigs.sample import NOW
from rigs.serving import served
from rigs.visitor import post

from console.provider import Provider
from facility.errors import ConfigError, Rejected
from facility.rights import Role
from stores.access import Identity
from stores.records.accounts.accounts import Accounts
from stores.records.accounts.grants import Grant, Grants
from stores.records.accounts.identities import Identities
from stores.records.audit import Audit, AuditFilter
from stores.records.people import People

AT = NOW + timedelta(seconds=1)
BACK = "/sign-in/provider/back"


@pytest.fixture(scope="module")
def idp():
    with OidcProvider() as running:
        yield running


@pytest.fixture
def provider(idp):
    return Provider(idp.issuer, CLIENT, SECRET, "City id")


@pytest.fixture
def browsers(sample, provider):
    """Each a new one, at a console that has this provider."""
    opened = []
    with served(sample.store, sample.records, lambda: AT, provider=provider) as (address, _):

        def new():
            kept = {"headers": {"accept": "text/html", "user-agent": "a browser"}, "trust_env": False}
            opened.append(httpx.Client(base_url=address, timeout=PATIENCE_S, **kept))
            return opened[-1]

        yield new
        for one in opened:
            one.close()


@pytest.fixture
def li(sample, idp):
    """Somebody with an account, whom an administrator has matched."""
    People(sample.records).invite("Li", AT)
    Identities(sample.records).match("Li", Identity(idp.issuer, "li-at-city"), "Sec", AT)
    return "Li"


GOOD = "nine green bottles"


def walked(browser, idp, **next_one):
    """The answer with which the browser comes back from the provider."""
    idp.says_next(**next_one)
    led = browser.get("/sign-in/provider")
    assert led.status_code == 303, led.text
    return browser.get(idp.led_back(led.headers["location"]))


def refusals(sample):
    return [one.detail for one in Audit(sample.records).entries(among=AuditFilter(what="person.sign_in_refused"))]


def test_who_was_matched_comes_in_and_that_is_on_record(browsers, idp, li, sample):
    browser = browsers()
    assert "Sign in by City id" in browser.get("/sign-in").text
    answer = walked(browser, idp, sub="li-at-city")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/account").status_code == 200
    newest = Audit(sample.records).entries(among=AuditFilter(who=li, what="person.sign_in"))[0]
    assert newest.detail == f"provider {idp.issuer}, from 127.0.0.1"


def test_what_is_asked_is_bound_to_this_browser_and_to_this_once(browsers, idp):
    idp.says_next(sub="x")
    led = browsers().get("/sign-in/provider")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(led.headers["location"]).query).items()}
    assert asked["redirect_uri"].endswith(BACK)
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == ("code", "openid", "S256")
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 32
    cookie = led.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


WRONG = {
    "issuer": "the provider's answer has another issuer",
    "audience": "the provider's answer has another audience",
    "two audiences": "the provider's answer has another audience",
    "nonce": "the provider's answer has another nonce",
    "no nonce": "the provider's answer has another nonce",
    "expired": "the provider's answer has expired",
    "signature": "the provider's answer is not signed by the provider",
    "algorithm": "the provider's answer is not signed by the provider",
    "nobody": "the provider's answer names nobody",
    "refused": "the provider has let nobody in",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_answer_lets_nobody_in_and_is_one_sentence_on_record(browsers, idp, li, sample, wrong):
    browser = browsers()
    answer = walked(browser, idp, sub="li-at-city", wrong=wrong)
    assert answer.status_code == 403
    assert "vouched for nobody who is known here" in answer.text
    assert refusals(sample)[0] == WRONG[wrong]
    assert browser.get("/account").headers["location"] == "/sign-in"


def test_an_answer_of_another_issuer_is_refused_before_its_code_goes_anywhere(browsers, idp, li, sample):
    assert walked(browsers(), idp, sub="li-at-city", iss="https://other.example").status_code == 403
    assert refusals(sample)[0] == "the answer comes from another issuer than was asked"


def test_a_code_works_once_and_in_the_browser_that_asked(browsers, idp, li, sample):
    idp.says_next(sub="li-at-city")
    browser, thief = browsers(), browsers()
    back = idp.led_back(browser.get("/sign-in/provider").headers["location"])
    assert thief.get(back).status_code == 403
    assert refusals(sample)[0] == "this sign-in was begun in another browser"
    state = browser.cookies["meterhouse_provider"]
    assert browser.get(back).status_code == 303
    browser.cookies.set("meterhouse_provider", state)
    assert browser.get(back).status_code == 403, "the same address once more"
    assert refusals(sample)[0] == "this sign-in was not begun here, has been finished, or took too long"
    code = parse_qs(urlsplit(back).query)["code"][0]
    again = browsers()
    mine = idp.led_back(again.get("/sign-in/provider").headers["location"])
    replayed = re.sub(r"code=[^&]+", f"code={code}", mine)
    assert again.get(replayed).status_code == 403, "a code that was used, in a sign-in of one's own"
    assert refusals(sample)[0] == "the provider does not take the code: it was used, is too old, or is another's"


def test_a_claim_alone_makes_nobody_an_account(browsers, idp, sample):
    before = {one.name for one in Accounts(sample.records).all_of()}
    assert walked(browsers(), idp, sub="a-stranger").status_code == 403
    assert refusals(sample)[0] == "nobody here is matched with this account of the provider"
    assert {one.name for one in Accounts(sample.records).all_of()} == before, "nor by the mail address of Li"


def test_who_was_invited_matches_their_own_account_and_comes_in_by_it_from_then_on(browsers, idp, sample):
    browser = browsers()
    link = People(sample.records).invite("Wang", AT)
    assert browser.post("/sign-in", data={"token": link}).status_code == 303
    idp.says_next(sub="wang-at-city")
    assert browser.post("/account/provider", data={"csrf": "x"}).status_code == 403
    page = post(browser, "/account/provider")
    address = re.search(r'href="(http://[^"]+/authorize[^"]+)"', page.text)[1].replace("&amp;", "&")
    assert browser.get(idp.led_back(address)).headers["location"] == "/account?done=matched"
    assert Audit(sample.records).entries(among=AuditFilter(what="person.match"))[0].who == "Wang"
    other = browsers()
    assert walked(other, idp, sub="wang-at-city").headers["location"] == "/"
    assert "Wang" in other.get("/account").text
    assert post(other, "/account/provider/forget").status_code == 303
    assert walked(browsers(), idp, sub="wang-at-city").status_code == 403


def test_who_finds_the_browser_open_matches_no_account_of_their_own(sample, provider, idp):
    """With a password it is asked for; without one the link must have been used a short while ago."""
    link, clock = People(sample.records).invite("Open", AT), [AT]
    with (
        served(sample.store, sample.records, lambda: clock[0], provider=provider) as (address, _),
        httpx.Client(base_url=address, headers={"accept": "text/html"}, trust_env=False) as browser,
    ):
        assert browser.post("/sign-in", data={"token": link}).status_code == 303
        clock[0] = AT + timedelta(minutes=16)
        refused = post(browser, "/account/provider")
        assert (refused.status_code, "authorize" in refused.text) == (403, False)
        again = People(sample.records).invite("Open", clock[0])
        assert browser.post("/sign-in", data={"token": again}).status_code == 303
        assert post(browser, "/account/password", password=GOOD).status_code == 303
        for wrong in ({}, {"before": "not it at all"}):
            assert post(browser, "/account/provider", **wrong).status_code == 403
        assert 'id="before-match"' in browser.get("/account").text
        led = post(browser, "/account/provider", before=GOOD)
        assert (led.status_code, "/authorize" in led.text) == (200, True)
    assert Identities(sample.records).of("Open") == []


def test_an_account_of_the_provider_is_one_persons(browsers, idp, li, sample):
    browser = browsers()
    link = People(sample.records).invite("Zhao", AT)
    browser.post("/sign-in", data={"token": link})
    idp.says_next(sub="li-at-city")
    address = re.search(r'href="(http://[^"]+/authorize[^"]+)"', post(browser, "/account/provider").text)[1]
    back = browser.get(idp.led_back(address.replace("&amp;", "&")))
    assert back.headers["location"] == "/account?done=taken"
    with pytest.raises(Rejected):
        Identities(sample.records).match("Zhao", Identity(idp.issuer, "li-at-city"), "Sec", AT)


def test_an_administrator_shows_a_code_of_their_phone_all_the_same(sample, provider, idp):
    People(sample.records).invite("Sec", AT)
    Grants(sample.records).give("Sec", Grant(Role.SECURITY_ADMINISTRATOR), "test", AT)
    Identities(sample.records).match("Sec", Identity(idp.issuer, "sec-at-city"), "test", AT)
    known = {"provider": provider, "second_factor": "administrators"}
    with (
        served(sample.store, sample.records, lambda: AT, **known) as (address, _),
        httpx.Client(base_url=address, headers={"accept": "text/html"}, trust_env=False) as browser,
    ):
        assert walked(browser, idp, sub="sec-at-city").headers["location"] == "/account/second-factor"
        assert browser.get("/people").status_code == 403


def test_who_has_left_comes_in_by_no_provider(browsers, idp, sample):
    People(sample.records).invite("Gone", AT)
    Identities(sample.records).match("Gone", Identity(idp.issuer, "gone-at-city"), "Sec", AT)
    Accounts(sample.records).close("Gone", "Sec", AT)
    assert walked(browsers(), idp, sub="gone-at-city").status_code == 403
    assert Identities(sample.records).of("Gone") == []


def test_a_key_that_is_new_is_asked_for(browsers, idp, li):
    assert walked(browsers(), idp, sub="li-at-city").status_code == 303
    assert walked(browsers(), idp, sub="li-at-city", new_key=True).status_code == 303


def test_a_provider_that_is_away_or_says_it_is_another_is_told_and_others_still_come_in(sample, idp):
    idp.says_next(sub="x", says="https://other.example")
    for issuer in (idp.issuer, "http://127.0.0.1:9"):
        with served(sample.store, sample.records, lambda: AT, provider=Provider(issuer, CLIENT, "", "")) as (
            address,
            _,
        ):
            answer = httpx.get(f"{address}/sign-in/provider", headers={"accept": "text/html"}, trust_env=False)
            assert (answer.status_code, "The provider does not answer" in answer.text) == (503, True)
            assert httpx.get(f"{address}/sign-in", trust_env=False).status_code == 200


@pytest.mark.parametrize("issuer", ["http://id.example", "ftp://id.example", "id.example", "https://", "https://a#b"])
def test_a_provider_is_asked_by_tls_alone(issuer):
    with pytest.raises(ConfigError, match="is no address of a provider"):
        Provider(issuer, CLIENT, SECRET, "")


def test_where_there_is_no_provider_there_is_no_way_by_one(stranger):
    assert "/sign-in/provider" not in stranger.get("/sign-in").text
    assert stranger.get("/sign-in/provider").status_code == 404


def test_an_administrator_at_the_machine_matches_people(tmp_path):
    assert meterhouse("sign-in", "--as", "Ada", data=tmp_path).returncode == 0
    done = meterhouse("people", "match", "Ada", "--subject", "ada-1", "--issuer", "https://id.example", data=tmp_path)
    assert (done.returncode, "signs in by ada-1" in done.stdout) == (0, True), done.stderr
    for words, sentence in (
        (("Ada", "--subject", "x"), "--issuer: is missing"),
        (("Bo", "--subject", "x", "--issuer", "https://id.example"), "there is no account of Bo"),
        (("Ada", "--subject", " ", "--issuer", "https://id.example"), "--subject"),
    ):
        refused = meterhouse("people", "match", *words, data=tmp_path)
        assert (refused.returncode != 0, sentence in refused.stderr) == (True, True), refused.stderr
    assert meterhouse("people", "match", "Ada", data=tmp_path).returncode == 0
