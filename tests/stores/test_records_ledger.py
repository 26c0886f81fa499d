"""The ledger, tariffs and notices in the registry: kept whole, audited, and what they touch is put on the list."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from rigs.campus import PROFILES, SITE

from facility.documents.site import load_site
from facility.errors import ConfigError
from facility.ledger.installation import Installation, history_of, present_facts, swapped
from stores.records.accounting.recomputations import Recomputations
from stores.records.audit import Audit
from stores.records.registry import Registry

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
TARIFF = """\
  tariffs:
    - id: tou
      utility: electricity
      valid_from: 2026-02-01
      basis: notice 1093
      buildings: [main]
      prices: {sharp: 1.2, peak: 1.0, flat: 0.7, valley: 0.4, deep: 0.2}
      otherwise: flat
      rules:
        - {period: peak, slots: ["08:30-11:00"], dates: ["12-15..01-31"], days: [workday]}
      tiers: {cycle: year, steps: [{above: 2760, plus: 0.05}]}
      demand: {per_kw_month: 40, declared_kw: 100}
departments"""
NOTICE = "    notices: [{year: 2027, basis: notice 7, workdays: [2027-02-07], days_off: [2027-02-05]}]\n  prices"


def estate(*changes):
    text = SITE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return load_site(text, "site.yaml", PROFILES)


@pytest.fixture
def registry(engine, now):
    registry = Registry(engine)
    registry.apply(estate(), by="anna", at=now)
    return registry


def swap(catalogue):
    total = catalogue.meter["total"]
    new = Installation("total", MARCH, "B2", 6, ct_ratio=40, opening=0.0, closing=77.5, reason="worn", by="li")
    history = swapped(history_of(total, ()), new)
    meters = tuple(present_facts(m, history) if m.id == "total" else m for m in catalogue.meters)
    return replace(catalogue, meters=meters, installations=history)


def asked(engine):
    return [(one.points, one.first_ms, one.last_ms) for one in Recomputations(engine).open_ones()]


def ms(at):
    return round(at.timestamp() * 1000)


def test_a_first_apply_asks_for_nothing(registry, engine):
    assert asked(engine) == []


def test_a_swap_is_kept_audited_and_computed_again_from_its_date(registry, engine, now):
    changed = swap(estate())
    registry.edit(changed, based_on=1, by="li", at=now, what="meter.swap", reason="total: worn")
    assert registry.load() == changed
    newest = Audit(engine).entries()[0]
    assert (newest.who, newest.what) == ("li", "meter.swap")
    assert newest.detail.startswith("total: worn: ")
    assert asked(engine) == [(("total/energy_import/total",), ms(MARCH), ms(now) - 1)]
    assert Recomputations(engine).open_ones()[0].reason == "total: worn: total: the ledger changed"


def test_tariffs_and_notices_come_out_as_they_went_in(registry, now):
    changed = estate(("departments", TARIFF), ("  prices", NOTICE))
    registry.apply(changed, by="anna", at=now)
    assert registry.load() == changed
    assert registry.load().site.tariffs[0].rules[0].slots == ((510, 660),)
    assert registry.load().site.notices[0].workdays == (date(2027, 2, 7),)
    assert registry.apply(changed, by="anna", at=now) == []


def test_a_new_tariff_computes_its_buildings_again_from_its_first_day(registry, engine, now):
    registry.apply(estate(("departments", TARIFF)), by="anna", at=now)
    february = datetime(2026, 1, 31, 16, tzinfo=UTC)  # midnight in Shanghai
    assert asked(engine) == [(("total/energy_import/total",), ms(february), ms(now) - 1)]


def test_a_changed_price_reaches_to_the_next_one(registry, engine, now):
    registry.apply(estate(("per_unit: 0.8,", "per_unit: 0.9,")), by="anna", at=now)
    first, last = datetime(2023, 12, 31, 16, tzinfo=UTC), datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert {(a, b) for _, a, b in asked(engine)} == {(ms(first), ms(last) - 1)}


def test_what_changes_no_figure_asks_for_nothing(registry, engine, now):
    registry.apply(estate(("name: Annex", "name: New annex"), ('serial: "A1"', 'serial: "A7"')), by="anna", at=now)
    assert asked(engine) == []


METER = 'digits: 6, ct_ratio: 40, serial: "A1", provenance'
ENTRY = "since: 2025-01-01, serial: A1, digits: 6, reason: r, by: li"
LEDGER = f"installations: [{{{ENTRY}, ct_ratio: 40}}], provenance"


def test_a_ledger_that_replaces_the_facts_of_a_meter_is_computed_from_the_first_difference(registry, engine, now):
    registry.apply(estate((METER, LEDGER.replace("ct_ratio: 40", "ct_ratio: 60"))), by="anna", at=now)
    assert [(first, last) for _, first, last in asked(engine)] == [(0, ms(now) - 1)]


def test_a_ledger_that_says_what_the_meter_said_asks_for_nothing(registry, engine, now):
    registry.apply(estate((METER, LEDGER.replace("2025-01-01", "1970-01-01T00:00Z"))), by="anna", at=now)
    assert asked(engine) == []


def test_what_a_feeder_delivers_at_most_counts_beside_a_ledger_too(registry, engine, now):
    registry.apply(estate((METER, LEDGER)), by="anna", at=now)
    asked_before = len(asked(engine))
    registry.apply(estate((METER, LEDGER.replace("provenance", "most_per_hour: 90, provenance"))), by="anna", at=now)
    assert asked(engine)[asked_before:] == [(("total/energy_import/total",), 0, ms(now) - 1)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("role: head", "role: sub"),
        ("building: main, space: plant", "building: annex"),
        ("electricity, role", "gas, role"),
    ],
)
def test_a_meter_that_counts_elsewhere_is_computed_again_with_the_heads_beside_it(registry, engine, now, old, new):
    second = "{id: second, name: Second, building: main, profile: maker/meter, agent: edge-1, bus: b1, unit: 8,\n"
    second += "     utility: electricity, role: head, points: [{quantity: energy_import}]}\n  - {id: door"
    registry.apply(estate(("{id: door", second)), by="anna", at=now)
    assert asked(engine) == []
    registry.apply(estate((old, new), ("{id: door", second)), by="anna", at=now)
    points = ("total/energy_import/total", "second/energy_import/total")
    assert asked(engine) == [(points, 0, ms(now) - 1)]


def test_progress_and_difference_are_kept(registry, engine, now):
    registry.edit(swap(estate()), based_on=1, by="li", at=now)
    todo = Recomputations(engine)
    (one,) = todo.open_ones()
    months = {"2026-03": {"before": {"qty": 10.0}, "after": {"qty": 12.5}}}
    todo.note(one.id, based_on=one.next_ms, next_ms=one.first_ms + 7, months=months)
    assert (todo.open_ones()[0].next_ms, todo.open_ones()[0].months) == (one.first_ms + 7, months)
    todo.note(one.id, based_on=one.first_ms + 7, next_ms=one.last_ms, months=months, finished_at=now)
    assert todo.open_ones() == []
    assert todo.newest()[0].finished_at == now


def test_a_stretch_that_a_person_asks_for_is_put_on_the_list_with_a_reason(registry, engine, now):
    todo, start, end = Recomputations(engine), MARCH, MARCH + timedelta(days=2)
    assert todo.ask_meter(registry.load(), "total", (start, end), by="li", at=now, reason=" asked for ") == 1
    assert asked(engine) == [(("total/energy_import/total",), ms(start), ms(end) - 1)]
    assert todo.open_ones()[0].reason == "asked for: total from 2026-03-01 08:00"
    assert todo.ask_meter(registry.load(), "total", (now + timedelta(days=1), None), by="li", at=now, reason="r") == 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"meter": "door"}, r"meter: 'door' has no counter \(allowed: total\)"),
        ({"span": (MARCH, MARCH)}, "end: 2026-03-01 08:00 does not come after 2026-03-01 08:00"),
        ({"reason": " "}, "reason: is empty"),
    ],
)
def test_a_stretch_that_cannot_be_computed_again_names_its_field(registry, engine, now, wrong, words):
    wish = {"meter": "total", "span": (MARCH, None), "reason": "r"} | wrong
    with pytest.raises(ConfigError, match=words):
        Recomputations(engine).ask_meter(registry.load(), by="li", at=now, **wish)
    assert asked(engine) == []
