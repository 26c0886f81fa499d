"""Who comes in, by which link, for how long."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from facility.errors import Denied, Rejected
from stores.records import tables
from stores.records.audit import Audit
from stores.records.database import writing
from stores.records.people import NO_WISH, People, Person

HOUR = 3600


@pytest.fixture
def people(engine):
    return People(engine)


def test_a_one_time_link_signs_in_once(people, now):
    link = people.invite("anna", now)
    session = people.redeem(link, now, HOUR)
    assert people.person(session, now) == Person("anna", NO_WISH, "link")
    with pytest.raises(Denied, match="has been used"):
        people.redeem(link, now, HOUR)
    assert people.person(session, now) is not None


def test_a_link_expires(people, now):
    link = people.invite("anna", now, valid_s=60)
    with pytest.raises(Denied, match="has expired"):
        people.redeem(link, now + timedelta(seconds=60), HOUR)
    with pytest.raises(Denied, match="not known"):
        people.redeem(link, now + timedelta(days=2), HOUR)


@pytest.mark.parametrize("forge", [lambda t: "", lambda t: "x.y", lambda t: t[:-1], lambda t: t.split(".")[0] + "."])
def test_a_forged_link_is_denied(people, now, forge):
    with pytest.raises(Denied, match="not known"):
        people.redeem(forge(people.invite("anna", now)), now, HOUR)


def test_a_link_is_no_session_and_a_session_no_link(people, now):
    link = people.invite("anna", now)
    assert people.person(link, now) is None
    session = people.redeem(link, now, HOUR)
    with pytest.raises(Denied):
        people.redeem(session, now, HOUR)


def test_a_session_ends_by_time_or_by_signing_out(people, now):
    first, second = (people.redeem(people.invite("anna", now), now, HOUR) for _ in range(2))
    assert people.person(first, now + timedelta(seconds=HOUR - 1))
    assert people.person(first, now + timedelta(seconds=HOUR)) is None
    people.sign_out(second, now)
    people.sign_out(second, now)
    assert people.person(second, now) is None
    assert people.person(first, now)


def test_secrets_are_not_kept(people, engine, now):
    session = people.redeem(people.invite("anna", now), now, HOUR)
    with engine.connect() as connection:
        kept = str(connection.execute(sa.select(tables.token)).all())
    assert session.split(".")[1] not in kept


def test_a_language_is_remembered(people, now):
    session = people.redeem(people.invite("anna", now), now, HOUR)
    people.set_language("anna", "zh-Hans")
    assert people.person(session, now) == Person("anna", "zh-Hans", "link")
    people.invite("anna", now)
    assert people.person(session, now) == Person("anna", "zh-Hans", "link")
    with pytest.raises(Rejected, match="'fr' is not one of en, zh-Hans"):
        people.set_language("anna", "fr")
    with pytest.raises(Rejected, match="bob"):
        people.set_language("bob", "en")


def test_coming_in_is_audited(people, engine, now):
    people.redeem(people.invite("anna", now), now, HOUR)
    assert [entry.what for entry in Audit(engine).entries()] == ["person.sign_in", "person.invite"]


@pytest.mark.parametrize("token", ["", ".", "x", "\0.\0", "\ud800.x", "é.é", "a.b" * 1000])
def test_a_token_of_another_shape_is_not_known(people, now, token):
    with pytest.raises(Denied, match="not known"):
        people.redeem(token, now, HOUR)
    assert people.person(token, now) is None


def test_guessing_waits_for_nobody_who_writes(people, now, engine):
    with writing(engine), pytest.raises(Denied, match="not known"):
        people.redeem("guess.ed", now, HOUR)
