"""A small estate as text, with profiles of its own, for tests of documents."""

from facility.profile import Source
from facility.protocols.json_values import JsonPoint
from facility.protocols.modbus.profile import Coding, ModbusProfile, RegisterPoint, RegisterTable
from facility.protocols.mqtt_json import MqttJsonProfile
from facility.quantities import Quantity

SOURCE = (Source("a document", "1", "1"),)

PROFILES = {
    "test/meter": ModbusProfile(
        id="test/meter",
        name="Test meter",
        kind="electricity",
        sources=SOURCE,
        points=(
            RegisterPoint(Quantity.ACTIVE_POWER, "total", 0, Coding.FLOAT32, RegisterTable.INPUT),
            RegisterPoint(Quantity.ENERGY_IMPORT, "total", 2, Coding.FLOAT32, RegisterTable.INPUT),
            RegisterPoint(Quantity.VOLTAGE, "l1", 4, Coding.FLOAT32, RegisterTable.INPUT, optional=True),
        ),
    ),
    "test/door": MqttJsonProfile(
        id="test/door",
        name="Test door contact",
        kind="security",
        sources=SOURCE,
        points=(JsonPoint(Quantity.DOOR_OPEN, "total", "doors/{unit}", ("contact",), words={"false": 1, "true": 0}),),
    ),
}

SITE = """\
version: 1
site:
  id: town
  name: {en: Town hall estate, zh: 市政厅园区}
  timezone: Europe/London
  currency: GBP
  holidays:
    country: GB
    subdivision: ENG
    closures:
      - {first: 2026-12-24, last: 2027-01-01, name: year end}
  prices:
    - {utility: electricity, per_unit: 0.3, valid_from: 2021-01-01, basis: contract 7}
departments:
  - {id: estates, name: Estates}
buildings:
  - id: hall
    name: {en: Town hall, zh: 市政厅}
    department: estates
    floor_area_m2: 1200
    hours: {mon-fri: "08:00-18:00", sat: "09:00-12:00"}
    spaces:
      - {id: hall-plant, name: Plant room, kind: plant_room}
agents:
  - id: edge-1
    buses:
      - {id: gateway, url: "modbus+tcp://127.0.0.1:5020"}
      - {id: radio, url: "mqtt://127.0.0.1:1883"}
meters:
  - id: hall-main
    name: {en: Main meter, zh: 总表}
    building: hall
    space: hall-plant
    profile: test/meter
    agent: edge-1
    bus: gateway
    unit: 1
    utility: electricity
    role: head
  - id: hall-door
    name: Front door
    building: hall
    profile: test/door
    agent: edge-1
    bus: radio
    unit: front
    level: restricted
"""
