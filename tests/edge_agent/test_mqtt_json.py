"""Devices that publish, on a real broker: what one of them says wrongly is told, and costs nobody else a reading."""

from __future__ import annotations

import time

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.publish import single
from rigs.edge_server import Server
from rigs.patience import PATIENCE_S, until

from edge_agent.__main__ import build
from edge_agent.devices import Device
from edge_agent.drivers.base import BusSeat
from edge_agent.drivers.mqtt_json import MqttJsonDriver
from edge_agent.settings import EdgeSettings
from facility.catalogue import Bus
from facility.model import Meter, Name, Quality
from facility.protocols.json_values import JsonPoint, MessageTime, TimeForm
from facility.protocols.mqtt_json import MqttJsonProfile
from facility.quantities import Quantity
from process.settings import read_settings

pytestmark = pytest.mark.broker

STAMP = (1_790_000_000_000, 0)
PROFILE = MqttJsonProfile(
    "test/meter", "Test meter", "electricity", (),
    (
        JsonPoint(Quantity.ACTIVE_POWER, "total", "{unit}/now", ("power",)),
        JsonPoint(Quantity.ENERGY_IMPORT, "total", "{unit}/now", ("energy",)),
        JsonPoint(Quantity.VOLTAGE, "total", "{unit}/line", ("voltage",)),
        JsonPoint(
            Quantity.WATER_VOLUME, "total", "{unit}/line", ("m3",), time=MessageTime(("at",), TimeForm.UNIX_MS)
        ),
    ),
)  # fmt: skip


class Radio:
    """A driver with devices at these units, and who publishes for them."""

    def __init__(self, broker, *units, profile=PROFILE):
        self.taken, self.profile = [], profile
        devices = tuple(self.device(f"m{i}", unit) for i, unit in enumerate(units))
        bus = Bus("radio", broker.url)
        self.driver = MqttJsonDriver(BusSeat(bus, devices, self.taken.extend, lambda: STAMP, time.monotonic))
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.connect("127.0.0.1", broker.port)

    def device(self, meter, unit):
        profile = self.profile
        places = {f"{meter}/{place.name}": place for place in profile.points}
        return Device(Meter(meter, Name("M"), "b", profile.id, "a", "radio", unit, poll_s=1), profile, places)

    def __enter__(self):
        self.client.loop_start()
        self.driver.start()
        until(lambda: self.driver.state() != "down")
        return self

    def __exit__(self, *_):
        self.driver.stop()
        self.client.disconnect()
        self.client.loop_stop()

    def say(self, topic, payload):
        self.client.publish(topic, payload, qos=1).wait_for_publish(PATIENCE_S)

    def heard(self, topic, payload, point):
        """The value of the point once the message is heard; it is said until the pace of its meter lets it pass."""
        self.taken.clear()
        until(lambda: self.say(topic, payload) or [row for row in self.taken if row[0] == point], pause_s=0.3)
        return self.taken[-1][2]


DOOR = MqttJsonProfile(
    "test/door", "Test door", "security", (),
    (
        JsonPoint(Quantity.DOOR_OPEN, "door", "{unit}/door", ("open",), words={"true": 1, "false": 0}),
        JsonPoint(Quantity.BATTERY, "total", "{unit}/door", ("battery",)),
    ),
)  # fmt: skip
DOOR_POINT = "m0/door_open/door"


def keep(broker, payload):
    single("hall/door", payload, qos=1, retain=True, port=broker.port)


def test_a_state_that_the_broker_has_kept_is_known_at_once_and_levels_are_old(broker):
    keep(broker, b'{"open":false,"battery":90}')
    try:
        for _ in range(2):  # after a restart, too
            with Radio(broker, "hall", profile=DOOR) as radio:
                until(lambda: radio.taken)
                kept = (DOOR_POINT, STAMP[0], radio.taken[0][2], Quality.TIME_ESTIMATED)
                assert radio.taken == [kept]
                keep(broker, b'{"open":true,"battery":89}')
                until(lambda: len(radio.taken) == 3)
                assert radio.taken == [
                    kept,
                    (DOOR_POINT, *STAMP[:1], 1.0, 0),
                    ("m0/battery/total", *STAMP[:1], 89.0, 0),
                ]
        assert kept[2] == 1.0
    finally:
        keep(broker, b"")


BAD_UNITS = ["+", "a/#", "\0", "\x07", "\ud800", "/", "x" * 70_000, "$share/group/m"]


@pytest.mark.parametrize("bad", BAD_UNITS, ids=lambda unit: ascii(unit)[:20])
def test_a_bad_unit_silences_only_itself_and_is_told(broker, bad):
    with Radio(broker, bad, "good") as radio:
        assert radio.heard("good/now", b'{"power":840}', "m1/active_power/total") == 840
        state = radio.driver.state()
        assert radio.driver.unread().keys() == {f"m0/{place.name}" for place in PROFILE.points}
    assert state.startswith("unread: ")
    assert len(state) < 300
    assert state.isprintable()


def test_what_cannot_be_read_is_told_with_the_field_and_what_came_until_it_is_read(broker, capsys):
    with Radio(broker, "plug") as radio:
        assert radio.driver.state() == "ok"
        assert radio.heard("plug/now", b'{"power":"840 W","energy":7}', "m0/energy_import/total") == 7
        why = 'm0/active_power/total: power is "840 W": text, where a number is expected'
        assert radio.driver.state() == f"unread: {why}"
        assert radio.driver.unread().keys() == {"m0/active_power/total"}
        radio.say("plug/now", b"{")
        until(lambda: "m0 at plug/now: not JSON" in radio.driver.state())
        assert radio.heard("plug/line", b'{"voltage":230}', "m0/voltage/total") == 230
        assert "m0 at plug/now: not JSON" in radio.driver.state()
        assert radio.driver.unread().keys() == {"m0/active_power/total", "m0/energy_import/total"}
        assert radio.heard("plug/now", b'{"power":840}', "m0/active_power/total") == 840
        assert radio.driver.state() == "ok"
    logged = capsys.readouterr().out
    assert logged.count('power is "840 W"') < 3
    assert "device_is_read_again" in logged


SITE = """\
version: 1
site: {{id: s, name: S, timezone: UTC, currency: EUR}}
buildings: [{{id: b, name: B}}]
agents:
  - id: edge-1
    buses: [{{id: radio, url: "{broker}"}}]
meters:
  - {{id: m1, name: M, building: b, profile: shelly/pro-3em, agent: edge-1, bus: radio, unit: plug, poll_s: 1}}
"""


def started(tmp_path, broker, monkeypatch, site):
    (tmp_path / "site.yaml").write_text(site.format(broker=broker.url), encoding="utf-8")
    settings = {"DATA": tmp_path, "BROKER": broker.url, "SITE": tmp_path / "site.yaml", "AGENT": "edge-1"}
    for name, value in settings.items():
        monkeypatch.setenv(f"METERHOUSE_{name}", str(value))
    agent = build(read_settings(EdgeSettings))
    agent.start()
    return agent


@pytest.mark.parametrize("bad", ["'+'", "'#'", "/plug", "plug/", "''", '"\\x07"'])
def test_an_agent_reads_all_others_where_one_unit_is_bad(tmp_path, broker, monkeypatch, bad):
    """``site check`` refuses it, but what was let pass before must not end the readings of a whole agent."""
    other = "m2, name: N, building: b, profile: shelly/pro-3em, agent: edge-1, bus: radio, unit: {unit}"
    site = f"{SITE}  - {{{{id: {other.replace('{unit}', bad)}}}}}\n"
    server, agent = Server(broker.port, answers="always"), started(tmp_path, broker, monkeypatch, site)
    try:
        until(lambda: agent.status().buses["radio"].endswith("else ok"))
        assert agent.status().buses["radio"].startswith("refused: m2: ")
        figures = agent.status().figures
        assert (figures["unread"], figures["alarm_points_unread"]) == (2, 1)  # power and energy of m2
        server.client.publish("plug/status/em:0", '{"total_act_power":840}')
        server.wait(lambda: [row for row in server.rows.values() if row[0] == "m1/active_power/total"])
    finally:
        agent.stop()
        server.stop()


def test_however_many_units_are_bad_a_status_is_short(tmp_path, broker, monkeypatch):
    other = "name: N, building: b, profile: shelly/pro-3em, agent: edge-1, bus: radio, unit: '+'"
    site = SITE + "".join(f"  - {{{{id: n{i}, {other}}}}}\n" for i in range(200))
    server, agent = Server(broker.port, answers="always"), started(tmp_path, broker, monkeypatch, site)
    try:
        status = agent.status()
        assert len(status.buses["radio"]) < 1000
        assert "; 197 more; else " in status.buses["radio"]
        assert status.figures["unread"] == 400
    finally:
        agent.stop()
        server.stop()


PLACEHOLDERS = [
    ("plug/status/em:0", '{"total_act_power":-1e9}', '{"total_act_power":840}', "m1/active_power/total"),
    ("plug/status/emdata:0", '{"total_act":0}', '{"total_act":4912000}', "m1/energy_import/total"),
]  # fmt: skip


@pytest.mark.parametrize(("topic", "placeholder", "truth", "point"), PLACEHOLDERS)
def test_an_implausible_value_does_not_take_the_turn_of_the_true_one(
    tmp_path, broker, monkeypatch, topic, placeholder, truth, point
):
    """What is out of range, and a counter that falls to nothing for a moment."""
    server, agent = Server(broker.port, answers="always"), started(tmp_path, broker, monkeypatch, SITE)
    true = 840 if "power" in truth else 4912

    def count():
        return sum(row[0] == point and row[2] == true for row in list(server.rows.values()))

    try:
        until(lambda: agent.buses["radio"].state() == "ok")
        until(lambda: server.client.publish(topic, truth) and count(), pause_s=0.2)
        for _ in range(3):
            time.sleep(1.1)
            before = count()
            server.client.publish(topic, placeholder, qos=1)
            server.client.publish(topic, truth, qos=1)
            until(lambda before=before: count() > before, limit_s=30)
    finally:
        agent.stop()
        server.stop()


HOUR_MS = 3_600_000
SAID = {
    "an hour ago": (STAMP[0] - HOUR_MS, (STAMP[0] - HOUR_MS, 0)),
    "a moment ahead of us": (STAMP[0] + 1000, STAMP),
    "far ahead of us": (STAMP[0] + HOUR_MS, (STAMP[0], 1)),
    "1970": (12_345, (STAMP[0], 1)),
    "no number": ('"now"', STAMP),
}


@pytest.mark.parametrize(("said", "stamp"), SAID.values(), ids=SAID)
def test_a_value_has_the_time_that_its_message_says_within_belief(broker, said, stamp):
    with Radio(broker, "meter") as radio:
        radio.heard("meter/line", f'{{"m3":1.5,"at":{said}}}'.encode(), "m0/water_volume/total")
        assert (radio.taken[-1][1], radio.taken[-1][3]) == stamp


def test_what_was_held_back_keeps_the_meters_pace_by_its_own_times(broker):
    """A meter is read each second; a gateway sends an hour of it at once."""
    with Radio(broker, "meter") as radio:
        for i in range(0, 4000, 500):
            radio.say("meter/line", f'{{"m3":{i},"at":{STAMP[0] - HOUR_MS + i}}}'.encode())
        until(lambda: radio.taken and radio.taken[-1][2] == 3000)
        assert [row[2] for row in radio.taken] == [0, 1000, 2000, 3000]
