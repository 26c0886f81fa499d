"""A data level changes by the decision of the site's custodian alone, and a point without one waits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rigs.estate import PROFILES, SITE
from rigs.sample import NOW

from facility.documents.site import load_site
from facility.documents.site_export import dump_part, dump_site
from facility.errors import ConfigError
from facility.levels import Level
from facility.quantities import Utility
from ingest.gate import REASONS, Gate
from stores.records.audit import Audit, AuditFilter
from stores.records.level_decisions import LevelDecision
from stores.records.registry import Registry

POWER = "hall-main/active_power/total"
KEPT = SITE.replace("  currency: GBP\n", "  currency: GBP\n  custodian: Li Wei\n")
DECIDED = LevelDecision("Li Wei", "the register of data of 2026")


def estate(text=KEPT, **levels):
    made = load_site(text, "site.yaml", PROFILES)
    graded = [replace(p, level=levels.get("all", p.level)) if p.meter == "hall-main" else p for p in made.points]
    return replace(made, points=tuple(graded))


@pytest.fixture
def registry(engine):
    made = Registry(engine)
    made.apply(estate(all=Level.SENSITIVE), by="test", at=NOW)
    return made


def decisions(engine):
    found = Audit(engine).entries(among=AuditFilter(what="level."))
    return [(one.what, one.subject, one.detail) for one in reversed(found) if one.subject == POWER]


@pytest.mark.parametrize(("to", "what"), [(Level.PUBLIC, "level.lower"), (Level.IMPORTANT, "level.raise")])
def test_a_level_is_raised_and_lowered_by_the_custodian_with_a_reason_alone(engine, registry, to, what):
    for wrong in (None, LevelDecision("Li Wei", " "), LevelDecision("Somebody", "because")):
        with pytest.raises(ConfigError):
            registry.apply(estate(all=to), by="test", at=NOW, decision=wrong)
    assert registry.load().point[POWER].level is Level.SENSITIVE
    registry.apply(estate(all=to), by="test", at=NOW, decision=DECIDED)
    assert registry.load().point[POWER].level is to
    said = f"sensitive → {to.word}, decided by Li Wei: the register of data of 2026"
    assert decisions(engine) == [(what, POWER, said)]


def test_a_point_that_was_taken_out_does_not_come_back_lower(registry):
    kept = estate(all=Level.SENSITIVE)
    without = replace(kept, points=tuple(p for p in kept.points if p.id != POWER))
    registry.apply(without, by="test", at=NOW)
    with pytest.raises(ConfigError, match="sensitive → public"):
        registry.apply(estate(all=Level.PUBLIC), by="test", at=NOW)
    registry.apply(estate(all=Level.SENSITIVE), by="test", at=NOW)


def test_no_edit_changes_a_level_beside_and_nobody_else_becomes_custodian(registry):
    with pytest.raises(ConfigError, match="--custodian 'Li Wei'"):
        registry.edit(estate(all=Level.PUBLIC), based_on=registry.version(), by="eve", at=NOW)
    for other in (SITE, KEPT.replace("Li Wei", "Eve")):
        with pytest.raises(ConfigError, match="custodian: Li Wei →"):
            registry.apply(estate(other, all=Level.SENSITIVE), by="eve", at=NOW)
        mine = {"by": "eve", "at": NOW, "decision": LevelDecision("Eve", "mine")}
        with pytest.raises(ConfigError, match="decides about no level here"):
            registry.apply(estate(other, all=Level.SENSITIVE), **mine)
    registry.apply(estate(KEPT.replace("Li Wei", "Wu"), all=Level.SENSITIVE), by="x", at=NOW, decision=DECIDED)
    assert registry.load().site.custodian == "Wu"


def test_a_level_that_is_taken_away_is_a_change(engine, registry):
    with pytest.raises(ConfigError, match="sensitive → none"):
        registry.apply(estate(all=None), by="test", at=NOW)
    registry.apply(estate(all=None), by="test", at=NOW, decision=DECIDED)
    assert [what for what, *_ in decisions(engine)] == ["level.clear"]


def without_levels(text):
    return "".join(line for line in text.splitlines(True) if "level:" not in line)


def test_a_point_without_a_level_waits_where_there_is_a_custodian_and_is_internal_where_there_is_none():
    old, new = (load_site(without_levels(text), "site.yaml", PROFILES) for text in (SITE, KEPT))
    assert {p.level for p in old.points} == {Level.INTERNAL}
    assert {p.level for p in new.points} == {None}
    assert {REASONS[rule.code] for _, rule in Gate(new)._rules.values()} == {"no_level"}
    assert {REASONS[rule.code] for _, rule in Gate(old)._rules.values()} == {""}


def test_a_site_without_a_custodian_changes_levels_with_its_file_as_before(engine):
    registry = Registry(engine)
    registry.apply(estate(SITE, all=Level.SENSITIVE), by="test", at=NOW)
    registry.apply(estate(SITE, all=Level.PUBLIC), by="test", at=NOW)
    assert registry.load().point[POWER].level is Level.PUBLIC
    registry.apply(estate(all=Level.PUBLIC), by="test", at=NOW)
    assert registry.load().site.custodian == "Li Wei"


TOTALS = KEPT.replace("    department: estates\n", "    department: estates\n    totals: {electricity: public}\n")
TOTAL = "hall/electricity"


def test_a_total_is_lowered_below_what_it_sums_by_the_custodian_with_a_reason_alone(engine, registry):
    graded, plain = estate(TOTALS, all=Level.SENSITIVE), estate(all=Level.SENSITIVE)
    with pytest.raises(ConfigError, match="hall/electricity: sensitive → public"):
        registry.apply(graded, by="test", at=NOW)
    registry.apply(graded, by="test", at=NOW, decision=DECIDED)
    assert registry.load().building["hall"].totals == {Utility.ELECTRICITY: Level.PUBLIC}
    registry.apply(graded, by="test", at=NOW)
    with pytest.raises(ConfigError, match="hall/electricity: public → sensitive"):
        registry.apply(plain, by="test", at=NOW)
    registry.apply(plain, by="test", at=NOW, decision=DECIDED)
    with pytest.raises(ConfigError, match="sensitive → public"):
        registry.apply(graded, by="test", at=NOW)
    found = Audit(engine).entries(among=AuditFilter(what="level.", subject=TOTAL))
    assert [(one.what, one.detail.partition(",")[0]) for one in found] == [
        ("level.raise", "public → sensitive"),
        ("level.lower", "sensitive → public"),
    ]


def test_totals_stand_in_the_sites_file_and_nobody_grades_them_without_a_custodian():
    made = load_site(TOTALS, "site.yaml", PROFILES)
    assert load_site(dump_site(made), "site.yaml", PROFILES) == made
    assert "totals" not in dump_part(made, "edge-1")
    assert load_site(dump_part(made, "edge-1"), "site.yaml", PROFILES).building["hall"].totals == {}
    for wrong, said in (
        (TOTALS.replace("  custodian: Li Wei\n", ""), "are graded by a custodian alone"),
        (TOTALS.replace("electricity: public", "electricity: secret"), "unknown level 'secret'"),
        (TOTALS.replace("electricity: public", "electricity: core"), "core"),
        (TOTALS.replace("electricity: public", "sunshine: public"), "sunshine"),
    ):
        with pytest.raises(ConfigError, match=said):
            load_site(wrong, "site.yaml", PROFILES)


def test_the_custodian_stands_in_the_sites_file_and_in_no_agents(registry):
    kept = registry.load()
    assert "custodian: Li Wei" in dump_site(kept)
    assert load_site(dump_site(kept), "site.yaml", PROFILES).site.custodian == "Li Wei"
    assert "custodian" not in dump_part(kept, "edge-1")
