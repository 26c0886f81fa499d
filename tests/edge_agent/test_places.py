"""Where a Modbus device keeps what it says, tried on real lines: bits, sums, two places, pauses."""

from __future__ import annotations

import struct
import time

import pytest
from pymodbus.framer import FramerType
from pymodbus.simulator import DataType, SimData, SimDevice
from rigs.edge_lines import TcpUnits
from rigs.raw_lines import RawTcp

from edge_agent.devices import devices_of
from edge_agent.drivers import DRIVERS
from edge_agent.drivers.base import BusSeat, NoAnswerError
from facility.catalogue import Agent, Bus, Catalogue
from facility.model import Meter, Name, Point, Site
from facility.protocols import protocol_of
from facility.protocols.modbus.coding import Coding
from facility.protocols.modbus.profile import (
    ComposedPoint,
    EitherPoint,
    ModbusProfile,
    RegisterPoint,
    RegisterTable,
)
from facility.quantities import Quantity

HOLDING, DISCRETE, COIL = RegisterTable.HOLDING, RegisterTable.DISCRETE, RegisterTable.COIL
ENERGY, POWER, DOOR = Quantity.ENERGY_IMPORT, Quantity.ACTIVE_POWER, Quantity.DOOR_OPEN


def number(address, coding=Coding.UINT16, quantity=POWER, table=HOLDING, channel="total", **more):
    return RegisterPoint(quantity, channel, address, coding, table, **more)


class Line:
    """One device of a profile on a bus, asked once by ``values``."""

    def __init__(self, url, points, timeout_s=0.5, **more):
        profile = ModbusProfile("x/y", "x", "electricity", (), tuple(points), **more)
        bus = Bus("line", url, timeout_s)
        meter = Meter("m1", Name("m"), "b", "x/y", "a", "line", "1")
        each = tuple(Point("m1", place.quantity, place.channel) for place in points)
        catalogue = Catalogue(Site("s", Name("s"), "UTC", "EUR"), (), (), (), (Agent("a", (bus,)),), (meter,), each)
        (self.device,) = devices_of(catalogue, {"x/y": profile}, bus)
        seat = BusSeat(bus, (self.device,), lambda _: None, lambda: (0, 0), time.monotonic)
        self.driver = DRIVERS[protocol_of(bus)](seat)
        self.asks = self.driver.plan(self.device, self.device.places)

    def values(self):
        answers = [self.driver.answer(ask) for ask in self.asks]
        return {point: x for answer in answers for point, x in answer.values.items()}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.close()


@pytest.mark.parametrize(("scheme", "framer"), [("modbus+tcp", "SOCKET"), ("modbus+rtu-over-tcp", "RTU")])
def test_contacts_are_read_from_coils_and_discrete_inputs(scheme, framer):
    """Twelve contacts fill two bytes, the first in the lowest bit; pymodbus is the device."""
    closed = [i % 3 == 0 for i in range(12)]
    coils = SimData(0, values=[*closed, *[False] * 4], datatype=DataType.BITS)
    inputs = SimData(100, values=[*(not bit for bit in closed), *[False] * 4], datatype=DataType.BITS)
    nothing = SimData(0, count=1, datatype=DataType.REGISTERS)
    device = SimDevice(1, simdata=([coils], [inputs], [nothing], [nothing]))
    points = [number(i, Coding.BIT, DOOR, COIL, f"c{i}") for i in range(12)]
    points += [number(100 + i, Coding.BIT, DOOR, DISCRETE, f"d{i}") for i in range(12)]
    server = TcpUnits({1: device}, FramerType[framer])
    with server, Line(f"{scheme}://127.0.0.1:{server.port}", points) as line:
        assert len(line.asks) == 2
        values = line.values()
    assert [values[f"m1/door_open/c{i}"] for i in range(12)] == [float(bit) for bit in closed]
    assert [values[f"m1/door_open/d{i}"] for i in range(12)] == [float(not bit) for bit in closed]


def refusing(*addresses, words=None):
    """A device that lacks some registers, and holds zero or ``words`` in the others."""

    def device(asked, say):
        span = range(asked.address, asked.address + asked.count)
        if any(address in span for address in addresses):
            say(asked.refused(2))
        else:
            held = [(words or {}).get(address, 0) for address in span]
            say(asked.framed(struct.pack(f">BB{asked.count}H", asked.function, 2 * asked.count, *held)))

    return device


OLD, NEW = number(0x101E, Coding.UINT32, ENERGY), number(0x401E, Coding.UINT32, ENERGY)
EITHER = EitherPoint(ENERGY, "total", (OLD, NEW))


@pytest.mark.parametrize(
    "device",
    [refusing(0x101E, words={0x401F: 77}), refusing(words={0x401F: 77})],
    ids=["it refuses the other", "it holds zero there"],
)
def test_the_place_that_a_firmware_uses_is_found_and_remembered(device):
    with RawTcp("modbus+tcp", device) as peer, Line(peer.url, [EITHER]) as line:
        assert line.values() == {"m1/energy_import/total": 77.0}
        assert [asked.address for asked in peer.asked] == [0x101E, 0x401E]
        assert line.values() == {"m1/energy_import/total": 77.0}
        assert [asked.address for asked in peer.asked[2:]] == [0x401E]
        line.asks = line.driver.plan(line.device, line.device.places)
        assert line.values() == {"m1/energy_import/total": 77.0}
        assert [asked.address for asked in peer.asked[3:]] == [0x401E]


def test_a_new_meter_at_zero_is_asked_at_both_places_until_it_counts():
    words = {}
    with RawTcp("modbus+tcp", refusing(words=words)) as peer, Line(peer.url, [EITHER]) as line:
        assert line.values() == {"m1/energy_import/total": 0.0}
        words[0x401F] = 1
        assert line.values() == {"m1/energy_import/total": 1.0}
        assert len(peer.asked) == 4


def test_where_both_places_say_something_else_nothing_is_guessed():
    with RawTcp("modbus+tcp", refusing(words={0x101F: 5, 0x401F: 77})) as peer, Line(peer.url, [EITHER]) as line:
        answer = line.driver.answer(line.asks[0])
        assert not answer.values
        assert "5 and 77" in answer.unread["m1/energy_import/total"]


def test_a_place_where_the_device_says_nothing_is_passed_over_but_not_for_ever():
    def device(asked, say):
        if asked.address != 0x101E:
            refusing(words={0x401F: 77})(asked, say)

    with RawTcp("modbus+tcp", device) as peer, Line(peer.url, [EITHER], timeout_s=0.2) as line:
        assert line.values() == {"m1/energy_import/total": 77.0}
        assert line.driver.plan(line.device, line.device.places)[0].choices  # it may only have been slow


def test_a_device_that_says_nothing_at_all_is_silent():
    peer = RawTcp("modbus+tcp", lambda *_: None)
    with peer, Line(peer.url, [EITHER], timeout_s=0.1) as line, pytest.raises(NoAnswerError):
        line.values()


def test_numbers_that_lie_apart_are_asked_one_after_the_other_and_belong_together():
    net = ComposedPoint(POWER, "total", (number(0), number(500, scale=-1.0)))
    with RawTcp("modbus+tcp", refusing(words={0: 12, 500: 30})) as peer, Line(peer.url, [net]) as line:
        assert line.values() == {"m1/active_power/total": -18.0}
    with RawTcp("modbus+tcp", refusing(500, words={0: 12})) as peer, Line(peer.url, [net]) as line:
        assert "500+1" in line.driver.answer(line.asks[0]).unread["m1/active_power/total"]


def test_a_device_is_left_alone_between_two_requests():
    came, said = [], []

    def device(asked, say):
        came.append(time.monotonic())
        said.append(time.monotonic())
        refusing()(asked, say)

    points = [number(address, channel=f"a{address}") for address in (0, 100, 200)]
    with RawTcp("modbus+tcp", device) as peer, Line(peer.url, points, pause_s=0.05) as line:
        assert len(line.values()) == 3
    assert all(after - before >= 0.05 for before, after in zip(said, came[1:], strict=False))
