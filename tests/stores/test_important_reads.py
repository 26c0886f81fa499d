"""Whoever reads important data is on record before they see it, whichever way they read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest
from rigs.estate import PROFILES, SITE
from rigs.rights import ALL
from rigs.sample import NOW

from facility.documents.site import load_site
from facility.errors import StoreUnavailable
from facility.levels import Level
from facility.model import ReadingBatch
from facility.rights import Role
from facility.work import Finding, Severity
from stores.access import Access, LiveValues, views
from stores.access.important import READ
from stores.readings.memory import MemoryStore
from stores.readings.port import RollupSeries
from stores.records.accounts.grants import Grant, Grants
from stores.records.audit import Audit, AuditFilter
from stores.records.casebook import Casebook
from stores.records.imports.book import ProposedImport
from stores.records.people import People
from stores.records.quarantine.item import QuarantineItem
from stores.records.quarantine.quarantine import Quarantine
from stores.records.registry import Registry

POWER, ENERGY, DOOR = "hall-main/active_power/total", "hall-main/energy_import/total", "hall-door/door_open/total"
HOME = {"site": "town", "building": "hall", "utility": "electricity"}
COUNTER = HOME | {"meter": "hall-main", "role": "head", "enduse": "total", "quantity": "energy_import"}


@pytest.fixture
def access(engine):
    plain = load_site(SITE, "site.yaml", PROFILES)
    graded = [replace(p, level=Level.IMPORTANT if p.meter == "hall-main" else p.level) for p in plain.points]
    Registry(engine).apply(replace(plain, points=tuple(graded)), by="test", at=NOW)
    store = MemoryStore()
    for point, x in ((POWER, 1.0), (DOOR, 0.0)):
        store.write(ReadingBatch(points=[point], p=[0], t_ms=[round(NOW.timestamp() * 1000)], x=[x]))
    times, qty = np.array([0], np.int64), np.array([4.0])
    store.write_rollup("building_1h", [RollupSeries(HOME, times, {"qty": qty})])
    store.write_rollup("usage_1h", [RollupSeries(COUNTER, times, {"qty": qty})])
    live = LiveValues(store)
    live.refresh()
    clock = [NOW]
    made = Access(store, engine, live, lambda _: ALL, lambda: clock[0])
    made.clock = clock
    return made


@pytest.fixture
def noted(engine):
    """What is on record of reads since it was asked last."""
    seen = [0]

    def new():
        found = [one for one in Audit(engine).entries(among=AuditFilter(what=READ)) if one.seq > seen[0]]
        seen[0] = max([seen[0], *(one.seq for one in found)])
        return [(one.who, one.subject, one.detail) for one in reversed(found)]

    return new


WAYS = {
    "readings": lambda view: view.readings.read([POWER], 0, 1),
    "readings before": lambda view: view.readings.read_before([POWER], 1),
    "papers": lambda view: view.papers.made("hall", lambda *_: None),
    "newest readings": lambda view: view.readings.latest(),
    "usage_1h": lambda view: view.readings.rollup("usage_1h", {"meter": "hall-main"}, 0, 10),
    "building_1h": lambda view: view.readings.rollup("building_1h", HOME, 0, 10),
    "live values": lambda view: view.picture.values[POWER],
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_important_data_leaves_an_entry(access, noted, way):
    WAYS[way](access.view("Kim"))
    ((who, subject, detail),) = noted()
    assert (who, subject, detail.partition(":")[0]) == ("Kim", "hall", way)
    assert "hall-main/" in detail
    assert DOOR not in detail


def test_what_is_not_important_leaves_none(access, noted):
    view = access.view("Kim")
    view.readings.read([DOOR], 0, 1)
    view.picture.values[DOOR]
    assert POWER in view.picture.values
    view.readings.rollup("building_1h", HOME | {"utility": "water"}, 0, 10)
    assert noted() == []


def test_one_request_notes_what_it_reads_once_and_the_next_one_again(access, noted):
    view = access.view("Kim")
    for _ in range(3):
        view.picture.values[POWER]
    assert len(noted()) == 1
    access.view("Kim").picture.values[POWER]
    assert len(noted()) == 1


def test_a_case_a_refused_message_and_their_lists_are_on_record(access, engine, noted):
    found = Finding("night_waste", ENERGY, "hall-main", "hall", NOW, NOW, Severity.ACT, 0.9, (), {}, None, None)
    case = Casebook(engine).record(found, money=None, notify=False)
    Quarantine(engine).put(
        QuarantineItem(NOW, "decode", "message", "malformed", "", "t", "edge-1", "", None, None, 0, b"x")
    )
    view = access.view("Kim")
    (item,) = view.quarantine.items()
    assert [one[2].partition(":")[0] for one in noted()] == ["refused messages"]
    view.cases.alerts()
    view.cases.alert(case.id)
    view.quarantine.item(item.id)
    assert [one[2].partition(":")[0] for one in noted()] == ["cases", f"case {case.id}"]
    assert view.cases.alert(uuid4()) is None
    assert noted() == []


def test_what_was_handed_in_of_important_points_is_on_record_when_it_is_looked_at(access, noted):
    batch = ReadingBatch(points=[ENERGY], p=[0], t_ms=[0], x=[1.0])
    number = access.view("Ada").imports.propose(ProposedImport("t.csv", "d", "register", batch), NOW)
    assert noted() == []
    access.view("Kim").imports.readings(number)
    assert noted() == [("Kim", "hall", f"import {number}: {ENERGY}")]


def test_who_follows_live_values_is_on_record_at_once_and_each_hour(access, noted):
    view = access.view("Kim")
    view.follow("hall")
    assert [one[2].partition(":")[0] for one in noted()] == ["live values, followed"]
    assert access.looked_again(view).picture.values[POWER].x == 1.0
    access.view("Kim").follow("hall")
    assert noted() == []
    access.view("Ada").follow(None)
    assert [one[0] for one in noted()] == ["Ada"]
    access.clock[0] += timedelta(minutes=61)
    access.view("Kim").follow("hall")
    assert [one[0] for one in noted()] == ["Kim"]


def test_who_is_written_to_sees_what_they_would_see_if_they_came(engine, access, noted):
    """A message to somebody is made of their view: what is not theirs is in none, and what is important is noted."""
    found = Finding("night_waste", ENERGY, "hall-main", "hall", NOW, NOW, Severity.ACT, 0.9, (), {}, None, None)
    case = Casebook(engine).record(found, money=None, notify=False)
    people, grants = People(engine), Grants(engine)
    for name in ("Ada", "Bo", "Cy"):
        people.invite(name, NOW)
    grants.give("Ada", Grant(Role.OFFICER), "Root", NOW)
    grants.give("Bo", Grant(Role.FACILITIES, level=Level.INTERNAL), "Root", NOW)
    view_of = views(MemoryStore(), engine, lambda: NOW)
    assert view_of("Ada").cases.alert(case.id) == case
    assert [who for who, *_ in noted()] == ["Ada"]
    assert [view_of(name).cases.alert(case.id) for name in ("Bo", "Cy", "Nobody")] == [None] * 3
    assert noted() == []


def test_what_cannot_be_put_on_record_is_not_shown(access, monkeypatch):
    def full(*_args):
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(Audit, "append", full)
    for read in WAYS.values():
        with pytest.raises(StoreUnavailable):
            read(access.view("Kim"))
