"""Two people change one record, each from what they saw: the second is told, and nobody's change is lost."""

from dataclasses import replace

import pytest
from rigs.campus import estate, renamed

from stores.records.audit import Audit
from stores.records.registry import Registry
from stores.records.stale import Stale


@pytest.fixture
def registry(engine, now):
    registry = Registry(engine)
    registry.apply(estate(), by="anna", at=now)
    return registry


def with_serial(catalogue, meter, serial):
    meters = tuple(replace(one, serial=serial) if one.id == meter else one for one in catalogue.meters)
    return replace(catalogue, meters=meters)


@pytest.mark.parametrize("order", [("total", "door"), ("door", "total")])
def test_the_second_edit_of_one_version_is_refused_and_the_first_one_stands(registry, engine, now, order):
    first, second = (registry.revision(), registry.revision())
    quick, slow = order
    registry.edit(with_serial(first.catalogue, quick, "Q"), based_on=first.version, by="bob", at=now)
    with pytest.raises(Stale, match=rf"bob, 2026-11-23 09:30 UTC: changed meter {quick}: serial .* → 'Q'"):
        registry.edit(with_serial(second.catalogue, slow, "S"), based_on=second.version, by="kim", at=now)
    serials = {meter.id: meter.serial for meter in registry.load().meters}
    assert serials == {quick: "Q", slow: estate().meter[slow].serial}
    assert [entry.who for entry in Audit(engine).entries()] == ["bob", "anna"]
    again = registry.revision()
    registry.edit(with_serial(again.catalogue, slow, "S"), based_on=again.version, by="kim", at=now)
    assert {meter.id: meter.serial for meter in registry.load().meters} == {quick: "Q", slow: "S"}


def test_an_edit_of_a_version_that_is_to_come_is_refused(registry, now):
    with pytest.raises(Stale, match="the estate was changed since you looked at it"):
        registry.edit(renamed(estate(), "Hall"), based_on=2, by="kim", at=now)


def test_every_change_since_is_told(registry, now):
    seen = registry.revision()
    registry.edit(renamed(seen.catalogue, "Hall"), based_on=1, by="bob", at=now, reason="its name")
    registry.apply(renamed(estate(), "Great hall"), by="ann", at=now, accept=True)
    with pytest.raises(Stale) as refusal:
        registry.edit(with_serial(seen.catalogue, "total", "S"), based_on=seen.version, by="kim", at=now)
    assert [(act.by, act.what) for act in refusal.value.acts] == [
        ("bob", "its name: changed building main: name_en 'Main' → 'Hall'"),
        ("ann", "changed building main: name_en 'Hall' → 'Great hall'"),
    ]


@pytest.mark.parametrize("meanwhile", ["applied", "edited"])
def test_an_apply_is_held_to_the_difference_that_was_shown(registry, now, meanwhile):
    document = with_serial(estate(), "total", "S")
    shown = registry.difference(document)
    other = renamed(estate(), "Hall")
    if meanwhile == "applied":
        registry.apply(other, by="bob", at=now)
    else:
        registry.edit(other, based_on=1, by="bob", at=now)
    with pytest.raises(Stale, match=r"bob, .*name_en 'Main' → 'Hall'"):
        registry.apply(document, by="kim", at=now, accept=True, shown=shown)
    assert registry.load() == other
    registry.apply(document, by="kim", at=now, accept=True, shown=registry.difference(document))
    assert registry.load() == document


def test_an_apply_whose_difference_stands_goes_through(registry, now):
    document = with_serial(estate(), "total", "S")
    assert registry.apply(document, by="kim", at=now, shown=registry.difference(document))
    assert registry.load() == document
