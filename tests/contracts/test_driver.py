"""What every driver keeps to, whatever protocol it speaks: held against real peers, on every kind of line."""

from __future__ import annotations

import math
import random
import threading
import time
from contextlib import suppress

import pytest
from rigs.bacnet_peers import BacnetPeer
from rigs.driver_peers import (
    AsciiPeer,
    ModbusTcpPeer,
    ModbusTlsPeer,
    ModbusUdpPeer,
    MqttJsonPeer,
    MqttJsonTlsPeer,
    RtuOverTcpPeer,
    RtuPeer,
)
from rigs.framed_peers import (
    Cjt188SerialPeer,
    Cjt188TcpPeer,
    Dlt645SerialPeer,
    Dlt645TcpPeer,
    MbusSerialPeer,
    MbusTcpPeer,
)
from rigs.http_peers import HttpJsonPeer, HttpsJsonPeer
from rigs.patience import until, within
from rigs.sparkplug_peers import SparkplugPeer, SparkplugTlsPeer

from edge_agent.devices import devices_of
from edge_agent.drivers import DRIVERS
from edge_agent.drivers.base import AskingDriver, BusDownError, BusSeat, ListeningDriver, NoAnswerError
from edge_agent.poller import Poller
from facility.catalogue import Agent, Bus, Catalogue
from facility.errors import DriverError
from facility.model import Meter, Name, Point, Site
from facility.protocols import SCHEMES, protocol_of

PEERS = {
    "modbus+tcp": ModbusTcpPeer,
    "modbus+rtu": RtuPeer,
    "modbus+rtu-over-tcp": RtuOverTcpPeer,
    "modbus+ascii": AsciiPeer,
    "modbus+udp": ModbusUdpPeer,
    "modbus+tls": ModbusTlsPeer,
    "dlt645+tcp": Dlt645TcpPeer,
    "dlt645+serial": Dlt645SerialPeer,
    "cjt188+tcp": Cjt188TcpPeer,
    "cjt188+serial": Cjt188SerialPeer,
    "mbus+tcp": MbusTcpPeer,
    "mbus+serial": MbusSerialPeer,
    "http": HttpJsonPeer,
    "https": HttpsJsonPeer,
    "bacnet": BacnetPeer,
    "sparkplug": SparkplugPeer,
    "sparkplugs": SparkplugTlsPeer,
    "mqtt": MqttJsonPeer,
    "mqtts": MqttJsonTlsPeer,
}
"""By the scheme of a bus's URL: a driver is held to the contract on every line that it opens."""

ASKED = [scheme for scheme, peer in PEERS.items() if hasattr(peer, "mute")]
HEARD = [scheme for scheme in PEERS if scheme not in ASKED]
TIMEOUT_S, SHORT_S = 5.0, 0.2
"""A device that is well may be slow on a busy machine; where silence is waited for, the bus is impatient."""

STAMP = (1_790_000_000_000, 1)
SEED = 7


class Rig:
    """A driver with one device, and what it puts."""

    def __init__(self, peer, *, poll_s=1.0, timeout_s=TIMEOUT_S):
        self.peer, self.taken = peer, []
        bus = Bus("line", peer.url, timeout_s)
        meter = Meter("m1", Name("M"), "b", peer.profile.id, "a", "line", peer.unit, poll_s=poll_s)
        points = tuple(Point("m1", place.quantity, place.channel) for place in peer.profile.points)
        catalogue = Catalogue(Site("s", Name("s"), "UTC", "EUR"), (), (), (), (Agent("a", (bus,)),), (meter,), points)
        devices = devices_of(catalogue, {peer.profile.id: peer.profile}, bus)
        self.seat = BusSeat(bus, devices, self.taken.extend, lambda: STAMP, time.monotonic)
        self.device = devices[0]
        self.driver = DRIVERS[protocol_of(bus)](self.seat)
        self.expect = {f"m1/{name}": value for name, value in peer.expect.items()}

    def asks(self, points=None):
        return self.driver.plan(self.device, self.device.places if points is None else points)

    def answers(self, points=None):
        """Values and unread points of everything that was planned."""
        values, unread = {}, {}
        for ask in self.asks(points):
            answer = self.driver.answer(ask)
            assert answer.values.keys() | answer.unread.keys() <= set(ask.points)
            assert not answer.values.keys() & answer.unread.keys()
            assert all(math.isfinite(value) for value in answer.values.values())
            assert all(isinstance(why, str) and why for why in answer.unread.values())
            values, unread = values | answer.values, unread | answer.unread
        return values, unread

    def ends(self):
        """What the driver raises when it is asked."""
        try:
            self.answers()
        except DriverError as error:
            return type(error)
        return None


@pytest.fixture
def peer(request, tmp_path):
    return PEERS[request.param](tmp_path)


@pytest.fixture
def rig(peer):
    made = Rig(peer)
    yield made
    if isinstance(made.driver, AskingDriver):
        made.driver.close()


@pytest.fixture
def impatient(peer):
    made = Rig(peer, timeout_s=SHORT_S)
    yield made
    made.driver.close()


def test_every_driver_is_held_to_the_contract_on_every_line():
    assert PEERS.keys() == SCHEMES.keys()
    assert {SCHEMES[scheme] for scheme in PEERS} == DRIVERS.keys()


@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_a_driver_is_asked_or_listens_and_connects_nowhere_when_it_is_made(rig):
    assert isinstance(rig.driver, AskingDriver) != isinstance(rig.driver, ListeningDriver)


@pytest.mark.parametrize("peer", ASKED, indirect=True)
class TestAskingDriver:
    def test_every_point_is_fetched_by_one_ask_and_planning_needs_nobody(self, rig):
        asks = rig.asks()
        assert sorted(point for ask in asks for point in ask.points) == sorted(rig.expect)
        assert all(ask.device is rig.device for ask in asks)
        assert rig.asks() == asks

    def test_fewer_points_are_planned_as_they_are_wished(self, rig):
        for point in rig.expect:
            (ask,) = rig.asks([point])
            assert ask.points == (point,)
        assert list(rig.asks([])) == []

    def test_values_come_in_our_units(self, rig, peer):
        with peer.serving():
            values, unread = rig.answers()
            assert (values, unread) == (pytest.approx(rig.expect, rel=1e-6), {})

    def test_what_the_device_has_no_value_of_is_silence(self, rig, peer):
        with peer.serving(without=peer.unsayable):
            values, unread = rig.answers()
            assert (rig.expect.keys() - values.keys(), unread) == ({f"m1/{peer.unsayable}"}, {})

    def test_a_refusal_names_its_points_and_the_others_come_when_they_are_asked_apart(self, rig, peer):
        refused = f"m1/{peer.refusable}"
        with peer.serving(refusing=peer.refusable):
            values, unread = rig.answers()
            assert refused in unread
            assert values.keys() | unread.keys() == rig.expect.keys()
            apart = [rig.answers([point]) for point in rig.expect]
            assert {point for _, not_read in apart for point in not_read} == {refused}
            assert {point for said, _ in apart for point in said} == rig.expect.keys() - {refused}

    def test_a_bus_that_nobody_opens_is_down_and_works_by_itself_once_it_is_there(self, rig, peer):
        assert rig.ends() is BusDownError
        with peer.serving():
            assert rig.ends() is None
        assert rig.ends() in {BusDownError, NoAnswerError}
        with peer.serving():
            until(lambda: rig.ends() is None)

    def test_a_silent_device_is_waited_for_as_long_as_the_bus_says(self, impatient, peer):
        with peer.mute():
            begun = time.monotonic()
            with within(TIMEOUT_S):
                assert impatient.ends() is NoAnswerError
            assert time.monotonic() - begun > SHORT_S / 2
            impatient.driver.close()

    def test_a_late_answer_hits_nobody(self, impatient, peer):
        """It must not be taken for the answer to what is asked next."""
        (first,), (second,) = (impatient.asks([f"m1/{name}"]) for name in peer.alike)
        said, held = [], threading.Event()
        with peer.late(held):
            try:
                with pytest.raises(NoAnswerError):
                    impatient.driver.answer(first)
            finally:
                held.set()
            time.sleep(SHORT_S)  # for the answer to come
            while not said:
                with suppress(NoAnswerError):
                    said.append(impatient.driver.answer(second).values)
            impatient.driver.close()
        assert said == [{point: pytest.approx(impatient.expect[point]) for point in second.points}]

    def test_a_line_that_was_let_go_is_opened_again(self, rig, peer):
        with peer.serving():
            for _ in range(2):
                assert rig.ends() is None
                rig.driver.close()
            rig.driver.close()

    @pytest.mark.parametrize("kind", range(8))
    def test_whatever_comes_over_the_wire_is_an_answer_or_none(self, impatient, peer, kind):
        chance = random.Random(SEED)  # noqa: S311 - chance that can be repeated
        with peer.babbling(lambda right: spoilt(peer, right, kind, chance)):
            for _ in range(8):
                assert impatient.ends() in {None, NoAnswerError, BusDownError}
            impatient.driver.close()

    def test_a_poller_needs_no_more_than_this(self, peer):
        rig = Rig(peer, poll_s=0.05, timeout_s=SHORT_S)
        poller = Poller(rig.driver, rig.seat)
        poller.start()
        try:
            until(lambda: poller.state() == "down")
            with peer.serving(refusing=peer.refusable, without=peer.unsayable):
                until(lambda: poller.state() == f"unread: m1/{peer.refusable}")
                others = rig.expect.keys() - {f"m1/{name}" for name in (peer.refusable, peer.unsayable)}
                until(lambda: {name for name, *_ in rig.taken} == others)
            until(lambda: poller.state() == "down")
            with peer.serving():  # it may be another device
                until(lambda: {name for name, *_ in rig.taken} == rig.expect.keys())
        finally:
            poller.stop()
        assert {(t_ms, q) for _, t_ms, _, q in rig.taken} == {STAMP}
        assert all(x == pytest.approx(rig.expect[name]) for name, _, x, _ in rig.taken)


@pytest.mark.broker
@pytest.mark.parametrize("peer", HEARD, indirect=True)
class TestListeningDriver:
    @pytest.fixture
    def listening(self, rig):
        before = set(threading.enumerate())
        rig.driver.start()
        yield rig
        rig.driver.stop()
        assert set(threading.enumerate()) <= before

    def heard(self, rig):
        """Everything that its device says now; the meter's pace is waited for."""
        rig.taken.clear()
        until(lambda: rig.peer.say() or {name for name, *_ in rig.taken} == rig.expect.keys())
        return {name: x for name, _, x, _ in rig.taken}

    def test_it_is_down_until_somebody_is_there_and_comes_back_by_itself(self, listening, peer):
        assert listening.driver.state() == "down"
        for _ in range(2):
            with peer.serving():
                until(lambda: listening.driver.state() == "ok")
                assert self.heard(listening) == pytest.approx(listening.expect)
            until(lambda: listening.driver.state() == "down")

    def test_values_come_in_our_units_with_the_time_of_their_taking(self, listening, peer):
        with peer.serving():
            until(lambda: listening.driver.state() == "ok")
            assert self.heard(listening) == pytest.approx(listening.expect)
            assert {(t_ms, q) for _, t_ms, _, q in listening.taken} == {STAMP}

    def test_what_comes_while_it_is_paused_is_dropped(self, listening, peer):
        with peer.serving():
            until(lambda: listening.driver.state() == "ok")
            listening.driver.pause(paused=True)
            assert listening.driver.state() == "paused"
            peer.say()
            time.sleep(0.5)
            assert listening.taken == []
            listening.driver.pause(paused=False)
            assert listening.driver.state() == "ok"
            assert self.heard(listening) == pytest.approx(listening.expect)

    def test_nonsense_neither_ends_it_nor_becomes_a_reading(self, listening, peer):
        chance = random.Random(SEED)  # noqa: S311 - chance that can be repeated
        with peer.serving():
            until(lambda: listening.driver.state() == "ok")
            for _ in range(50):
                peer.babble(chance.randbytes(chance.randrange(60)))
            peer.babble(b"[" * 100_000)
            assert self.heard(listening) == pytest.approx(listening.expect)
            assert all(x == pytest.approx(listening.expect[name]) for name, _, x, _ in listening.taken)


def spoilt(peer, right, kind, chance):
    """Eight ways for a reply to be wrong."""
    at, size = chance.randrange(len(right)), chance.randrange(1, 40)
    return [
        lambda: chance.randbytes(size),
        lambda: peer.framed(right, chance.randbytes(size)),
        lambda: peer.framed(right, bytes((chance.randrange(256), size)) + chance.randbytes(size)),
        lambda: right[:at],
        lambda: right[:at] + bytes((right[at] ^ 1 << chance.randrange(8),)) + right[at + 1 :],
        lambda: right + chance.randbytes(chance.randrange(1, 200)),
        lambda: right[: chance.randrange(1, 9)] + chance.randbytes(chance.randrange(1, 9)),
        lambda: chance.randbytes(chance.randrange(1, 8)) + right,
    ][kind]()
