"""Roles, passwords, second factors, sessions: who gets in, what they may do, and how they leave."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import uuid4

import pyotp
import pytest
import sqlalchemy as sa
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from rigs.at_once import at_once
from rigs.estate import PROFILES, SITE
from rigs.old_records import make_old

from facility.documents.site import load_site
from facility.errors import Denied, Rejected
from facility.levels import Level
from facility.order import Skill
from facility.rights import ADMINISTRATORS, FIRST_ROLES, PERMISSIONS, Act, Role, acts_of, check_apart, parse_role
from facility.work import Finding, Severity
from stores.records.accounts import attempts, passwords, sign_in
from stores.records.accounts.accounts import Accounts
from stores.records.accounts.grants import Grant, Grants, RolePart
from stores.records.accounts.passwords import LIST, check_password
from stores.records.accounts.second_factor import SecondFactor
from stores.records.accounts.sessions import Sessions
from stores.records.accounts.sign_in import SignIn, TooManyError
from stores.records.accounts.tables import recovery_code
from stores.records.accounts.tokens import Browser
from stores.records.audit import Audit, AuditFilter
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.letters.contacts import Contacts
from stores.records.letters.letter import Contact
from stores.records.letters.tables import contact, letter
from stores.records.letters.take_links import TakeLinks
from stores.records.people import People
from stores.records.registry import Registry
from stores.records.roster.roster import DayOff, Roster
from stores.records.roster.tables import day_off, shift, worker
from stores.records.roster.worker import Worker, WorkShift
from stores.records.stale import Stale

HOUR = 3600
GOOD = "nine green bottles"
PHONE = Browser("Firefox on a phone", "192.0.2.7")


CHEAP = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


@pytest.fixture(autouse=True)
def cheap(request, monkeypatch):
    """What a password costs is looked at in one test; the others hash as quickly as can be."""
    if "costs" not in request.node.name:
        monkeypatch.setattr(passwords, "HASHER", CHEAP)
        monkeypatch.setattr(passwords, "NOBODYS", CHEAP.hash("nobody's"))


@pytest.fixture
def grants(engine, now):
    """The first administrator Ada, and Ben, who has nothing."""
    people = People(engine)
    for name in ("Ada", "Ben"):
        people.invite(name, now)
    made = Grants(engine)
    assert made.make_first("Ada", now, "Ada")
    return made


@pytest.fixture
def sign(engine, grants, now):
    made = SignIn(engine)
    made.set_password("Ben", GOOD, now)
    return made


def test_no_role_both_grants_access_and_keeps_the_trail_of_it():
    keeping = {Act.READ_AUDIT, Act.SIGN_AUDIT}
    assert PERMISSIONS.keys() == set(Act), "one line a permission"
    assert all(not (Act.GRANT in acts_of(role) and keeping & acts_of(role)) for role in Role)
    assert not keeping & {act for role in FIRST_ROLES for act in acts_of(role)}
    for role in (Role.SECURITY_ADMINISTRATOR, Role.SYSTEM_ADMINISTRATOR):
        with pytest.raises(Rejected, match="roles_apart"):
            check_apart([role, Role.AUDITOR])
    with pytest.raises(Rejected, match="'root' is not one of viewer, facilities"):
        parse_role("root")


def test_the_first_administrator_is_made_once_and_has_all_but_the_trail(grants, now):
    assert {one.role for one in grants.of("Ada", now)} == set(FIRST_ROLES)
    assert not grants.make_first("Ben", now, "Ben")
    assert grants.of("Ben", now) == []


def test_an_administrator_never_becomes_the_auditor_too(grants, now):
    with pytest.raises(Rejected, match="roles_apart"):
        grants.give("Ada", Grant(Role.AUDITOR), "Ada", now)
    grants.give("Ben", Grant(Role.AUDITOR), "Ada", now)
    with pytest.raises(Rejected, match="roles_apart"):
        grants.give("Ben", Grant(Role.SECURITY_ADMINISTRATOR), "Ada", now)


def test_the_last_administrator_cannot_be_removed_by_any_way(engine, grants, now):
    (theirs,) = [one for one in grants.of("Ada", now) if one.role is Role.SECURITY_ADMINISTRATOR]
    for way in (
        lambda: grants.take("Ada", theirs.id, "Ada", now),
        lambda: Accounts(engine).close("Ada", "Ben", now),
    ):
        with pytest.raises(Rejected, match="last_administrator"):
            way()
    grants.give("Ben", Grant(Role.SECURITY_ADMINISTRATOR, until=now + timedelta(days=1)), "Ada", now)
    with pytest.raises(Rejected, match="last_administrator"):  # who will be none tomorrow is no last one
        grants.take("Ada", theirs.id, "Ben", now)
    grants.give("Ben", Grant(Role.SECURITY_ADMINISTRATOR), "Ada", now)
    grants.take("Ada", theirs.id, "Ben", now)
    assert Role.SECURITY_ADMINISTRATOR not in {one.role for one in grants.of("Ada", now)}


def test_a_role_ends_at_its_time_and_is_audited_from_the_first_on(engine, grants, now):
    until = now + timedelta(hours=1)
    grants.give("Ben", Grant(Role.VIEWER, level=Level.INTERNAL, until=until), "Ada", now)
    assert [one.role for one in grants.of("Ben", until - timedelta(seconds=1))] == [Role.VIEWER]
    assert grants.of("Ben", until) == []
    with pytest.raises(Rejected, match="a time to come"):
        grants.give("Ben", Grant(Role.VIEWER, until=now), "Ada", now)
    entry = Audit(engine).entries(limit=1)[0]
    assert (entry.who, entry.what, entry.subject) == ("Ada", "person.give_role", "Ben")
    assert entry.detail == f"viewer, site, up to internal, until {until:%Y-%m-%d %H:%M} UTC"


def test_a_role_holds_in_parts_that_are_there_and_an_administrators_in_none(engine, grants, now):
    Registry(engine).apply(load_site(SITE, "site.yaml", PROFILES), by="test", at=now)
    grants.give("Ben", Grant(Role.CONTRACTOR, RolePart.BUILDING, "hall"), "Ada", now)
    for grant, reason in (
        (Grant(Role.CONTRACTOR, RolePart.BUILDING, "nowhere"), "unknown_part"),
        (Grant(Role.CONTRACTOR, RolePart.DEPARTMENT, "hall"), "unknown_part"),
        (Grant(Role.CONTRACTOR, RolePart.SITE, "hall"), "whole_site"),
        *((Grant(role, RolePart.BUILDING, "hall"), "whole_site") for role in ADMINISTRATORS),
    ):
        with pytest.raises(Rejected, match=reason):
            grants.give("Ben", grant, "Ada", now)
    with pytest.raises(Rejected, match="there is no account of Cy"):
        grants.give("Cy", Grant(Role.VIEWER), "Ada", now)


def test_two_administrators_who_edit_one_person_do_not_overwrite_each_other(engine, records_url, grants, now):
    seen = Accounts(engine).account("Ben").changes

    def give(records, number):
        Grants(records).give("Ben", Grant(Role.VIEWER), f"admin-{number}", now, based_on=seen)

    outcomes = at_once(records_url, 4, give)
    assert sum(one is None for one in outcomes) == 1
    assert sum(isinstance(one, Stale) for one in outcomes) == 3
    assert len(grants.of("Ben", now)) == 1


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("eleven char", "password_short"),
        ("x" * 129, "password_long"),
        ("Password1234", "password_known"),
        ("ＰＡＳＳＷＯＲＤ１２３４", "password_known"),
        ("abababababab", "password_known"),
        ("ben-ben-ben!?", "password_named"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password, reason):
    with pytest.raises(Rejected, match=reason):
        check_password(password, "ben-ben-ben!")


def test_the_list_of_known_passwords_holds_such_as_would_be_long_enough():
    lines = [line for line in LIST.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) > 1000
    assert all(len(line) >= 12 and line == line.casefold() for line in lines)


def test_a_password_lets_in_and_costs_who_guesses_it_argon2id(engine, sign, now):
    session = sign.prove("Ben", GOOD, "", now, HOUR, PHONE)
    assert People(engine).person(session, now, browser=PHONE).name == "Ben"
    with engine.connect() as connection:
        (kept,) = connection.execute(sa.text("SELECT password FROM person WHERE name = 'Ben'")).scalars()
    cost = "$argon2id$v=19$m=65536,t=3,p=4$"
    assert kept.startswith(cost)
    assert passwords.NOBODYS.startswith(cost), "nobody's costs as much"
    assert GOOD not in kept


def test_a_wrong_name_a_wrong_password_and_somebody_who_left_are_answered_alike(engine, sign, now):
    People(engine).invite("Cy", now)
    SignIn(engine).set_password("Cy", GOOD, now)
    Accounts(engine).close("Cy", "Ada", now)
    said = set()
    for name, password in (("Ben", "wrong"), ("Nobody", GOOD), ("Cy", GOOD), ("Ada", GOOD), ("", GOOD), ("\0", GOOD)):
        with pytest.raises(Denied) as refused:
            sign.prove(name, password, "", now, HOUR, PHONE)
        said.add((type(refused.value), str(refused.value)))
    assert said == {(Denied, sign_in.REFUSED)}


def test_who_has_no_password_is_hashed_like_everybody(engine, sign, now, monkeypatch):
    hashed = []
    monkeypatch.setattr(sign_in, "fits", lambda password, kept: hashed.append(kept) or False)
    for name in ("Ben", "Ada", "Nobody"):
        with pytest.raises(Denied):
            sign.prove(name, GOOD, "", now, HOUR, PHONE)
    assert [kept is None for kept in hashed] == [False, True, True]


@pytest.mark.parametrize("name", ["Ben", "Nobody"])
def test_a_name_is_locked_for_a_while_whether_anybody_has_it_or_not(engine, sign, now, name):
    for _ in range(attempts.MOST):
        with pytest.raises(Denied, match="not right"):
            sign.prove(name, "wrong", "", now, HOUR, PHONE)
    with pytest.raises(TooManyError) as locked:
        sign.prove(name, GOOD, "", now, HOUR, PHONE)
    assert 0 < locked.value.wait_s <= 901
    assert Audit(engine).entries(limit=1)[0].what == "person.locked"
    other = sign.prove("Ben", GOOD, "", now, HOUR, PHONE) if name == "Nobody" else None
    assert (other is not None) == (name == "Nobody"), "others are let in"
    later = now + attempts.LOCKED
    if name == "Ben":
        assert sign.prove(name, GOOD, "", later, HOUR, PHONE)
        early = now - timedelta(days=1)  # the clock was put back: nobody waits a day for it
        assert sign.prove(name, GOOD, "", early, HOUR, PHONE)


def test_only_so_many_are_hashed_at_once(engine, sign, now, monkeypatch):
    inside, most, gate = [], [], threading.Event()

    def slow(_password, _kept):
        inside.append(1)
        most.append(len(inside))
        gate.wait(5)
        inside.pop()
        return False

    monkeypatch.setattr(sign_in, "fits", slow)
    monkeypatch.setattr(sign_in, "TURN_S", 0.05)
    outcomes = []

    def come(number):
        try:
            sign.prove(f"guest-{number}", "x", "", now, HOUR, PHONE)
        except Denied as refused:
            outcomes.append(type(refused))

    threads = [threading.Thread(target=come, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads[: -sign_in.AT_ONCE]:
        thread.join(0.2)
    gate.set()
    for thread in threads:
        thread.join(20)
    assert max(most) <= sign_in.AT_ONCE
    assert outcomes.count(TooManyError) == 5 - sign_in.AT_ONCE


@pytest.fixture
def phone(engine, sign, now):
    """Ben's second factor, and its recovery codes."""
    secret = SecondFactor.new_secret()
    codes = SecondFactor(engine).set_up("Ben", secret, pyotp.TOTP(secret).at(now), now)
    return pyotp.TOTP(secret), codes


def test_with_a_second_factor_a_password_alone_lets_nobody_in_and_a_code_works_once(engine, sign, phone, now):
    totp, codes = phone
    later = now + timedelta(minutes=2)
    for code in ("", "000000", totp.at(now), totp.at(later + timedelta(minutes=5)), "１２３４５６", codes[0][:-1]):
        with pytest.raises(Denied, match="not right"):
            sign.prove("Ben", GOOD, code, later, HOUR, PHONE)
    session = sign.prove("Ben", GOOD, f" {totp.at(later)} ", later, HOUR, PHONE)
    assert Sessions(engine).of("Ben", later)[0].proof == "second_factor"
    assert session
    with pytest.raises(Denied):
        sign.prove("Ben", GOOD, totp.at(later), later, HOUR, PHONE)
    back = later - timedelta(minutes=1)  # the clock was put back: a code of that minute was used or is older
    with pytest.raises(Denied):
        sign.prove("Ben", GOOD, totp.at(back), back, HOUR, PHONE)


def test_a_recovery_code_works_once_and_is_kept_as_a_digest(engine, sign, phone, now):
    _, codes = phone
    assert len(codes) == 10
    assert sign.prove("Ben", GOOD, codes[3].upper(), now, HOUR, PHONE)
    with pytest.raises(Denied):
        sign.prove("Ben", GOOD, codes[3], now, HOUR, PHONE)
    assert SecondFactor(engine).codes_left("Ben") == 9
    came = Audit(engine).entries(among=AuditFilter(what="person.sign_in"))[0]
    assert came.detail == f"recovery_code, from {PHONE.address}", "which of the two it was is on record"
    with engine.connect() as connection:
        assert not {code for code in codes if code in str(connection.execute(sa.select(recovery_code)).all())}


def test_a_phone_is_believed_once_it_shows_its_code_and_can_be_forgotten(engine, sign, phone, now):
    with pytest.raises(Rejected, match="wrong_code"):
        SecondFactor(engine).set_up("Ben", SecondFactor.new_secret(), "123456", now)
    SecondFactor(engine).take_away("Ben", "Ada", now)
    assert sign.prove("Ben", GOOD, "", now, HOUR, PHONE)
    with pytest.raises(Denied):
        sign.prove("Ben", phone[1][0], "", now, HOUR, PHONE)


def test_a_stolen_session_ends_in_the_browser_of_another(engine, sign, now):
    session = sign.prove("Ben", GOOD, "", now, HOUR, PHONE)
    people = People(engine)
    assert people.person(session, now, browser=Browser(PHONE.name, "198.51.100.1")), "a phone changes its address"
    assert people.person(session, now, browser=Browser("curl/8", "203.0.113.5")) is None
    assert people.person(session, now, browser=PHONE) is None
    entry = Audit(engine).entries(limit=1)[0]
    assert (entry.what, entry.subject, entry.detail) == ("person.stolen_session", "Ben", "from 203.0.113.5")


def test_a_clock_that_is_put_back_ends_the_sessions_of_the_time_that_was_not(engine, sign, now):
    session, people = sign.prove("Ben", GOOD, "", now, HOUR, PHONE), People(engine)
    assert people.person(session, now - timedelta(minutes=4))
    assert people.person(session, now - timedelta(minutes=6)) is None
    assert people.person(session, now - timedelta(days=365)) is None


def test_ones_own_sessions_are_listed_and_ended(engine, sign, now):
    first, second = (sign.prove("Ben", GOOD, "", now + timedelta(seconds=n), HOUR, PHONE) for n in range(2))
    sessions, people = Sessions(engine), People(engine)
    listed = sessions.of("Ben", now)
    assert [(one.id, one.browser, one.address) for one in listed] == [
        (token.partition(".")[0], PHONE.name, PHONE.address) for token in (second, first)
    ]
    with pytest.raises(Rejected, match="no such session"):
        sessions.end("Ada", listed[0].id, now)
    sessions.end("Ben", listed[0].id, now)
    assert people.person(second, now) is None
    assert people.person(first, now)
    third = sign.prove("Ben", GOOD, "", now, HOUR, PHONE)
    sessions.end_all("Ben", "Ben", now, but=third.partition(".")[0])
    assert people.person(first, now) is None
    assert people.person(third, now)


def test_who_leaves_hands_over_their_cases_and_keeps_nothing(engine, grants, sign, phone, now):
    Registry(engine).apply(load_site(SITE, "site.yaml", PROFILES), by="test", at=now)
    grants.give("Ben", Grant(Role.CONTRACTOR, RolePart.BUILDING, "hall"), "Ada", now)
    session = sign.prove("Ben", GOOD, phone[1][0], now, HOUR, PHONE)
    link = People(engine).invite("Ben", now)
    finding = Finding(
        "door_left_open", "hall-door/door_open/total", "hall-door", "hall", now, now, Severity.WATCH, 0.9, ()
    )
    casebook = Casebook(engine)
    case = casebook.record(finding, money=None, notify=False)
    casebook.acknowledge(case.id, "Ben", now, based_on=case.acts)
    accounts = Accounts(engine)
    with pytest.raises(Rejected, match="Ben has taken 1 case: say who takes over"):
        accounts.close("Ben", "Ada", now)
    with pytest.raises(Rejected, match="no account of Nobody"):
        accounts.close("Ben", "Ada", now, hand_to="Nobody")
    assert accounts.close("Ben", "Ada", now, hand_to="Ada") == 1
    assert casebook.alert(case.id).acknowledged_by == "Ada"
    step = casebook.timeline(case.id)[-1]
    assert (step.what, step.by, step.note) == ("handed_over", "Ada", "Ben → Ada")
    assert People(engine).person(session, now) is None
    for come in (
        lambda: People(engine).redeem(link, now, HOUR),
        lambda: sign.prove("Ben", GOOD, phone[1][1], now, HOUR, PHONE),
    ):
        with pytest.raises(Denied):
            come()
    with pytest.raises(Rejected, match="unknown_person"):
        People(engine).invite("Ben", now)
    assert grants.of("Ben", now) == []
    closed = accounts.account("Ben")
    assert (closed.closed_at, closed.has_password, closed.has_second_factor, closed.cases) == (now, False, False, 0)


def test_who_signs_out_everywhere_is_reached_by_no_link_either(engine, sign, now):
    """Whoever found their phone reads the letters on it."""
    people, sessions, alert = People(engine), Sessions(engine), uuid4()
    here = sign.prove("Ben", GOOD, "", now, HOUR, PHONE)
    letter_link = TakeLinks(engine).make("Ben", alert, now)
    others = TakeLinks(engine).make("Ada", alert, now)
    invitation = people.invite("Ben", now)
    sessions.end_all("Ben", "Ben", now, but=here.partition(".")[0])
    with pytest.raises(Denied, match="not known"):
        TakeLinks(engine).owner(alert, letter_link, now)
    with pytest.raises(Denied, match="not known"):
        people.redeem(invitation, now, HOUR)
    assert TakeLinks(engine).owner(alert, others, now) == "Ada"
    assert people.person(here, now)


def test_who_leaves_is_on_no_roster(engine, sign, now):
    roster = Roster(engine)
    roster.put(Worker("Ben", frozenset({Skill.WATER})), "Ada", now)
    roster.plan([WorkShift("Ben", now, now + timedelta(hours=8))], [DayOff("Ben", now.date())], "Ada", now)
    Accounts(engine).close("Ben", "Ada", now)
    with engine.connect() as connection:
        left = [
            connection.execute(sa.select(table).where(table.c.name == "Ben")).all()
            for table in (worker, shift, day_off)
        ]
    assert left == [[], [], []]


def test_everybody_of_before_may_do_what_they_could_and_somebody_at_the_machine_administers(empty_url, now):
    at = now.isoformat(timespec="microseconds")
    make_old(empty_url, "0016", {"person": [{"name": name, "language": "", "created_at": at} for name in "AB"]})
    engine = open_records(empty_url)
    grants = Grants(engine)
    assert {one.role for one in grants.of("B", now)} == {Role.OFFICER, Role.SYSTEM_ADMINISTRATOR}
    assert all(one.level is None and one.part is RolePart.SITE for one in grants.of("A", now))
    assert grants.make_first("B", now, "B")
    assert {one.role for one in grants.of("B", now)} == set(FIRST_ROLES)
    engine.dispose()


def test_where_somebody_was_reached_goes_with_them(engine, now):
    """Also out of letters that were written: that they were written to stays."""
    People(engine).invite("Gone", now)
    Contacts(engine).add(Contact("Gone", "mail", "gone@example.org", ""), "Sec", now)
    row = {
        "id": "l", "name": "Gone", "courier": "mail", "address": "gone@example.org", "haste": "urgent", "agent": "",
        "created_at": now, "due_at": now, "state": "sent", "attempts": 1, "may_have_arrived": False, "why": "",
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(sa.insert(letter).values(row))
    Accounts(engine).close("Gone", "Sec", now)
    with engine.connect() as connection:
        assert connection.execute(sa.select(letter.c.address, letter.c.name)).all() == [("", "Gone")]
        assert connection.execute(sa.select(sa.func.count()).select_from(contact)).scalar() == 0
