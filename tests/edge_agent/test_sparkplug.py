"""Sparkplug B: births, aliases, deaths, missed messages, times and types, on a real broker and in the hand."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.patience import until
from rigs.sparkplug_peers import (
    BIRTH,
    BOOLEAN,
    DATA,
    DEVICE,
    DOUBLE,
    GROUP,
    INT64,
    NODE,
    STRING,
    SparkplugPeer,
    metric,
    payload,
    text,
    whole,
)

from edge_agent.devices import Device
from edge_agent.drivers.base import BusSeat
from edge_agent.drivers.sparkplug.driver import SparkplugDriver
from edge_agent.drivers.sparkplug.nodes import GatewayNode
from edge_agent.drivers.sparkplug.payload import read_payload
from facility.catalogue import Bus
from facility.errors import ConfigError, DriverError
from facility.model import Meter, Name, Quality
from facility.protocols.sparkplug import edge_unit, gateway_broker

NOW_MS = 1_790_000_000_000


class Gateway:
    """What a gateway publishes, and what comes of it."""

    def __init__(self):
        self.node, self.seq = GatewayNode(), -1

    def say(self, kind, *metrics, device=DEVICE, seq=None):
        self.seq = (self.seq + 1) % 256 if seq is None else seq
        message = read_payload(payload(*metrics, seq=self.seq))
        of = device if kind[0] == "D" else ""
        return {one.name: said.value(one.datatype) for one, said in self.node.take(kind, of, message)}

    def born(self, session=0):
        self.seq = -1
        self.say("NBIRTH", metric("bdSeq", datatype=INT64, value=session))
        self.say("DBIRTH", *BIRTH)


ALL = {"Energy/Import": 1_234_560, "Power": -12.5, "Door": 1.0, "Outside": -75.0}


class TestGateway:
    def test_an_alias_means_what_its_birth_named(self):
        gateway = Gateway()
        gateway.born()
        assert gateway.say("DDATA", *DATA) == ALL
        assert not gateway.node.wants_birth

    def test_an_alias_without_a_birth_means_nothing(self):
        gateway = Gateway()
        assert gateway.say("DDATA", *DATA) == {}
        assert gateway.node.wants_birth

    def test_after_a_missed_message_an_alias_means_nothing_until_the_next_birth(self):
        gateway = Gateway()
        gateway.born()
        gateway.seq += 1
        assert gateway.say("DDATA", *DATA) == {}
        assert gateway.node.wants_birth
        gateway.born()
        assert gateway.say("DDATA", *DATA) == ALL

    def test_a_device_s_birth_alone_is_enough_for_its_aliases(self):
        gateway = Gateway()
        gateway.say("DBIRTH", *BIRTH, seq=1)
        assert gateway.say("DDATA", *DATA) == ALL
        assert not gateway.node.is_lacking

    def test_a_name_is_read_all_the_same(self):
        gateway = Gateway()
        assert gateway.say("DDATA", metric("Power", datatype=DOUBLE, value=5.0)) == {"Power": 5.0}

    def test_numbers_go_round_after_255(self):
        gateway = Gateway()
        gateway.born()
        for _ in range(600):
            assert gateway.say("DDATA", metric(alias=2, value=5.0)) == {"Power": 5.0}

    def test_a_death_ends_what_was_introduced(self):
        gateway = Gateway()
        gateway.born(session=4)
        gateway.say("NDEATH", metric("bdSeq", datatype=INT64, value=3), seq=gateway.seq)
        assert gateway.say("DDATA", *DATA) == ALL, "it was the will of an earlier session"
        gateway.say("NDEATH", metric("bdSeq", datatype=INT64, value=4), seq=gateway.seq)
        assert gateway.say("DDATA", *DATA) == {}

    def test_a_device_s_death_leaves_the_others(self):
        gateway = Gateway()
        gateway.born()
        gateway.say("DBIRTH", metric("Power", 9, DOUBLE), device="other")
        gateway.say("DDEATH")
        assert gateway.say("DDATA", metric(alias=9, value=2.0), device="other") == {"Power": 2.0}
        assert gateway.say("DDATA", *DATA) == {}

    def test_a_device_that_is_born_again_may_number_its_metrics_anew(self):
        gateway = Gateway()
        gateway.born()
        gateway.say("DBIRTH", metric("Door", 2, BOOLEAN))
        assert gateway.say("DDATA", metric(alias=2, value=True)) == {"Door": 1.0}
        assert gateway.say("DDATA", metric(alias=1, value=5)) == {}


class TestPayload:
    @pytest.mark.parametrize(
        ("datatype", "raw", "value"),
        [
            (1, 0xFFFFFFB5, -75),
            (1, 0xB5, -75),
            (2, 0xFFB5, -75),
            (3, 0xFFFFFFB5, -75),
            (7, 0xFFFFFFB5, 4294967221),
            (5, 0xB5, 181),
        ],
    )
    def test_a_whole_number_has_the_sign_of_its_type(self, datatype, raw, value):
        (found,) = read_payload(payload(whole(10, raw))).metrics
        assert found.value(datatype) == value

    def test_a_text_is_no_number_and_null_no_value(self):
        (one, two) = read_payload(
            payload(metric("a", datatype=STRING, value="5"), metric("b", is_null=True, value=5.0))
        ).metrics
        assert (one.value(STRING), two.value(DOUBLE)) == (None, None)

    def test_a_whole_number_without_a_type_is_not_guessed(self):
        (found,) = read_payload(payload(metric("a", value=5))).metrics
        with pytest.raises(DriverError, match="data type is not said"):
            found.value(0)

    def test_unknown_fields_are_passed_over(self):
        odd = text(9, b"properties") + metric("a", datatype=DOUBLE, value=5.0) + text(500, b"x")
        (found,) = read_payload(payload(odd) + text(5, b"body")).metrics
        assert (found.name, found.value(DOUBLE)) == ("a", 5.0)

    @given(st.binary(max_size=200))
    def test_noise_is_a_payload_or_none(self, noise):
        node = GatewayNode()
        for message in (noise, payload(noise, seq=0)):
            with suppress(DriverError):
                for one, found in node.take("NBIRTH", "", read_payload(message)):
                    with suppress(DriverError):
                        found.value(one.datatype)


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    made = SparkplugPeer(tmp_path_factory.mktemp("sparkplug"))
    with made.serving():
        yield made


@pytest.mark.broker
class TestDriver:
    @pytest.fixture
    def rig(self, peer, request):
        taken = []
        bus = Bus("line", peer.url + getattr(request, "param", ""))
        places = {f"m1/{place.name}": place for place in peer.profile.points}
        meter = Meter("m1", Name("M"), "b", peer.profile.id, "a", "line", peer.unit, poll_s=1.0)
        seat = BusSeat(
            bus, (Device(meter, peer.profile, places),), taken.extend, lambda: (NOW_MS, Quality.GOOD), time.monotonic
        )
        driver = SparkplugDriver(seat)
        commands, up = [], threading.Event()
        peer.client.on_message = lambda _client, _data, message: commands.append((message.topic, message.payload))
        peer.client.on_subscribe = lambda *_: up.set()
        peer.client.subscribe(f"spBv1.0/{GROUP}/NCMD/#")
        assert up.wait(20)
        driver.start()
        until(lambda: driver.state() != "down")
        yield driver, taken, commands
        driver.stop()

    def test_values_have_the_times_that_the_gateway_gives_them(self, rig, peer):
        driver, taken, commands = rig
        peer.born()
        late = (metric(alias=2, value=5.0, t_ms=NOW_MS - 60_000), metric(alias=2, value=6.0, t_ms=NOW_MS - 30_000))
        until(lambda: peer.born() or peer.publish("DDATA", payload(*late, seq=2, t_ms=NOW_MS)) or len(taken) >= 2)
        assert taken[:2] == [
            ("m1/active_power/total", NOW_MS - 60_000, 5_000.0, Quality.GOOD),
            ("m1/active_power/total", NOW_MS - 30_000, 6_000.0, Quality.GOOD),
        ]
        until(lambda: driver.state() == "ok")
        assert commands == []

    def test_what_cannot_be_read_is_named_and_no_gateway_is_asked_unless_the_site_says_so(self, rig, peer):
        driver, taken, commands = rig
        until(lambda: peer.publish("DDATA", payload(*DATA, seq=9)) or driver.unread())
        assert set(driver.unread()) == {f"m1/{name}" for name in peer.expect}
        assert "births were missed" in driver.state()
        every = {f"m1/{name}" for name in peer.expect}
        until(lambda: peer.say() or ({point for point, *_ in taken} == every and driver.state() == "ok"))
        assert commands == []

    @pytest.mark.parametrize("rig", ["?rebirth=ask"], indirect=True)
    def test_a_gateway_is_asked_for_its_births_where_the_site_says_so(self, rig, peer):
        _driver, _taken, commands = rig
        until(lambda: commands)
        (topic, message), *more = commands
        assert (topic, more) == (f"spBv1.0/{GROUP}/NCMD/{NODE}", [])
        (command,) = read_payload(message).metrics
        assert (command.name, command.datatype, command.value(BOOLEAN)) == ("Node Control/Rebirth", BOOLEAN, 1.0)


@pytest.mark.parametrize("unit", ["", "g", "g/n/d/e", "g//d", "g/+", "g/#/d", "/g/n", "g/n/"])
def test_a_unit_is_a_gateway_or_a_device_of_one(unit):
    with pytest.raises(ConfigError, match="is no gateway"):
        edge_unit(Bus("line", "sparkplug://h"), unit)


def test_a_bus_is_a_broker_without_a_password_in_its_url():
    assert gateway_broker(Bus("line", "sparkplugs://u@h?password_env=X&rebirth=ask")).may_ask
    assert not gateway_broker(Bus("line", "sparkplug://127.0.0.1")).may_ask
    for url in ("sparkplug://u:secret@127.0.0.1", "sparkplug://far.example", "sparkplug://127.0.0.1?rebirth=always"):
        with pytest.raises(ConfigError) as refused:
            gateway_broker(Bus("line", url))
        assert "secret" not in str(refused.value)
