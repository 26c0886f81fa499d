"""The table of meters with both trees: round trips, per-row faults, nothing half-applied."""

from dataclasses import replace
from datetime import date

import pytest

from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.stated import NOTHING_STATED, Membership
from facility.trees import Trees
from imports.estate_plan import plan_estate
from imports.estate_sheet import estate_csv, estate_xlsx
from imports.faults import FaultKind as F

PROFILES = load_profiles()
SITE = """\
version: 1
site: {id: town, name: Town, timezone: Asia/Shanghai, currency: CNY}
departments:
  - {id: office, name: {en: Office, zh: 办公室}, cost_centre: "0071"}
  - {id: archive, name: "=Archive, 'old'"}
buildings:
  - {id: hall, name: Hall, department: office, use: government, floor_area_m2: 1200.5,
     spaces: [{id: f1, name: {en: First floor, zh: 一层}, kind: floor}, {id: r101, name: Room 101, kind: office}]}
agents:
  - {id: edge, buses: [{id: bus, url: 'modbus+tcp://127.0.0.1:502'}]}
meters:
  - {id: main, name: Main, building: hall, profile: eastron/sdm630, agent: edge, bus: bus, unit: 1,
     utility: electricity, role: head, ct_ratio: 40, digits: 6, level: internal}
  - {id: part, name: Part, building: hall, space: f1, utility: electricity, serial: "007", read_every_days: 14}
memberships:
  - {member: meter, id: part, department: archive, valid_from: 2026-01-01}
  - {member: meter, id: part, space: r101, valid_from: 2026-03-01}
  - {member: space, id: r101, space: f1, valid_from: 2026-01-01}
  - {member: department, id: archive, department: office, valid_from: 2026-01-01}
"""
HEADER = "kind,id,name,valid_from,building,space,department,utility,role"


def load(text=SITE):
    return load_site(text, "site.yaml", PROFILES, reader="registry")


def planned(rows, estate=None, **more):
    return plan_estate("\n".join([HEADER, *rows]).encode(), estate or load(), PROFILES, **more)


def faults(rows, estate=None, **more):
    plan = planned(rows, estate, **more)
    assert plan.estate is (estate or plan.estate)
    return [(one.row, one.column, one.kind) for one in plan.faults]


@pytest.mark.parametrize("export", [estate_csv, estate_xlsx])
def test_what_was_exported_changes_nothing_and_builds_an_emptied_estate_anew(export):
    estate = load()
    plan = plan_estate(export(estate), estate, PROFILES)
    assert (plan.faults, plan.changes, plan.estate) == ((), (), estate)
    hall = replace(estate.buildings[0], department="", floor_area_m2=None)
    bare = replace(estate, departments=(), buildings=(hall,), spaces=(), meters=(), points=(), stated=NOTHING_STATED)
    made = plan_estate(export(estate), bare, PROFILES)
    assert made.faults == ()
    assert estate_csv(made.estate) == estate_csv(estate), "byte by byte"
    members = sorted(made.estate.stated.memberships, key=str)
    assert replace(made.estate, stated=NOTHING_STATED) == replace(estate, stated=NOTHING_STATED)
    assert members == sorted(estate.stated.memberships, key=str)


def test_a_meter_is_reached_by_both_trees_and_a_move_does_not_rewrite_last_year():
    estate = load()
    part = estate.meter["part"]
    before, after = Trees(estate, date(2026, 2, 28)), Trees(estate, date(2026, 3, 1))
    assert (before.spaces_of(part), after.spaces_of(part)) == (("f1",), ("f1", "r101"))
    assert after.departments_of(part) == ("office", "archive")
    assert Trees(estate, date(2025, 12, 31)).departments_of(part) == ("office",), "the building's, before its own"
    assert [one.id for one in after.meters_in("f1")] == ["part"]
    assert [one.id for one in after.meters_of("office")] == ["main", "part"]
    assert before.meters_in("r101") == ()


def test_a_table_adds_a_wing_with_both_its_trees():
    plan = planned(
        [
            "meter,m2,Lights,2026-05-01,hall,r102,post,electricity,sub",
            "space,r102,Room 102,2026-05-01,hall,f1,,,",
            "department,post,Post,2026-05-01,,,office,,",
        ]
    )
    assert plan.faults == ()
    trees = Trees(plan.estate, date(2026, 5, 1))
    assert trees.spaces_of(plan.estate.meter["m2"]) == ("f1", "r102")
    assert trees.departments_of(plan.estate.meter["m2"]) == ("office", "post")
    assert {(one.kind, one.what) for one in plan.changes} >= {
        ("added", "meter"),
        ("added", "space"),
        ("added", "point"),
    }


def test_a_day_for_all_rows_can_be_said_and_is_needed():
    row = "meter,main,,,,,archive,,"
    assert faults([row]) == [(2, "valid_from", F.EMPTY)]
    plan = planned([row], valid_from=date(2026, 2, 1))
    assert plan.estate.stated.memberships[-1] == Membership("meter", "main", date(2026, 2, 1), "archive")


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ("meter,m2,M,,nowhere,,,water,", (2, "building", F.AS_TOLD)),
        ("meter,m2,M,,hall,cellar,,water,", (2, "space", F.AS_TOLD)),
        ("meter,m2,M,2026-01-01,hall,,nobody,water,", (2, "department", F.AS_TOLD)),
        ("meter,m2,M,,hall,,,steam,", (2, "utility", F.AS_TOLD)),
        ("meter,m2,M,,hall,,,,", (2, "", F.AS_TOLD)),
        ("meter,M 2,M,,hall,,,water,", (2, "id", F.AS_TOLD)),
        ("meter,m2,M,some day,hall,f1,,water,", (2, "valid_from", F.NOT_A_TIME)),
        ("meter,,M,,hall,,,water,", (2, "id", F.EMPTY)),
        ("lamp,m2,M,,hall,,,water,", (2, "kind", F.WORD_UNKNOWN)),
        ("department,d2,D,,hall,,,,", (2, "building", F.NOT_OF_KIND)),
        ("space,r9,R,,nowhere,,,,", (2, "building", F.AS_TOLD)),
        ("department,office,,2026-02-01,,,archive,,", (2, "", F.AS_TOLD)),
        ("meter,m2,M,,hall,,,water", (2, "role", F.ROW_SHORT)),
    ],
)
def test_what_is_wrong_is_told_with_its_row_and_column(row, where):
    assert where in faults([row])


def test_rows_that_contradict_each_other_name_each_other():
    found = planned(["meter,m2,M,,hall,,,water,head", "meter,m2,N,,hall,,,water,head"]).faults
    assert [(one.row, one.column, one.kind, one.params["row"]) for one in found] == [(3, "name", F.SAID_OTHERWISE, 2)]


def test_one_wrong_row_keeps_all_others_out():
    estate = load()
    plan = planned(["meter,m2,M,,hall,,,water,head", "meter,m3,M,,nowhere,,,water,head"], estate)
    assert [one.row for one in plan.faults] == [3]
    assert (plan.estate, plan.changes) == (estate, ())


def test_levels_and_the_devices_of_a_ledger_change_elsewhere():
    table = "id,level,ct_ratio\nmain,public,40\n"
    plan = plan_estate(table.encode(), load(), PROFILES)
    assert [(one.column, one.kind) for one in plan.faults] == [("level", F.NOT_HERE)]


def test_headers_that_are_none_or_stand_twice_are_named():
    plan = plan_estate(b"id,colour,id\nmain,red,main\n", load(), PROFILES)
    assert [(one.column, one.kind) for one in plan.faults] == [("colour", F.COLUMN_UNKNOWN), ("id", F.HEADER_TWICE)]


def test_a_chinese_table_in_gbk_is_read_as_it_is():
    table = "类别,表号,名称,建筑,能源种类,表计角色\n表计,w1,自来水总表,hall,water,head\n"
    plan = plan_estate(table.encode("gbk"), load(), PROFILES)
    assert plan.faults == ()
    assert plan.estate.meter["w1"].name.zh == "自来水总表"
