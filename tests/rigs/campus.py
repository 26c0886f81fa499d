"""A campus as its site.yaml says it, with two profiles of its own, for tests of the records."""

from dataclasses import replace

from facility.documents.site import load_site
from facility.model import Name
from facility.profile import Source
from facility.protocols.json_values import JsonPoint
from facility.protocols.modbus.profile import Coding, ModbusProfile, RegisterPoint, RegisterTable
from facility.protocols.mqtt_json import MqttJsonProfile
from facility.quantities import Quantity

SOURCES = (Source("register list", "1", "2"),)
ENERGY = RegisterPoint(Quantity.ENERGY_IMPORT, "total", 0, Coding.FLOAT32, RegisterTable.INPUT)
POWER = RegisterPoint(Quantity.ACTIVE_POWER, "total", 2, Coding.FLOAT32, RegisterTable.INPUT)
DOOR = JsonPoint(Quantity.DOOR_OPEN, "total", "doors", ("contact",))
PROFILES = {
    "maker/meter": ModbusProfile("maker/meter", "M", "meter", SOURCES, (ENERGY, POWER)),
    "maker/door": MqttJsonProfile("maker/door", "D", "door", SOURCES, (DOOR,)),
}

SITE = """\
version: 1
site:
  id: campus
  name: {en: Campus, zh: 校园}
  timezone: Asia/Shanghai
  currency: CNY
  banner: Open data of 2022.
  holidays:
    country: CN
    shift_days: 1456
    closures: [{first: 2026-12-24, last: 2027-01-01, name: winter}]
  prices:
    - {utility: electricity, per_unit: 0.8, valid_from: 2024-01-01, basis: tariff 5}
    - {utility: electricity, per_unit: 0.85, valid_from: 2026-01-01}
    - {utility: water, per_unit: 4, valid_from: 2024-01-01}
departments: [{id: estates, name: Estates, cost_centre: "42"}, {id: library, name: Library}]
buildings:
  - {id: main, name: Main, department: estates, floor_area_m2: 12, hours: {mon-fri: "08:00-18:00", sat: "09:00-12:00"},
     spaces: [{id: plant, name: Plant room, kind: plant_room}, {id: hall, name: {en: Hall, zh: 大厅}}]}
  - {id: annex, name: Annex, use: storage}
agents:
  - {id: edge-1, buses: [{id: b1, url: "modbus+tcp://127.0.0.1:502", timeout_s: 0.5}, {id: b2, url: "mqtt://localhost:1883"}]}
meters:
  - {id: total, name: {en: Total, zh: 总表}, building: main, space: plant, profile: maker/meter, agent: edge-1, bus: b1,
     unit: 7, utility: electricity, role: head, digits: 6, ct_ratio: 40, serial: "A1", provenance: recorded,
     points: [{quantity: energy_import, high: 1000000}, {quantity: active_power, level: public}]}
  - {id: door, name: Door, building: main, profile: maker/door, agent: edge-1, bus: b2, unit: front, level: sensitive}
"""


def estate(*changes):
    """The sample estate, with pieces of its text replaced."""
    text = SITE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return load_site(text, "site.yaml", PROFILES)


def renamed(catalogue, name):
    """The estate with another name for its first building."""
    first, *rest = catalogue.buildings
    return replace(catalogue, buildings=(replace(first, name=Name(name)), *rest))
