"""What a site.yaml states: factor sets, figures, fuel, quotas, memberships, allocation; each mistake with its line."""

# ruff: noqa: E501 - lines of a document as people write them

import pytest

from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.documents.site_export import dump_site
from facility.errors import ConfigError
from facility.stated import RestBy
from stores.records.estate import catalogue_of, rows_of

SITE = """\
version: 1
site:
  id: town
  name: Town
  timezone: Asia/Shanghai
  currency: CNY
  factor_sets:
    - {id: coal, valid_from: 2020-01-01, basis: GB/T 2589, kgce: {electricity: 0.1229, diesel: 1.4571}, co2: {gas: 2.1622}}
departments:
  - {id: office, name: Office}
  - {id: archive, name: Archive}
buildings:
  - {id: hall, name: Hall, spaces: [{id: floor, name: Floor}, {id: room, name: Room}]}
agents:
  - {id: edge, buses: [{id: bus, url: 'modbus+tcp://127.0.0.1:502'}]}
meters:
  - {id: main, name: M, building: hall, profile: eastron/sdm630, agent: edge, bus: bus, unit: 1, utility: electricity, role: head}
  - {id: part, name: P, building: hall, profile: eastron/sdm630, agent: edge, bus: bus, unit: 2, utility: electricity}
figures:
  - {kind: persons, value: 10, valid_from: 2026-01-01, basis: list, building: hall, department: office}
vehicle_fuel:
  - {fuel: diesel, quantity: 100, unit: L, density_kg_per_l: 0.84, month: 2026-03, basis: card}
quotas:
  - {indicator: energy_per_m2, constraint: 22.6, benchmark: 15.3, guide: 9.4, factor_set: coal, valid_from: 2026-01-01, basis: DB}
memberships:
  - {member: meter, id: part, department: archive, valid_from: 2026-01-01}
  - {member: meter, id: part, space: room, valid_from: 2026-01-01}
  - {member: space, id: room, space: floor, valid_from: 2026-01-01}
  - {member: department, id: archive, department: office, valid_from: 2026-01-01}
allocations:
  - {building: hall, valid_from: 2026-01-01, basis: deal, meters: [part], rest: fixed, departments: [office, archive], shares: [0.75, 0.25]}
"""


def load(text=SITE):
    return load_site(text, "site.yaml", load_profiles(), reader="registry")


def test_what_is_stated_is_read_exported_and_kept_as_it_is():
    estate = load()
    assert load(dump_site(estate)) == estate
    assert catalogue_of(rows_of(estate)) == estate
    assert estate.stated.vehicle_fuel[0].kg == 84.0
    assert estate.stated.allocations[0].rest is RestBy.FIXED
    assert estate.stated.allocations[0].shares == (("office", 0.75), ("archive", 0.25))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("shares: [0.75, 0.25]", "shares: [0.75, 0.2]", "site.yaml:31: the shares 0.75, 0.2 sum to 0.95"),
        ("shares: [0.75, 0.25]", "shares: [1.25, -0.25]", "the shares 1.25, -0.25 sum to 1"),
        ("shares: [0.75, 0.25]", "shares: [1]", "1 share for 2 departments"),
        ("rest: fixed", "rest: area", "shares are stated, but the rest goes by area"),
        ("rest: fixed, departments: [office, archive], shares: [0.75, 0.25]", "rest: remainder, departments: [office, archive]",
         "the remainder goes to 2 departments"),
        ("rest: fixed, departments: [office, archive], shares: [0.75, 0.25]", "rest: headcount, departments: [office, archive]",
         "site.yaml:31: department 'archive' has no persons in hall on 2026-01-01"),
        ("meters: [part]", "meters: [main]", "meter 'main' is a head meter"),
        ("meters: [part]", "meters: [other]", "unknown meter 'other' (allowed: main, part)"),
        ("id: part, department: archive", "id: main, department: archive", "meter 'part' belongs to no department"),
        ("departments: [office, archive]", "departments: [office, post]", "unknown department 'post'"),
        ("{building: hall, valid", "{building: shed, valid", "unknown building 'shed'"),
        ("id: archive, department: office", "id: archive, department: archive", "department archive would stand below itself"),
        ("id: room, space: floor", "id: room, department: post", "unknown department 'post'"),
        ("id: room, space: floor", "id: room", "names neither a department nor a space"),
        ("unit: L, density_kg_per_l: 0.84", "unit: L", "100 L of diesel cannot be weighed: 'density_kg_per_l' is missing"),
        ("unit: L, density_kg_per_l: 0.84", "unit: gal", "unit 'gal' does not convert to kg (allowed: kg, t, L)"),
        ("fuel: diesel, quantity", "fuel: electricity, quantity", "electricity is no fuel"),
        ("benchmark: 15.3", "benchmark: 25", "the ladder 22.6 / 25 / 9.4 does not fall"),
        ("factor_set: coal, ", "", "a quota of energy_per_m2 names no factor set"),
        ("kgce: {electricity: 0.1229", "kgce: {water: 0.2571", "water has a kgce factor"),
        ("electricity: 0.1229", "electricity: -1", "the factor -1 of electricity is below zero"),
        ("department: office}\nvehicle", "department: post}\nvehicle", "unknown department 'post' (allowed: office, archive)"),
        ("kind: persons", "kind: people", "figures.0.kind is 'people'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line_and_what_is_allowed(before, after, said):
    assert before in SITE
    with pytest.raises(ConfigError) as caught:
        load(SITE.replace(before, after))
    assert said in str(caught.value)
    assert "site.yaml:" in str(caught.value)


def test_what_is_stated_twice_is_refused():
    twice = SITE.replace("vehicle_fuel:", "  - {kind: persons, value: 11, valid_from: 2026-01-01, basis: b, building: hall, "
                         "department: office}\nvehicle_fuel:")  # fmt: skip
    with pytest.raises(ConfigError, match="persons of office in hall from 2026-01-01 is stated twice"):
        load(twice)
