"""An import is proposed by one and confirmed by another, taken in once, and undone whole; every step is on record."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from facility.errors import ConfigError, Rejected
from facility.model import Quality, ReadingBatch
from facility.rights import Role
from stores.records import tables
from stores.records.accounts.grants import Grant, Grants, RolePart
from stores.records.audit import Audit
from stores.records.database import writing
from stores.records.errands import Errands
from stores.records.imports.book import Imports, ImportState, ProposedImport
from stores.records.people import People

READINGS = ReadingBatch(["m1/energy_import/total"], [0, 0], [1000, 2000], [1.5, 2.5], [3, 3])


@pytest.fixture
def book(engine):
    return Imports(engine)


@pytest.fixture
def officers(engine, now):
    """Two energy officers."""
    for name in ("anna", "bert"):
        People(engine).invite(name, now)
        Grants(engine).give(name, Grant(Role.OFFICER), "test", now)


def handed_in(n=1, readings=READINGS):
    return ProposedImport(f"reads{n}.csv", f"{n:064}", "register", readings)


def test_an_import_goes_its_way_and_everything_is_on_record(book, engine, now):
    number = book.propose(handed_in(), "anna", now)
    assert book.one(number).state is ImportState.PROPOSED
    assert book.readings(number) == READINGS
    errand = book.confirm(number, "anna", now)
    assert [(one.id, one.what, one.of_import) for one in Errands(engine).waiting()] == [(errand, "import", number)]
    book.done(number, "", now)
    book.done(number, "", now)
    assert book.one(number).state is ImportState.STORED
    assert Errands(engine).waiting() == []
    book.undo(number, "bert", "wrong meter", now)
    assert set(book.readings(number, Quality.RETRACTED).q) == {5}
    book.done(number, "", now)
    kept = book.one(number)
    assert (kept.state, kept.proposed_by, kept.confirmed_by, kept.undone_by) == ("undone", "anna", "anna", "bert")
    assert {one.what for one in Audit(engine).entries()} == {"import.propose", "import.confirm", "import.undo"}


def test_who_handed_it_in_does_not_confirm_it_where_somebody_else_may(book, officers, now):
    number = book.propose(handed_in(), "anna", now)
    with pytest.raises(Rejected, match=r"somebody else confirms it \(bert\)"):
        book.confirm(number, "anna", now)
    assert book.one(number).state is ImportState.PROPOSED
    book.confirm(number, "bert", now)
    assert book.one(number).confirmed_by == "bert"


def test_a_role_that_has_ended_confirms_nothing(book, engine, now):
    People(engine).invite("bert", now)
    Grants(engine).give("bert", Grant(Role.OFFICER, until=now + timedelta(days=1)), "test", now)
    assert book.who_may_confirm(now, READINGS.points) == {"bert"}
    assert book.who_may_confirm(now + timedelta(days=2), READINGS.points) == set()


def test_only_who_may_confirm_there_is_waited_for(book, engine, now):
    shape = {"position": 0, "name_zh": "", "use": "office", "hours": {}, "armed": {}}
    with writing(engine) as connection:
        rows = [shape | {"id": one, "name_en": one} for one in ("hall", "barn")]
        connection.execute(sa.insert(tables.building), rows)
    for name, building in (("anna", "hall"), ("bert", "barn")):
        People(engine).invite(name, now)
        Grants(engine).give(name, Grant(Role.OFFICER, RolePart.BUILDING, building), "test", now)
    placed = {"what": "meter", "subject": "m1", "target": "hall", "valid_from": now}
    with writing(engine) as connection:
        connection.execute(sa.insert(tables.assignment).values(placed))
    assert book.who_may_confirm(now, READINGS.points) == {"anna"}
    book.confirm(book.propose(handed_in(), "anna", now), "anna", now)


def test_the_same_file_stands_once(book, now):
    number = book.propose(handed_in(), "anna", now)
    with pytest.raises(Rejected, match=f"import {number} holds the same file"):
        book.propose(handed_in(), "bert", now)
    book.withdraw(number, "anna", "a mistake", now)
    assert book.propose(handed_in(), "bert", now) > number


def test_a_later_import_of_the_same_meters_is_undone_first_and_an_overtaken_one_is_handed_in_again(book, now):
    first = book.propose(handed_in(1), "anna", now)
    waits = book.propose(handed_in(2), "anna", now)
    book.confirm(first, "anna", now + timedelta(minutes=1))
    with pytest.raises(Rejected, match=f"import {first} of the same meters was confirmed since"):
        book.confirm(waits, "anna", now + timedelta(minutes=2))
    book.done(first, "", now)
    later = book.propose(handed_in(3), "anna", now + timedelta(minutes=3))
    book.confirm(later, "anna", now + timedelta(minutes=4))
    with pytest.raises(Rejected, match=f"import {later} of the same meters came after it"):
        book.undo(first, "anna", "wrong", now)


def test_steps_that_do_not_follow_are_refused(book, now):
    number = book.propose(handed_in(), "anna", now)
    with pytest.raises(Rejected, match="only one that is stored can be"):
        book.undo(number, "anna", "wrong", now)
    with pytest.raises(ConfigError):
        book.withdraw(number, "anna", " ", now)
    book.confirm(number, "anna", now)
    book.refuse(number, "out_of_range: 1 reading", now)
    assert book.one(number).outcome == "out_of_range: 1 reading"
    with pytest.raises(Rejected, match="only one that is proposed can be"):
        book.confirm(number, "anna", now)
    with pytest.raises(Rejected, match="there is no import 99"):
        book.confirm(99, "anna", now)
    with pytest.raises(Rejected, match="no reading that is not stored already"):
        book.propose(handed_in(9, ReadingBatch([], [], [], [])), "anna", now)


def test_a_list_is_the_newest_first_and_only_of_points_that_show(book, now):
    other = ReadingBatch(["m2/energy_import/total"], [0], [5], [1.0], [3])
    numbers = [book.propose(handed_in(n, readings), "anna", now) for n, readings in enumerate((READINGS, other))]
    assert [one.id for one in book.newest()] == numbers[::-1]
    assert [one.id for one in book.newest({"m1/energy_import/total"})] == numbers[:1]
