"""Meters that people read: no agent, no bus, no profile; due once they should have been read."""

from dataclasses import replace

import pytest

from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.documents.site_export import dump_site
from facility.errors import ConfigError
from facility.model import Ratio
from facility.read_by_hand import reads_by_hand
from stores.readings.port import Latest
from stores.records.estate import catalogue_of, rows_of

DAY_MS = 86_400_000
SITE = """\
version: 1
site: {id: town, name: Town, timezone: Asia/Shanghai, currency: CNY}
buildings: [{id: hall, name: Hall}]
meters:
  - {id: main, name: Main, building: hall, utility: electricity, role: head, ct_ratio: 40, read_every_days: 7}
  - {id: water, name: Water, building: hall, utility: water, role: head}
"""


def load(text=SITE):
    return load_site(text, "site.yaml", load_profiles(), reader="registry")


def test_an_estate_without_agents_is_read_exported_and_kept_as_it_is():
    estate = load()
    assert load(dump_site(estate)) == estate
    assert catalogue_of(rows_of(estate)) == estate
    assert [point.id for point in estate.points] == ["main/energy_import/total", "water/water_volume/total"]
    assert estate.points[0].ratio is Ratio.CT_PT, "its face shows secondary values"
    assert [meter.read_every_days for meter in estate.meters] == [7, 31]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("utility: water, role: head", "role: sub", ["who reads this meter", "a utility, where people read it"]),
        ("utility: water,", "utility: water, bus: b,", ["'agent' is missing", "or none of them"]),
        ("read_every_days: 7", "read_every_days: 0", ["read_every_days is '0'"]),
        ("read_every_days: 7", "points: [{quantity: energy}]", ["unknown quantity 'energy'"]),
    ],
)
def test_what_is_half_said_is_refused(before, after, words):
    with pytest.raises(ConfigError) as refused:
        load(SITE.replace(before, after))
    assert all(word in str(refused.value) for word in words), str(refused.value)


def test_a_meter_that_an_agent_reads_has_no_days():
    agent = "agents: [{id: e, buses: [{id: b, url: 'modbus+tcp://127.0.0.1:502'}]}]\nmeters:"
    text = SITE.replace("meters:", agent).replace(
        "ct_ratio: 40", "profile: eastron/sdm630, agent: e, bus: b, unit: 1, level: internal"
    )
    with pytest.raises(ConfigError, match="an agent reads this meter"):
        load(text)


def test_a_read_is_due_after_its_days_and_at_once_where_there_was_none():
    estate = load()
    main, water = reads_by_hand(estate, {"main/energy_import/total": Latest(1_000 * DAY_MS, 5.0)})
    assert (main.is_due(1_007 * DAY_MS - 1), main.is_due(1_007 * DAY_MS)) == (False, True)
    assert water.is_due(0)
    asked = replace(estate, meters=tuple(replace(meter, agent="e") for meter in estate.meters))
    assert reads_by_hand(asked, {}) == []
