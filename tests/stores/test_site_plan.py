"""A document against the registry: what it changes, would undo and cannot say, and what a person should know."""

from dataclasses import replace

import pytest
from rigs.one_meter import SITE, at, estate, readings

from facility.errors import ConfigError
from facility.remark import Remark, RemarkKind
from stores.readings.memory import MemoryStore
from stores.records.registry import Registry
from stores.records.stale import Stale
from stores.site_plan import apply_site, estate_remarks, plan_site

NOW = at("2026-11-20T00:00")
DEVICE = "serial: A1, ct_ratio: 40"
SAID = "reason: r, by: li"
SWAP = f"{{since: 2026-09-14 10:30, serial: B2, ct_ratio: 40, closing: 580.625, opening: 2, {SAID}}}"
LEDGER = f"installations: [{{since: 2026-01-01, serial: A1, ct_ratio: 40, {SAID}}}, {SWAP}]"
NO_NOTICE = Remark(RemarkKind.YEAR_WITHOUT_NOTICE, {"year": 2027, "country": "CN"})


@pytest.fixture
def registry(engine):
    registry = Registry(engine)
    apply_site(registry, plan_site(registry, estate(), NOW), nothing_to_read, by="li", now=at("2026-08-01T00:00"))
    return registry


def nothing_to_read():
    pytest.fail("no ledger changes: the readings need not be asked")


def read():
    store = MemoryStore()
    store.write(readings())
    return store


def test_applying_again_changes_nothing(registry):
    plan = plan_site(registry, estate(), NOW)
    assert plan.changes == ()
    assert apply_site(registry, plan, nothing_to_read, by="li", now=NOW) == []


def test_a_change_names_the_edit_that_it_would_undo_and_is_refused_unless_accepted(registry):
    stored = registry.load()
    edited = replace(stored, buildings=(replace(stored.buildings[0], floor_area_m2=1200.0),))
    registry.edit(edited, based_on=registry.version(), by="kim", at=NOW)
    plan = plan_site(registry, estate(("name: Town", "name: New town")), NOW)
    undone = [str(one.undoes) for one in plan.changes if one.undoes]
    assert undone == ["changed building hall: floor_area_m2 nothing → 1200.0"]
    assert len(plan.changes) == 2
    with pytest.raises(ConfigError, match="would undo it"):
        apply_site(registry, plan, nothing_to_read, by="li", now=NOW)
    assert registry.load() == edited
    assert len(apply_site(registry, plan, nothing_to_read, by="li", now=NOW, accept=True)) == 2
    assert registry.load().buildings[0].floor_area_m2 is None


def test_a_plan_that_somebody_has_overtaken_is_refused(registry):
    plan, stored = plan_site(registry, estate(("name: Town", "name: New town")), NOW), registry.load()
    edited = replace(stored, buildings=(replace(stored.buildings[0], floor_area_m2=1200.0),))
    registry.edit(edited, based_on=registry.version(), by="kim", at=NOW)
    with pytest.raises(Stale, match="kim, 2026-11-19 16:00 UTC: changed building hall"):
        apply_site(registry, plan, nothing_to_read, by="li", now=NOW, accept=True)
    assert registry.load() == edited


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("closing: 580.625", "closing: 77", "closing read 77 is below what the old register had shown before .580.5."),
        (
            "since: 2026-09-14 10:30",
            "since: 2999-09-14 10:30",
            "entry from 2999-09-14 10:30: lies in the future",
        ),
    ],
)
def test_a_ledger_that_readings_or_clock_contradict_is_not_applied(registry, old, new, words):
    plan = plan_site(registry, estate((DEVICE, LEDGER.replace(old, new))), NOW)
    with pytest.raises(ConfigError, match=words):
        apply_site(registry, plan, read, by="li", now=NOW)
    assert registry.load() == estate()
    apply_site(registry, plan_site(registry, estate((DEVICE, LEDGER)), NOW), read, by="li", now=NOW)
    assert len(registry.load().installations) == 2


def test_a_year_without_a_notice_of_moved_workdays_is_a_remark():
    assert estate_remarks(estate(), NOW) == [NO_NOTICE]
    notice = "{country: CN, notices: [{year: 2027, basis: n, workdays: [2027-02-06]}]}"
    assert estate_remarks(estate(("{country: CN}", notice)), NOW) == []


def test_a_device_that_changes_without_a_date_is_a_remark(registry):
    undated = plan_site(registry, estate(("ct_ratio: 40", "ct_ratio: 60")), NOW)
    assert undated.remarks == (NO_NOTICE, Remark(RemarkKind.DEVICE_WITHOUT_DATE, {"meter": "main"}))
    entries = f"{{since: 2026-01-01, serial: A1, ct_ratio: 40, {SAID}}}"
    entries += f", {{since: 2026-09-20, ct_ratio: 60, continues: true, {SAID}}}"
    assert plan_site(registry, estate((DEVICE, f"installations: [{entries}]")), NOW).remarks == (NO_NOTICE,)


def test_the_rig_says_what_these_tests_replace():
    assert DEVICE in SITE
