"""What a scope shows: buildings by name or department, points by level, and what was asked of the stores for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from rigs.estate import PROFILES, SITE
from rigs.rights import ALL, within
from rigs.sample import NOW

from facility.documents.site import load_site
from facility.errors import ConfigError, Denied, Rejected
from facility.levels import Level
from facility.model import Department, Name, ReadingBatch
from facility.order import OrderPlace, OrderWish, Skill
from facility.quantities import Utility
from facility.rights import Role, acts_of
from facility.stated import Member, Membership
from facility.work import Evidence, Finding, Severity
from stores.access import Access, Act, LiveValues, NoEstateError, Permit, Rights, Scope, kept_rights
from stores.access.scope import EVERYTHING, sight_of
from stores.access.shown_copy import ShownSeries
from stores.readings.memory import MemoryStore
from stores.readings.port import RollupSeries
from stores.records.accounts.grants import Grant, Grants, RolePart
from stores.records.audit import Audit, AuditFilter
from stores.records.casebook import Casebook
from stores.records.orders.orders import Orders
from stores.records.people import People
from stores.records.planned_events import PlanKind, PlannedEvent, PlannedEvents
from stores.records.registry import Registry
from stores.records.roster.roster import Roster
from stores.records.roster.worker import Worker, WorkShift

ANNEX = """\
  - id: annex
    name: Annex
    department: museum
"""
ANNEX_METER = """\
  - {id: annex-main, name: Annex meter, building: annex, profile: test/meter, agent: edge-1, bus: gateway, unit: 2,
     utility: electricity, role: head, level: public}
"""
POWER, DOOR, ANNEX_POWER = "hall-main/active_power/total", "hall-door/door_open/total", "annex-main/active_power/total"
TAGS = {"site": "town", "utility": "electricity"}


@pytest.fixture
def whole():
    text = SITE.replace("departments:\n", "departments:\n  - {id: museum, name: Museum}\n")
    text = text.replace("agents:\n", ANNEX + "agents:\n")
    return load_site(text + ANNEX_METER, "site.yaml", PROFILES)


@pytest.fixture
def records(engine, whole):
    Registry(engine).apply(whole, by="test", at=NOW)
    return engine


@pytest.fixture
def store():
    made = MemoryStore()
    t_ms = round(NOW.timestamp() * 1000)
    for point, x in ((POWER, 1.0), (DOOR, 0.0), (ANNEX_POWER, 2.0)):
        made.write(ReadingBatch(points=[point], p=[0], t_ms=[t_ms], x=[x]))
    times, qty = np.array([0], np.int64), np.array([4.0])
    for building, meter in (("hall", "hall-main"), ("annex", "annex-main")):
        home = TAGS | {"building": building}
        made.write_rollup("building_1h", [RollupSeries(home, times, {"qty": qty})])
        of_meter = home | {"meter": meter, "role": "head", "enduse": "total", "quantity": "energy_import"}
        made.write_rollup("usage_1h", [RollupSeries(of_meter, times, {"qty": qty})])
    return made


@pytest.fixture
def view_of(store, records):
    live = LiveValues(store)
    live.refresh()

    def view(scope=EVERYTHING, acts=frozenset(Act)):
        return Access(store, records, live, lambda _: within(scope, acts), lambda: NOW).view("Kim")

    return view


def ids(things):
    return {thing.id for thing in things}


def test_who_may_see_all_sees_the_catalogue_itself(whole):
    assert sight_of(whole, {EVERYTHING}).catalogue is whole


@pytest.mark.parametrize(
    ("scope", "buildings"),
    [
        (Scope(buildings=frozenset({"hall"})), {"hall"}),
        (Scope(departments=frozenset({"museum"})), {"annex"}),
        (Scope(buildings=frozenset({"hall"}), departments=frozenset({"museum"})), {"hall", "annex"}),
        (Scope(buildings=frozenset()), set()),
        (Scope(level=Level.RESTRICTED), {"hall", "annex"}),
    ],
)
def test_a_building_shows_by_its_name_or_its_department(whole, scope, buildings):
    catalogue = sight_of(whole, {scope}).catalogue
    assert ids(catalogue.buildings) == buildings
    assert {m.building for m in catalogue.meters} <= buildings
    assert {s.building for s in catalogue.spaces} <= buildings
    assert ids(catalogue.departments) == {b.department for b in catalogue.buildings}


def test_a_point_shows_up_to_a_level_and_one_without_a_level_only_to_who_sees_all(whole):
    points = tuple(replace(p, level=None) if p.quantity.is_counter else p for p in whole.points)
    ungraded = replace(whole, points=points)
    up_to = {level: sight_of(ungraded, {Scope(level=level)}).catalogue for level in Level}
    assert ids(up_to[Level.IMPORTANT].points) == {p.id for p in points if not p.quantity.is_counter}
    assert ids(up_to[Level.INTERNAL].meters) == {"hall-main", "annex-main"}
    assert ids(up_to[Level.PUBLIC].points) == {ANNEX_POWER}
    assert ids(up_to[Level.PUBLIC].meters) == {"annex-main"}


def test_an_agents_messages_show_where_all_it_reads_does(whole):
    assert sight_of(whole, {Scope(buildings=frozenset({"hall"}))}).agents == set()
    assert ids(sight_of(whole, {Scope(buildings=frozenset({"hall"}))}).catalogue.agents) == {"edge-1"}
    assert sight_of(whole, {Scope(buildings=frozenset({"hall", "annex"}))}).agents == {"edge-1"}


def test_readings_out_of_sight_are_as_if_there_were_none(view_of):
    readings = view_of(Scope(departments=frozenset({"museum"}))).readings
    found = readings.read([POWER, ANNEX_POWER, "no/such/point"], 0, 2**62)
    assert {point: len(series) for point, series in found.items()} == {POWER: 0, ANNEX_POWER: 1, "no/such/point": 0}
    assert readings.latest().keys() == readings.latest([POWER, ANNEX_POWER]).keys() == {ANNEX_POWER}
    assert view_of().readings.latest().keys() == {POWER, DOOR, ANNEX_POWER}


@pytest.mark.parametrize(
    ("rollup", "tags"),
    [
        ("usage_1h", {"building": "hall"}),
        ("usage_1h", {"meter": "hall-main"}),
        ("usage_1h", {}),
        ("building_1h", {"building": "hall"}),
        ("building_1h", {}),
    ],
)
def test_rollups_out_of_sight_are_as_if_there_were_none(view_of, rollup, tags):
    museum = view_of(Scope(departments=frozenset({"museum"}))).readings.rollup(rollup, tags, 0, 10)
    assert [series.tags["building"] for series in museum] == ([] if tags else ["annex"])
    assert len(view_of().readings.rollup(rollup, tags, 0, 10)) == (1 if tags else 2)


def test_a_building_that_shows_is_asked_for_once_and_tells_nothing_of_a_meter_that_has_left_the_scope(
    view_of, store, records, whole, monkeypatch
):
    moved = (replace(m, building="hall") if m.id == "annex-main" else m for m in whole.meters)
    Registry(records).apply(replace(whole, meters=tuple(moved)), by="test", at=NOW)
    asked, read = [], store.read_rollup
    monkeypatch.setattr(store, "read_rollup", lambda name, tags, *more: asked.append(tags) or read(name, tags, *more))
    museum = view_of(Scope(departments=frozenset({"museum"}))).readings
    assert museum.rollup("usage_1h", {"building": "annex"}, 0, 10) == []
    assert asked == [{"building": "annex"}]


@pytest.mark.parametrize("rollup", ["usage_1h", "building_1h"])
def test_figures_are_graded_as_the_counters_they_come_from(view_of, records, whole, rollup):
    counter = "hall-main/energy_import/total"
    graded = (replace(p, level=Level.SENSITIVE if p.id == counter else Level.PUBLIC) for p in whole.points)
    Registry(records).apply(replace(whole, points=tuple(graded)), by="test", at=NOW)
    shown = {level: view_of(Scope(level=level)).readings.rollup(rollup, {}, 0, 10) for level in Level}
    assert [series.tags["building"] for series in shown[Level.INTERNAL]] == ["annex"]
    assert {series.tags["building"] for series in shown[Level.SENSITIVE]} == {"hall", "annex"}


@pytest.mark.parametrize(("total", "shows"), [(None, False), (Level.PUBLIC, True), (Level.INTERNAL, False)])
def test_a_total_shows_by_the_level_that_its_custodian_gave_it(view_of, records, whole, total, shows):
    """Its counters stay as they are graded: who may see the total reads none of them."""
    points = tuple(replace(p, level=Level.SENSITIVE) for p in whole.points)
    graded = tuple(replace(b, totals={Utility.ELECTRICITY: total} if total else {}) for b in whole.buildings)
    Registry(records).apply(replace(whole, points=points, buildings=graded), by="test", at=NOW, accept=True)
    low = view_of(Scope(buildings=frozenset({"hall"}), level=Level.PUBLIC)).readings
    assert len(low.rollup("building_1h", {"building": "hall"}, 0, 10)) == shows
    assert low.rollup("usage_1h", {"building": "hall"}, 0, 10) == []
    assert low.rollup("building_1h", {"building": "annex"}, 0, 10) == []
    assert not len(low.read([POWER], 0, 2**62)[POWER].t_ms)
    home = TAGS | {"building": "hall"}
    assert ShownSeries(Registry(records).load(), Level.PUBLIC).shows("building_1h", home) == shows


def test_the_live_picture_is_filtered_not_read_again(view_of, store, monkeypatch):
    view = view_of(Scope(level=Level.PUBLIC))
    monkeypatch.setattr(store, "latest", None)
    assert view.picture.values.keys() == {ANNEX_POWER}
    assert view.picture.version == view_of().picture.version
    assert view_of().picture is view_of().picture


def test_a_case_shows_with_its_building_and_its_point(view_of, records):
    door = Finding("door_left_open", DOOR, "hall-door", "hall", NOW, NOW, Severity.WATCH, 0.9, ())
    there = replace(door, point=ANNEX_POWER, meter="annex-main", building="annex")
    casebook = Casebook(records)
    raised = [casebook.record(one, money=None, notify=False) for one in (door, there)]

    def shown(scope):
        cases = view_of(scope).cases
        assert ids(cases.alerts()) == {one.id for one in raised if cases.alert(one.id)}
        assert [bool(cases.timeline(one.id)) for one in raised] == [bool(cases.alert(one.id)) for one in raised]
        return [one.building for one in cases.alerts()]

    assert sorted(shown(EVERYTHING)) == ["annex", "hall"]
    assert shown(Scope(departments=frozenset({"museum"}))) == ["annex"]
    assert shown(Scope(level=Level.PUBLIC)) == ["annex"]
    assert sorted(shown(Scope(level=Level.RESTRICTED))) == ["annex", "hall"]
    assert view_of(Scope(buildings=frozenset({"annex"}))).cases.alerts(building="hall") == []
    with pytest.raises(Rejected, match="unknown_alert"):
        view_of(Scope(level=Level.PUBLIC)).cases.acknowledge(raised[0].id, NOW, based_on=0)
    with pytest.raises(Denied, match="Kim may not take a case"):
        view_of(acts=frozenset({Act.JUDGE})).cases.acknowledge(raised[0].id, NOW, based_on=0)
    assert casebook.alert(raised[0].id) == raised[0]


@pytest.fixture
def graded(records, whole):
    """The hall's meter is public, its door restricted; a case at the meter rests on both. A plan is of the door's."""
    points = tuple(replace(p, level=Level.PUBLIC) if p.meter == "hall-main" else p for p in whole.points)
    Registry(records).apply(replace(whole, points=points), by="test", at=NOW, accept=True)
    shown = tuple(Evidence(point, NOW, NOW) for point in (POWER, DOOR))
    found = Finding("pue_high", POWER, "hall-main", "hall", NOW, NOW, Severity.ACT, 0.9, shown)
    return Casebook(records).record(found, money=None, notify=False)


@pytest.mark.parametrize(("level", "shows"), [(Level.PUBLIC, False), (Level.RESTRICTED, True), (None, True)])
def test_a_case_is_graded_as_the_highest_of_what_it_rests_on(view_of, records, graded, level, shows):
    cases = view_of(Scope(frozenset({"hall"}), level=level)).cases
    found = [graded.id] if shows else []
    assert [one.id for one in cases.alerts()] == found
    assert (cases.alert(graded.id) is not None) == shows
    assert (sum(cases.counts().values()), len(cases.unsettled())) == (len(found), len(found))
    figures = cases.figures(NOW, timedelta(days=1))
    assert (figures.raised, sum(figures.open_by_age.values())) == (len(found), len(found))
    if not shows:
        with pytest.raises(Rejected, match="unknown_alert"):
            cases.acknowledge(graded.id, NOW, based_on=0)


def test_what_lies_in_a_building_out_of_scope_hides_a_case_only_by_its_level(view_of, records, whole):
    """Evidence of another building is left out of what is drawn; its level would not let them see it anywhere."""
    found = Finding(
        "night_waste", POWER, "hall-main", "hall", NOW, NOW, Severity.ACT, 0.9, (Evidence(POWER, NOW, NOW),)
    )
    outside = replace(found, detector="door_left_open", evidence=(Evidence(ANNEX_POWER, NOW, NOW),))
    for one in (found, outside):
        Casebook(records).record(one, money=None, notify=False)
    assert len(view_of(Scope(frozenset({"hall"}), level=Level.INTERNAL)).cases.alerts()) == 2


def test_an_order_shows_with_its_case_or_to_who_has_it(view_of, records, graded):
    orders, kept = Orders(records), Orders(records).make
    of_case = OrderWish(OrderPlace("hall"), Skill.GENERAL, Severity.ACT, "Look", "", "Ada", graded.id)
    hidden = kept(of_case, "Ada", NOW)
    plain = kept(replace(of_case, alert=None), "Ada", NOW)
    low = Scope(level=Level.PUBLIC)
    assert {one.id for one in view_of(low).orders.of()} == {plain.id}
    assert view_of(low).orders.one(hidden.id) is None
    assert {one.id for one in view_of().orders.of()} == {hidden.id, plain.id}
    People(records).invite("Kim", NOW)
    orders.give(hidden.id, "Kim", "Ada", NOW, based_on=0)
    assert view_of(low).orders.one(hidden.id).assignee == "Kim", "somebody gave it to them"


def test_a_stranger_who_writes_somebodys_name_asks_for_nothing_in_it(view_of, records):
    """Nor does who writes their own: what was reported without an account is nobody's to see or to rate by its name."""
    orders = Orders(records)
    reported, _ = orders.report(OrderWish(OrderPlace("hall"), Skill.GENERAL, Severity.ACT, "Tap", "", "Kim"), NOW)
    asked = orders.make(OrderWish(OrderPlace("hall"), Skill.GENERAL, Severity.ACT, "Lamp", "", "Kim"), "Kim", NOW)
    seen = view_of(acts=frozenset({Act.TAKE})).orders
    assert [one.id for one in seen.of()] == [asked.id]
    assert (reported.is_reported, asked.is_reported) == (True, False)
    with pytest.raises(Rejected, match="unknown_order"):
        seen.rate(reported.id, 5, "", NOW)
    (entry,) = Audit(records).entries(among=AuditFilter(what="order.reported"))
    assert (entry.who, entry.subject, entry.detail) == ("", str(reported.id), "hall")


def test_a_table_of_orders_is_on_record_with_the_level_of_what_it_rests_on(view_of, records, graded):
    wish = OrderWish(OrderPlace("hall"), Skill.GENERAL, Severity.ACT, "Look", "", "Ada", graded.id)
    Orders(records).make(wish, "Ada", NOW)
    with pytest.raises(ConfigError, match="what is taken along is restricted"):
        view_of().orders.take_along("", NOW)
    assert Audit(records).entries(among=AuditFilter(what="export")) == []
    found, taken = view_of().orders.take_along("for the plumber", NOW)
    assert (len(found), taken.level) == (1, Level.RESTRICTED)
    (entry,) = Audit(records).entries(among=AuditFilter(what="export"))
    assert (entry.who, entry.detail) == ("Kim", f"{taken.id}: work orders, level restricted, because for the plumber")
    assert view_of(Scope(level=Level.PUBLIC)).orders.take_along("", NOW)[1].level is Level.INTERNAL


def test_a_plan_and_a_roster_name_nothing_out_of_sight(view_of, records, whole):
    for meter, building in (("hall-door", "hall"), ("annex-main", "annex"), (None, "hall")):
        plan = PlannedEvent(PlanKind.EVENT, building, NOW, NOW + timedelta(hours=2), "fair", meter)
        PlannedEvents(records).add(plan, "Ada", NOW)
    low = view_of(Scope(level=Level.PUBLIC))
    assert {one.meter for one in low.cases.plans(NOW)} == {"annex-main", None}
    assert {one.meter for one in view_of().cases.plans(NOW)} == {"hall-door", "annex-main", None}
    for name, places in (("Here", {"hall", "annex"}), ("There", {"annex"}), ("Anywhere", set())):
        People(records).invite(name, NOW)
        Roster(records).put(Worker(name, frozenset(Skill), frozenset(places)), "Ada", NOW)
        Roster(records).plan([WorkShift(name, NOW, NOW + timedelta(hours=8))], [], "Ada", NOW)
    orders = view_of(Scope(buildings=frozenset({"hall"}))).orders
    assert {one.name: set(one.places) for one in orders.workers()} == {"Here": {"hall"}, "Anywhere": set()}
    assert {one.name for one in orders.shifts(NOW, NOW + timedelta(days=1))} == {"Here", "Anywhere"}
    assert len(view_of().orders.workers()) == 3
    assert view_of(acts=frozenset({Act.TAKE})).orders.workers() == []


def test_before_an_estate_a_language_can_be_chosen_and_nothing_seen(engine):
    People(engine).invite("Kim", NOW)
    access = Access(MemoryStore(), engine, LiveValues(MemoryStore()), lambda _: ALL, lambda: NOW)
    access.view("Kim").choose_language("zh-Hans")
    for look in ("catalogue", "picture", "readings", "cases", "quarantine"):
        with pytest.raises(NoEstateError):
            getattr(access.view("Kim"), look)


def test_the_estate_is_read_again_once_it_has_changed(store, records, whole, monkeypatch):
    hall = within(Scope(buildings=frozenset({"hall"})))
    access = Access(store, records, LiveValues(store), lambda name: hall if name == "Ada" else ALL, lambda: NOW)
    loads, load = [], Registry.load
    monkeypatch.setattr(Registry, "load", lambda registry: loads.append(1) or load(registry))
    first = access.view("Ada").catalogue
    assert access.view("Ada").catalogue is first
    assert access.view("Kim").catalogue is access.view("Kim").catalogue
    assert len(loads) == 1
    meters = tuple(replace(m, building="hall") for m in whole.meters)
    Registry(records).apply(replace(whole, meters=meters), by="test", at=NOW)
    assert access.view("Ada").catalogue.meter.keys() == access.view("Kim").catalogue.meter.keys() == whole.meter.keys()
    assert len(loads) == 2


def test_an_act_is_ones_own_in_the_part_where_the_role_holds(store, records):
    """A viewer of all who is a contractor in one building acts in that one."""
    live = LiveValues(store)
    annex = Scope(buildings=frozenset({"annex"}))
    both = Rights((Permit(acts=acts_of(Role.VIEWER)), Permit(annex, acts_of(Role.CONTRACTOR))))
    view = Access(store, records, live, lambda _: both, lambda: NOW).view("Kim")
    there = Finding("night_waste", ANNEX_POWER, "annex-main", "annex", NOW, NOW, Severity.WATCH, 0.9, ())
    here = replace(there, point=POWER, meter="hall-main", building="hall")
    casebook = Casebook(records)
    theirs, other = (casebook.record(one, money=None, notify=False) for one in (there, here))
    assert view.catalogue.building.keys() == {"hall", "annex"}
    view.cases.acknowledge(theirs.id, NOW, based_on=0)
    with pytest.raises(Denied, match="Kim may not take a case"):
        view.cases.acknowledge(other.id, NOW, based_on=0)
    assert casebook.alert(other.id) == other


def test_roles_with_different_levels_show_each_part_up_to_its_own(whole):
    hall = Scope(buildings=frozenset({"hall"}), level=Level.PUBLIC)
    annex = Scope(buildings=frozenset({"annex"}))
    both = sight_of(whole, {hall, annex})
    assert ids(both.catalogue.points) == ids(sight_of(whole, {hall}).catalogue.points) | ids(
        sight_of(whole, {annex}).catalogue.points
    )
    assert ids(both.catalogue.meters) == {"annex-main"}
    assert both.buildings == {"hall", "annex"}


def test_who_has_no_role_sees_nothing(whole, store, records):
    assert sight_of(whole, ()).catalogue.buildings == sight_of(whole, ()).catalogue.points == ()
    view = Access(store, records, LiveValues(store), lambda _: Rights(), lambda: NOW).view("Kim")
    assert view.readings.latest() == {}
    assert view.cases.alerts() == []
    assert view.quarantine.items() == []


def test_what_the_records_say_is_asked_for_each_time(store, records):
    """A role that was taken away is gone with the next question; a building that is gone shows nothing."""
    People(records).invite("Kim", NOW)
    grants, clock = Grants(records), [NOW]
    access = Access(store, records, LiveValues(store), kept_rights(records, lambda: clock[0]), lambda: clock[0])
    assert access.view("Kim").catalogue.buildings == ()
    grants.give("Kim", Grant(Role.VIEWER, RolePart.BUILDING, "annex", until=NOW + timedelta(hours=1)), "Ada", NOW)
    grants.give("Kim", Grant(Role.CONTRACTOR, RolePart.DEPARTMENT, "museum"), "Ada", NOW)
    assert ids(access.view("Kim").catalogue.buildings) == {"annex"}
    grants.take("Kim", grants.of("Kim", NOW)[1].id, "Ada", NOW)
    clock[0] += timedelta(hours=1)
    assert access.view("Kim").catalogue.buildings == ()


def test_a_role_for_a_department_holds_in_buildings_of_those_below_it_as_the_tree_stands_today(records, store, whole):
    """What belongs to another department from a day on is no longer theirs, and what comes to one below it is."""
    tomorrow = (NOW + timedelta(days=1)).date()
    below = Membership(Member.DEPARTMENT, "museum", NOW.date() - timedelta(days=1), "institute")
    moves = Membership(Member.BUILDING, "annex", tomorrow, "estates")
    institute = Department("institute", Name("Institute"))
    stated = replace(whole.stated, memberships=(below, moves))
    Registry(records).apply(replace(whole, departments=(*whole.departments, institute), stated=stated), by="t", at=NOW)
    for name, department in (("Kim", "institute"), ("Lee", "estates")):
        People(records).invite(name, NOW)
        Grants(records).give(name, Grant(Role.FACILITIES, RolePart.DEPARTMENT, department), "Ada", NOW)
    clock = [NOW]
    rights_of = kept_rights(records, lambda: clock[0])
    access = Access(store, records, LiveValues(store), rights_of, lambda: clock[0])
    view = access.view("Kim")
    assert ids(view.catalogue.buildings) == {"annex"}
    assert view.papers.show("annex")
    assert rights_of("Kim").may_here(Act.TAKE, whole.building["annex"])
    assert not rights_of("Kim").may_here(Act.TAKE, whole.building["hall"])
    assert not view.papers.show("hall")
    with pytest.raises(Denied):
        view.papers.made("hall", lambda *_: None)
    assert ids(access.view("Lee").catalogue.buildings) == {"hall"}
    clock[0] = NOW + timedelta(days=2)
    assert access.view("Kim").catalogue.buildings == ()
    assert ids(access.view("Lee").catalogue.buildings) == {"hall", "annex"}
