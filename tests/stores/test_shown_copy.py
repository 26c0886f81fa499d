"""What Grafana reads is a database of its own: nothing above the level is ever in it, whatever comes or changes."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from rigs.one_meter import estate

from facility.errors import StoreUnavailable
from facility.levels import Level
from stores.access.shown_copy import ShownSeries, with_copy
from stores.readings import open_readings
from stores.readings.port import RollupSeries
from stores.readings.rollups import ROLLUPS
from stores.records.database import open_records
from stores.records.registry import Registry

AT = datetime(2026, 8, 1, tzinfo=UTC)
SECOND = """    utility: electricity, role: head, serial: A1, ct_ratio: 40, points: [{quantity: energy_import}]}
  - {id: vault, name: Vault, building: hall, profile: generic/pulse-water, agent: edge-1, bus: b, unit: 2,
     utility: water, role: head, level: LEVEL}
"""


def with_vault(level):
    text = "utility: electricity, role: head, serial: A1, ct_ratio: 40, points: [{quantity: energy_import}]}\n"
    return estate((f"     {text}", f" {SECOND.replace('LEVEL', level)}"))


def tags_of(name, meter, utility, quantity):
    """A series of a rollup, of the hall."""
    every = {
        "site": "town", "building": "hall", "utility": utility, "meter": meter, "role": "head", "enduse": "",
        "quantity": quantity, "channel": "total", "kind": "alert", "type": "night_waste", "gateway": "edge-1",
        "device": "", "process": "ingest", "period": "month",
    }  # fmt: skip
    return {tag: every[tag] for tag in ROLLUPS[name].tags}


OPEN = ("main", "electricity", "energy_import")
SECRET = ("vault", "water", "water_volume")


def rows(name, whose, x=1.0):
    field = next(one for one, kind in ROLLUPS[name].types.items() if kind.name == "FLOAT")
    return RollupSeries(tags_of(name, *whose), np.array([0, 3_600_000]), {field: np.array([x, x])})


class Town:
    def __init__(self, folder, level):
        self.folder = folder
        self.records = open_records(f"sqlite:///{folder / 'records.db'}")
        self.registry = Registry(self.records)
        self.registry.apply(with_vault(level), by="li", at=AT)
        self.plain = open_readings(f"sqlite://{folder / 'readings.db'}")
        self.copy = open_readings(f"sqlite://{folder / 'shown.db'}")
        self.open()

    def open(self):
        note = self.folder / "shown.json"
        self.store = with_copy(self.plain, self.copy, self.registry, Level.INTERNAL, note)

    def meters(self, name="usage_1h"):
        return {one.tags["meter"] for one in self.copy.read_rollup(name, {}, -1, 2**40)}


@pytest.fixture
def town(tmp_path):
    made = []

    def make(level):
        made.append(Town(tmp_path, level))
        return made[-1]

    yield make
    for one in made:
        one.plain.close()
        one.copy.close()
        one.records.dispose()


def test_what_is_above_the_level_is_never_in_it(town):
    one = town("sensitive")
    one.store.write_rollup("usage_1h", [rows("usage_1h", OPEN), rows("usage_1h", SECRET)])
    one.store.write_rollups([("usage_1d", [rows("usage_1d", SECRET), rows("usage_1d", OPEN)])])
    assert one.meters() == one.meters("usage_1d") == {"main"}
    assert {s.tags["meter"] for s in one.plain.read_rollup("usage_1h", {}, -1, 2**40)} == {"main", "vault"}
    assert one.store.read_rollup("usage_1h", {"meter": "vault"}, -1, 2**40), "the store's own reads are whole"


def test_what_is_derived_shows_where_all_that_it_rests_on_does():
    shown = ShownSeries(with_vault("sensitive"), Level.INTERNAL)
    whole = ShownSeries(with_vault("internal"), Level.INTERNAL)
    assert all(whole.shows(name, tags_of(name, *whose)) for name in ROLLUPS for whose in (OPEN, SECRET))
    seen = {
        name: (shown.shows(name, tags_of(name, *OPEN)), shown.shows(name, tags_of(name, *SECRET))) for name in ROLLUPS
    }
    for name in ("usage_1h", "usage_1d", "building_1h", "building_1d", "baseline_1h", "profile_day", "live", "events"):
        assert seen[name] == (True, False), name
    assert seen["alert_1d"] == seen["device_health"] == (False, False), "a building's, and an agent's that reads both"
    assert seen["platform_1m"] == (True, True)
    assert seen["quota"] == (True, False)
    assert not shown.shows("quota", tags_of("quota", *OPEN) | {"utility": ""}), "all energy of the building"
    assert not shown.shows("usage_1h", tags_of("usage_1h", "nobody", "water", "water_volume"))
    assert not shown.shows("events", tags_of("events", "", "", "") | {"building": ""})


def test_a_level_that_is_raised_takes_it_out_and_one_that_is_lowered_brings_all_of_before(town):
    one = town("internal")
    one.store.write_rollup("usage_1h", [rows("usage_1h", OPEN), rows("usage_1h", SECRET)])
    assert one.meters() == {"main", "vault"}
    one.registry.apply(with_vault("restricted"), by="li", at=AT)
    one.store.write_rollup("live", [])
    assert one.meters() == {"main"}
    one.registry.apply(with_vault("public"), by="li", at=AT)
    one.store.write_rollup("live", [])
    assert one.meters() == {"main", "vault"}
    one.store.delete_rollup("usage_1h", {"meter": "vault"}, -1, 2**40)
    assert one.meters() == {"main"}


def test_half_a_copy_is_made_anew_and_a_whole_one_is_not(town, tmp_path):
    one = town("internal")
    one.plain.write_rollup("usage_1h", [rows("usage_1h", OPEN)])
    one.store.write_rollup("live", [])
    assert one.meters() == {"main"}, "what came before there was a copy"
    one.copy.delete_rollup("usage_1h", {}, -1, 2**40)
    one.open()
    one.store.write_rollup("live", [])
    assert one.meters() == set(), "it is said to be whole"
    (tmp_path / "shown.json").unlink()  # as after one that was killed, and after a restore
    one.open()
    one.store.write_rollup("live", [])
    assert one.meters() == {"main"}
    assert json.loads((tmp_path / "shown.json").read_text())[0] == "internal"


def test_nothing_is_called_copied_while_the_copy_is_away(town, tmp_path, monkeypatch):
    one = town("internal")

    def away(*_):
        raise StoreUnavailable("away")

    monkeypatch.setattr(one.copy, "write_rollup", away)
    monkeypatch.setattr(one.copy, "write_rollups", away)
    one.plain.write_rollup("usage_1h", [rows("usage_1h", OPEN)])
    with pytest.raises(StoreUnavailable):
        one.store.write_rollup("usage_1h", [rows("usage_1h", OPEN)])
    assert not (tmp_path / "shown.json").exists()
