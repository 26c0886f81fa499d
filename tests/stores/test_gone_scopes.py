"""What a role shows whose building is gone, and what a clock that steps back does to roles, links and locks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from rigs.estate import PROFILES, SITE
from rigs.sample import NOW

from facility.documents.site import load_site
from facility.errors import Denied, Rejected
from facility.rights import Role
from stores.access import Access, LiveValues, kept_rights
from stores.readings.memory import MemoryStore
from stores.records.accounts.attempts import LOCKED, MOST
from stores.records.accounts.grants import Grant, Grants, RolePart
from stores.records.accounts.sign_in import SignIn, TooManyError
from stores.records.accounts.tokens import NO_BROWSER
from stores.records.audit import Audit
from stores.records.people import People
from stores.records.registry import Registry

WEEK = timedelta(days=7)


@pytest.fixture
def clock():
    return [NOW]


@pytest.fixture
def hall(engine):
    made = load_site(SITE, "site.yaml", PROFILES)
    Registry(engine).apply(made, by="test", at=NOW)
    return made


@pytest.fixture
def access(engine, hall, clock):
    store = MemoryStore()
    assert hall.building
    return Access(store, engine, LiveValues(store), kept_rights(engine, lambda: clock[0]), lambda: clock[0])


@pytest.fixture
def cy(engine):
    """A contractor of the one building."""
    People(engine).invite("Cy", NOW)
    Grants(engine).give("Cy", Grant(Role.CONTRACTOR, RolePart.BUILDING, "hall"), "Ada", NOW)
    return "Cy"


def test_a_role_in_a_building_that_is_gone_shows_nothing_and_can_be_taken(engine, access, hall, cy):
    """It does not widen to the site, nor come alive elsewhere; a building of that id, should it return, is theirs."""
    assert set(access.view(cy).catalogue.building) == {"hall"}
    annex = replace(hall.buildings[0], id="annex")
    moved = tuple(replace(meter, building="annex") for meter in hall.meters)
    spaces = tuple(replace(space, building="annex") for space in hall.spaces)
    Registry(engine).apply(replace(hall, buildings=(annex,), meters=moved, spaces=spaces), by="test", at=NOW)
    view = access.view(cy)
    assert (view.catalogue.buildings, view.catalogue.meters, view.catalogue.points) == ((), (), ())
    assert view.readings.latest() == {}
    with pytest.raises(Rejected):
        Grants(engine).give(cy, Grant(Role.VIEWER, RolePart.BUILDING, "hall"), "Ada", NOW)
    (gone,) = Grants(engine).of(cy, NOW)
    Grants(engine).take(cy, gone.id, "Ada", NOW)
    assert Grants(engine).of(cy, NOW) == []


def test_a_clock_that_steps_back_brings_a_role_back_no_further_than_it_says(engine, access, clock, cy):
    """An end is an instant: while the clock stands before it the role holds, and the trail keeps its own order."""
    Grants(engine).give(cy, Grant(Role.VIEWER, until=NOW + WEEK), "Ada", NOW)
    clock[0] = NOW + 2 * WEEK
    assert {one.role for one in Grants(engine).of(cy, clock[0])} == {Role.CONTRACTOR}
    Audit(engine).append(clock[0], "Ada", "look", "main")
    clock[0] = NOW - WEEK
    Audit(engine).append(clock[0], "Ada", "look", "main")
    newest, before = Audit(engine).entries(limit=2)
    assert newest.seq == before.seq + 1
    assert newest.at < before.at
    assert Audit(engine).verify()


def test_a_link_of_a_time_that_was_not_is_no_good_for_longer(engine, clock):
    """Made while the clock ran ahead: it works once, and never longer than it was made for."""
    people = People(engine)
    link = people.invite("Di", NOW + WEEK, 900)
    session = people.redeem(link, NOW, 3600)
    with pytest.raises(Denied, match="has been used"):
        people.redeem(link, NOW, 3600)
    assert people.person(session, NOW - timedelta(hours=1)) is None, "a session that begins in the future is none"


def test_a_clock_that_steps_back_locks_nobody_out_for_longer(engine):
    sign = SignIn(engine)
    for _ in range(MOST):
        with pytest.raises(Denied):
            sign.prove("Nemo", "x", "", NOW + WEEK, 60, NO_BROWSER)
    with pytest.raises(TooManyError):
        sign.prove("Nemo", "x", "", NOW + WEEK, 60, NO_BROWSER)
    with pytest.raises(Denied) as refused:
        sign.prove("Nemo", "x", "", NOW, 60, NO_BROWSER)
    assert not isinstance(refused.value, TooManyError)
    assert timedelta() < LOCKED < WEEK
