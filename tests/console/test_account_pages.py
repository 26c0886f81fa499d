"""People, roles, audit and one's own account, as pages: who comes in how, and who changes what of whom."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from io import StringIO

import httpx
import pyotp
import pytest
from rigs.patience import PATIENCE_S
from rigs.sample import NOW
from rigs.serving import served
from rigs.visitor import post

from console.guesses import MOST
from facility.rights import Act, Role
from stores.access import trail
from stores.records.accounts import sign_in
from stores.records.accounts.accounts import Accounts
from stores.records.accounts.grants import Grant, Grants, RolePart
from stores.records.accounts.sessions import Sessions
from stores.records.accounts.sign_in import SignIn
from stores.records.audit import Audit
from stores.records.people import People

GOOD, BETTER, KNOWN = "nine green bottles", "another good one 7", "Password1234"


@pytest.fixture
def clock():
    return [NOW + timedelta(seconds=1)]


@pytest.fixture
def running(sample, clock, monkeypatch):
    monkeypatch.setattr(sign_in, "fits", lambda password, kept: kept == f"hash of {password}")
    monkeypatch.setattr(sign_in, "hash_of", lambda password: f"hash of {password}")
    with served(sample.store, sample.records, lambda: clock[0]) as (address, _):
        yield address


@pytest.fixture
def browser(running):
    """A fresh browser; a name signs it in by a link."""
    opened = []

    def open_browser(agent="Firefox"):
        headers = {"accept": "text/html", "user-agent": agent}
        opened.append(httpx.Client(base_url=running, headers=headers, timeout=PATIENCE_S, trust_env=False))
        return opened[-1]

    yield open_browser
    for one in opened:
        one.close()


@pytest.fixture
def signed_in(browser, sample, clock):
    def client(name, *grants, agent="Firefox"):
        link = People(sample.records).invite(name, clock[0])
        for one in grants:
            Grants(sample.records).give(name, one, "test", clock[0])
        made = browser(agent)
        assert made.post("/sign-in", data={"token": link}).status_code == 303
        return made

    return client


@pytest.fixture
def admin(signed_in, sample):
    sample.session("Ada")
    return signed_in("Ada")


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_somebody_is_let_in_sets_a_password_and_comes_in_by_it(admin, browser, sample):
    answer = post(admin, "/people", name="Bo", role="facilities", where="building:lib", level="sensitive", until="")
    link = re.search(r'value="http://[^"]+/sign-in\?token=([^"]+)"', answer.text)[1]
    bo = browser()
    assert bo.post("/sign-in", data={"token": link}).status_code == 303
    assert browser().post("/sign-in", data={"token": link}).status_code == 403, "a second use of a link"
    assert "Riverside Library" in bo.get("/").text
    assert bo.get("/buildings/office").status_code == 404
    assert post(bo, "/account/password", password=KNOWN).status_code == 422
    assert post(bo, "/account/password", password=GOOD).headers["location"] == "/account?done=password"
    again = browser()
    form = {"name": "Bo", "password": GOOD}
    wrong = again.post("/sign-in/password", data=form | {"password": "x"})
    assert wrong.status_code == 403
    assert "Name, password or code is not right." in wrong.text
    assert again.post("/sign-in/password", data=form).status_code == 303
    assert again.get("/buildings/lib").status_code == 200
    changed = post(again, "/account/password", before="not it", password=BETTER)
    assert changed.status_code == 403
    assert post(again, "/account/password", before=GOOD, password=BETTER).status_code == 303
    assert bo.get("/account").status_code == 303, "all other sessions have ended"
    assert sample.catalogue.building["lib"]


def test_a_first_password_is_set_soon_after_the_link_or_not_at_all(signed_in, clock):
    """A thief who finds the browser open an hour later cannot take the account over."""
    client = signed_in("Cy", Grant(Role.VIEWER))
    clock[0] += timedelta(minutes=16)
    assert post(client, "/account/password", password=GOOD).status_code == 403


def test_a_phone_is_set_up_and_asked_for(signed_in, browser, clock, sample):
    client = signed_in("Di", Grant(Role.VIEWER))
    assert post(client, "/account/password", password=GOOD).status_code == 303
    shown = post(client, "/account/phone").text
    assert "<svg" in shown
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', shown)[1]
    assert f"secret={secret}" not in shown
    form = {"secret": secret, "before": GOOD}
    assert post(client, "/account/phone/confirm", code="000000", **form).status_code == 422
    assert (
        post(client, "/account/phone/confirm", code=pyotp.TOTP(secret).at(clock[0]), secret=secret).status_code == 403
    )
    done = post(client, "/account/phone/confirm", code=pyotp.TOTP(secret).at(clock[0]), **form)
    codes = re.findall(r"<code>([0-9a-f]{6}-[0-9a-f]{6})</code>", done.text)
    assert len(codes) == 10
    other = browser()
    name = {"name": "Di", "password": GOOD}
    assert other.post("/sign-in/password", data=name).status_code == 403
    assert other.post("/sign-in/password", data=name | {"code": codes[0]}).status_code == 303
    assert "Recovery codes left: 9" in other.get("/account").text


def test_sessions_are_listed_with_where_they_are_and_ended_one_by_one(signed_in, sample, clock):
    here, there = (
        signed_in("Eli", *grants, agent=agent) for agent, grants in (("Here", [Grant(Role.VIEWER)]), ("There", []))
    )
    text = here.get("/account").text
    assert "Here" in text
    assert "There" in text
    (other,) = [one for one in Sessions(sample.records).of("Eli", clock[0]) if one.browser == "There"]
    assert post(here, "/account/sessions/end", session=other.id).status_code == 303
    assert there.get("/account").status_code == 303
    sample.session("Ada")
    (foreign, *_) = Sessions(sample.records).of("Ada", clock[0])
    assert post(here, "/account/sessions/end", session=foreign.id).status_code == 404, "none of one's own"
    assert Audit(sample.records).entries(limit=1)[0].what == "access.denied"


def test_coming_and_going_and_a_forged_form_are_on_record(signed_in, sample):
    client = signed_in("Gil", Grant(Role.VIEWER))
    assert client.post("/language", data={"language": "en", "csrf": "forged"}).status_code == 403
    assert post(client, "/sign-out").status_code == 303
    newest = Audit(sample.records).entries(limit=2)
    assert [(one.who, one.what) for one in newest] == [("Gil", "person.sign_out"), ("Gil", "access.denied")]
    assert newest[1].subject == "POST /language"


def test_a_cookie_in_another_browser_opens_nothing(signed_in, browser, sample):
    client = signed_in("Flo", Grant(Role.VIEWER))
    thief = browser("curl")
    thief.cookies.set("meterhouse_session", client.cookies["meterhouse_session"])
    assert thief.get("/account").status_code == 303
    assert client.get("/account").status_code == 303, "and it ends"
    assert Audit(sample.records).entries(limit=1)[0].what == "person.stolen_session"


@pytest.mark.parametrize("name", ["token", "session", "meterhouse_session"])
def test_a_session_in_an_address_or_a_header_signs_nobody_in(signed_in, browser, name):
    session = signed_in("Gus", Grant(Role.VIEWER)).cookies["meterhouse_session"]
    assert browser().get("/account", params={name: session}).status_code == 303
    assert browser().get("/account", headers={"authorization": f"Bearer {session}"}).status_code == 303


def test_nobody_changes_what_they_themselves_may_do(admin, sample):
    changes = Accounts(sample.records).account("Ada").changes
    before = Grants(sample.records).of("Ada", NOW)
    given = {"role": "viewer", "where": "site:", "level": "every", "changes": changes}
    assert post(admin, "/people/Ada/give", **given).status_code == 403
    assert post(admin, "/people/Ada/take", grant=before[0].id, changes=changes).status_code == 403
    assert post(admin, "/people/Ada/close", changes=changes).status_code == 403
    assert post(admin, "/people", name="Ada", role="viewer").status_code == 403
    assert Grants(sample.records).of("Ada", NOW) == before


def test_a_role_is_given_for_a_part_and_taken_and_two_editors_do_not_undo_each_other(admin, sample):
    post(admin, "/people", name="Hal", role="viewer")
    page = admin.get("/people/Hal").text
    changes = re.search(r'name="changes" value="(\d+)"', page)[1]
    given = {"role": "contractor", "where": "department:nowhere", "level": "internal", "changes": changes}
    refused = post(admin, "/people/Hal/give", **given)
    assert (refused.status_code, "There is no such building or department" in refused.text) == (422, True)
    given |= {"where": "building:lib", "until": "2099-12-31"}
    assert post(admin, "/people/Hal/give", **given).status_code == 303
    late = post(admin, "/people/Hal/give", **given)
    assert (late.status_code, "Somebody was quicker" in late.text or late.status_code == 409) == (409, True)
    page = admin.get("/people/Hal").text
    assert "Riverside Library" in page
    grant, changes = (
        re.findall(r'name="grant" value="(\d+)"', page)[0],
        re.search(r'name="changes" value="(\d+)"', page)[1],
    )
    assert post(admin, "/people/Hal/take", grant=grant, changes=changes).status_code == 303
    assert len(Grants(sample.records).of("Hal", NOW)) == 1


NO_FORMS = (
    {"role": "root"}, {"level": "core"}, {"level": "x"}, {"name": ""}, {"where": "planet:x"}, {"until": "soon"},
    {"name": "\u202e"}, {"role": "auditor", "where": "building:lib"},
)  # fmt: skip


@pytest.mark.parametrize("form", NO_FORMS)
def test_what_no_form_of_ours_says_is_refused(admin, form):
    assert post(admin, "/people", **({"name": "Ida", "role": "viewer"} | form)).status_code == 422


def test_who_leaves_is_shown_out_at_once(admin, signed_in, sample):
    client = signed_in("Jo", Grant(Role.VIEWER))
    assert client.get("/").status_code == 200
    changes = Accounts(sample.records).account("Jo").changes
    assert post(admin, "/people/Jo/close", changes=changes).status_code == 303
    assert client.get("/").status_code == 303
    assert "has left" in admin.get("/people").text
    assert post(admin, "/people/Jo/link").status_code in {409, 422}


def test_an_auditor_reads_the_trail_and_nothing_else_and_that_is_on_record(signed_in, sample):
    client = signed_in("Kit", Grant(Role.AUDITOR))
    assert client.get("/").headers["location"] == "/audit"
    page = client.get("/audit", params={"what": "person.", "who": "Kit"})
    assert page.status_code == 200
    assert "person.sign_in" in page.text
    assert "alert." not in text_of(page)
    assert client.get("/people").status_code == 403
    assert client.get("/buildings/lib").status_code == 404
    lines = list(csv.reader(StringIO(client.get("/audit.csv", params={"who": "Kit"}).text)))
    assert lines[0] == ["seq", "at", "who", "what", "subject", "detail"]
    assert {line[2] for line in lines[1:]} == {"Kit"}
    newest = Audit(sample.records).entries(limit=1)[0]
    assert (newest.who, newest.what) == ("Kit", "audit.export")
    assert "as it was written" in client.get("/audit/whole").text
    assert client.get("/audit", params={"first": "yesterday"}).status_code == 404
    assert client.get("/audit", params={"last": "9999-12-31"}).status_code == 404


def test_a_long_trail_leaves_in_pieces_that_say_what_is_in_them(signed_in, monkeypatch):
    monkeypatch.setattr(trail, "MOST_EXPORTED", 3)
    client, seen, before = signed_in("Lu", Grant(Role.AUDITOR)), [], {}
    for _ in range(2):
        answer = client.get("/audit.csv", params=before)
        piece = [int(line[0]) for line in list(csv.reader(StringIO(answer.text)))[1:]]
        assert f'filename="audit-{piece[-1]}-{piece[0]}.csv"' in answer.headers["content-disposition"]
        seen, before = seen + piece, {"before": piece[-1]}
    assert seen == list(range(seen[0], seen[0] - 6, -1))


def test_what_a_stranger_wrote_computes_nothing_in_a_spreadsheet(signed_in, sample):
    Audit(sample.records).append(NOW, "", "person.sign_in_refused", "=HYPERLINK(1)", "+1")
    client = signed_in("Liv", Grant(Role.AUDITOR))
    (line,) = list(csv.reader(StringIO(client.get("/audit.csv", params={"subject": "=HYPERLINK(1)"}).text)))[1:]
    assert line[4:] == ["'=HYPERLINK(1)", "'+1"]


def test_X5_a_thousand_attempts_hash_a_few_passwords_and_keep_nobody_else_out(browser, signed_in, monkeypatch):
    """From one address; a name that many addresses try is locked by the records."""
    hashed = []
    monkeypatch.setattr(sign_in, "fits", lambda password, kept: hashed.append(password) or False)
    inside = signed_in("Mo", Grant(Role.VIEWER))
    guesser = browser()
    answers = [guesser.post("/sign-in/password", data={"name": f"n{n}", "password": "x"}) for n in range(1000)]
    assert [one.status_code for one in answers] == [403] * MOST + [429] * (1000 - MOST)
    assert len(hashed) == MOST
    assert int(answers[-1].headers["retry-after"]) > 0
    assert inside.get("/").status_code == 200


def test_a_locked_name_is_answered_like_any_other(browser, sample, clock, running):
    for name in ("Nemo", "Ada"):
        for _ in range(10):
            with pytest.raises(Exception, match="not right"):
                SignIn(sample.records).prove(name, "x", "", clock[0], 60, sign_in.Browser("x"))
        answer = browser().post("/sign-in/password", data={"name": name, "password": GOOD})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "901")


def test_everybody_sees_the_table_of_roles_and_a_person_without_one_is_told_so(signed_in):
    client = signed_in("Nia")
    assert client.get("/").headers["location"] == "/account"
    assert "You have no role yet" in client.get("/account").text
    table = client.get("/roles")
    assert table.status_code == 200
    assert table.text.count('<th scope="row">') == len(Act)
    assert RolePart.SITE
