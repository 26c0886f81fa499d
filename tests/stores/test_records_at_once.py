"""What must happen once happens once, however many do it at the same instant, on either kind of database."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from rigs.at_once import at_once, processes_open
from rigs.campus import estate
from rigs.poison import poison

from facility.errors import Denied
from facility.model import Name
from facility.work import Alert, Finding, Severity
from stores.records import tables
from stores.records.audit import Audit
from stores.records.casebook import Casebook
from stores.records.database import NEWEST, open_records, present_schema
from stores.records.errands import Errands
from stores.records.people import People
from stores.records.quarantine.quarantine import Quarantine
from stores.records.registry import Registry
from stores.records.stale import Stale

MANY = 10


def test_of_many_who_use_one_link_one_comes_in(records_url, engine, now):
    link = People(engine).invite("anna", now)
    got = at_once(records_url, MANY, lambda records, _: People(records).redeem(link, now, 3600))
    (session,) = [one for one in got if isinstance(one, str)]
    assert [str(one) for one in got if one != session] == ["this link has been used"] * (MANY - 1)
    assert all(isinstance(one, Denied) for one in got if one != session)
    assert People(engine).person(session, now).name == "anna"
    with engine.connect() as connection:
        assert len(connection.execute(sa.select(tables.token)).all()) == 2
    assert [entry.what for entry in Audit(engine).entries()] == ["person.sign_in", "person.invite"]


def test_many_invite_one_new_person(records_url, engine, now):
    links = at_once(records_url, MANY, lambda records, _: People(records).invite("anna", now))
    assert len(set(links)) == MANY
    assert all(People(engine).redeem(link, now, 60) for link in links)


def test_many_write_the_first_entry_of_the_audit(records_url, engine, now):
    got = at_once(records_url, MANY, lambda records, who: Audit(records).append(now, f"p{who}", "look", "main"))
    assert got == [None] * MANY
    assert [entry.seq for entry in Audit(engine).entries()] == list(range(MANY, 0, -1))
    assert {entry.who for entry in Audit(engine).entries()} == {f"p{who}" for who in range(MANY)}
    assert Audit(engine).verify()


def test_many_open_the_records_of_an_empty_database(empty_url, now):
    got = at_once(empty_url, 6, lambda records, who: Audit(records).append(now, f"p{who}", "look", "main"))
    assert got == [None] * 6
    engine = open_records(empty_url)
    assert (present_schema(engine), len(Audit(engine).entries())) == (NEWEST, 6)
    engine.dispose()


def test_processes_that_open_fresh_records_at_once_all_come_up(empty_url):
    assert processes_open(empty_url, 4) == [""] * 4
    engine = open_records(empty_url)
    assert present_schema(engine) == NEWEST
    engine.dispose()


@pytest.fixture
def registry(engine, now):
    registry = Registry(engine)
    registry.apply(estate(), by="anna", at=now)
    return registry


def lengthened(catalogue, word):
    site = catalogue.site
    return replace(catalogue, site=replace(site, name=Name(f"{site.name.en} {word}", site.name.zh)))


def test_of_many_edits_of_one_version_one_is_kept(records_url, registry, now):
    seen = registry.revision()

    def edit(records, who):
        changed = lengthened(seen.catalogue, f"w{who}")
        return Registry(records).edit(changed, based_on=seen.version, by=f"p{who}", at=now)

    got = at_once(records_url, MANY, edit)
    (kept,) = [one for one in got if isinstance(one, list)]
    assert all(isinstance(one, Stale) for one in got if one is not kept)
    assert registry.load().site.name.en == kept[0].after
    assert registry.version() == 2


def test_many_who_look_again_and_edit_again_lose_nothing(records_url, engine, registry, now):
    def edit(records, who):
        refused = 0
        while True:
            seen = Registry(records).revision()
            try:
                changed = lengthened(seen.catalogue, f"w{who}")
                Registry(records).edit(changed, based_on=seen.version, by=f"p{who}", at=now)
            except Stale:
                refused += 1
            else:
                return refused

    assert sum(at_once(records_url, MANY, edit)) > 0, "they did not meet"
    assert sorted(registry.load().site.name.en.split()) == sorted(["Campus", *(f"w{who}" for who in range(MANY))])
    assert registry.version() == MANY + 1
    assert Audit(engine).verify()


def test_many_apply_the_first_estate(records_url, engine, now):
    got = at_once(records_url, MANY, lambda records, who: len(Registry(records).apply(estate(), by=f"p{who}", at=now)))
    assert sorted(got)[:-1] == [0] * (MANY - 1)
    assert (Registry(engine).version(), Registry(engine).load()) == (1, estate())


def test_who_loads_while_others_edit_sees_whole_estates(records_url, registry, now):
    """The name of the site and that of a building change together, and are never seen apart."""

    def named(catalogue, word):
        first, *rest = catalogue.buildings
        site = replace(catalogue.site, name=Name(word))
        return replace(catalogue, site=site, buildings=(replace(first, name=Name(word)), *rest))

    def edit_or_look(records, who):
        here, seen = Registry(records), set()
        for round_no in range(12):
            found = here.revision()
            seen.add((found.catalogue.site.name.en, found.catalogue.buildings[0].name.en, found.version))
            if who == 0:
                here.edit(named(found.catalogue, f"n{round_no}"), based_on=found.version, by="p", at=now)
        return seen

    for seen in at_once(records_url, 4, edit_or_look):
        assert {site == building for site, building, version in seen if version > 1} <= {True}
        assert {site for site, _, version in seen if version > 1} == {f"n{v - 2}" for _, _, v in seen if v > 1}


def test_a_wish_of_many_is_one_errand(records_url, engine, now):
    Quarantine(engine).put(poison(now, 1))
    got = at_once(records_url, MANY, lambda records, who: Errands(records).ask("replay", 1, f"p{who}", now))
    assert got == [1] * MANY
    assert len(Errands(engine).waiting()) == 1


def test_each_replay_is_taken_by_one_of_many(records_url, engine, now):
    Quarantine(engine).put(*(poison(now, n) for n in range(40)))
    asked = Errands(engine).ask_all("anna", now)
    got = at_once(records_url, MANY, lambda records, who: Errands(records).take(f"ingest-{who}", now, limit=5))
    taken = [one.id for some in got for one in some]
    assert len(taken) == len(set(taken)) == 40
    assert set(taken) == set(asked)


def test_many_find_one_cause_and_one_of_many_takes_it(records_url, engine, now):
    finding = Finding("night_waste", "m/energy_import/total", "m", "b", now, now, Severity.ACT, 0.9, ())
    got = at_once(records_url, MANY, lambda records, _: Casebook(records).record(finding, money=None, notify=True))
    assert {(one.id, one.count) for one in got} == {(got[0].id, 1)}
    case = got[0].id
    taken = at_once(records_url, MANY, lambda records, n: Casebook(records).acknowledge(case, f"p{n}", now, based_on=0))
    (first,) = [one for one in taken if isinstance(one, Alert)]
    assert all(isinstance(one, Stale) for one in taken if one is not first)
    assert Casebook(engine).alert(case) == first
    assert [event.what for event in Casebook(engine).timeline(case)] == ["opened", "acknowledged"]


def test_many_who_put_at_once_stay_within_the_bound(records_url, engine, now):
    def put(records, who):
        for n in range(5):
            Quarantine(records, bound_bytes=1000).put(poison(now, 10 * who + n), poison(now, 1000 + n))

    assert at_once(records_url, 6, put) == [None] * 6
    size = Quarantine(engine, bound_bytes=1000).size()
    assert (size.items, size.bytes, size.dropped) == (35, 1000, 25)
