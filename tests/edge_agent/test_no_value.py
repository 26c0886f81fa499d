"""Over a real line: a device whose registers all say "not available" is well, and nothing is read of it."""

from __future__ import annotations

import time

import pytest
from rigs.edge_lines import TcpUnits

from device_profiles import load_profiles
from edge_agent.devices import devices_of
from edge_agent.drivers import DRIVERS
from edge_agent.drivers.base import Answer, BusSeat
from edge_agent.drivers.modbus.registers import encode_registers
from edge_agent.poller import Poller
from facility.catalogue import Agent, Bus, Catalogue
from facility.model import Meter, Name, Point, Site
from facility.protocols import protocol_of
from facility.protocols.modbus.coding import FLOAT_FORMATS, Coding
from facility.protocols.modbus.profile import ModbusProfile

MODELS = [profile for profile in load_profiles().values() if isinstance(profile, ModbusProfile)]
ONE = 1.0


def words(profile, value):
    """Address → word of every register of a profile, and zeros between them."""
    held = {}
    for register in profile.registers():
        end = register.address + register.count
        held |= dict.fromkeys(range(end, end + profile.max_gap), 0)
    for register in profile.registers():
        said = 0.0 if value and register.scale < 0 else value  # what is taken away from a sum is nothing
        if said is None and not can_be_silent(register):
            said = 0.0
        held |= dict(enumerate(encode_registers(register, said), register.address))
    return held


def can_be_silent(register):
    """Flags of a word that is never "not available" say something always."""
    try:
        encode_registers(register, None)
    except OverflowError:
        return False
    return True


def seat(port, taken, *, silent):
    bus = Bus("line", f"modbus+tcp://127.0.0.1:{port}", 5.0)
    meters = tuple(Meter(f"m{u}", Name("m"), "b", p.id, "a", "line", str(u)) for u, p in enumerate(MODELS, 1))
    points = tuple(
        Point(meter.id, place.quantity, place.channel)
        for meter, profile in zip(meters, MODELS, strict=True)
        for place in profile.points
        if not silent or all(map(can_be_silent, place.registers))
    )
    catalogue = Catalogue(Site("s", Name("s"), "UTC", "EUR"), (), (), (), (Agent("a", (bus,)),), meters, points)
    devices = devices_of(catalogue, load_profiles(), bus)
    return BusSeat(bus, devices, taken.extend, lambda: (time.time_ns() // 1_000_000, 0), time.monotonic)


@pytest.mark.parametrize(("value", "share"), [(None, 0), (ONE, 1)])
def test_codes_of_every_model_are_silence_and_its_values_are_read(value, share):
    taken = []
    with TcpUnits({unit: words(profile, value) for unit, profile in enumerate(MODELS, 1)}) as line:
        place = seat(line.port, taken, silent=value is None)
        driver = DRIVERS[protocol_of(place.bus)](place)
        poller = Poller(driver, place)
        for turn in poller.turns:
            poller.poll(turn)
            assert (turn.failures, turn.questions.unread()) == (0, {})
        if value is None:
            first = [turn.questions.asks[0] for turn in poller.turns]
            assert [driver.answer(ask) for ask in first] == [Answer()] * len(MODELS)
        driver.close()
    assert len(taken) == share * sum(len(device.places) for device in place.devices)
    places = {point: at for device in place.devices for point, at in device.places.items()}
    for point, _, read, _ in taken:
        terms = getattr(places[point], "terms", (places[point],))
        scales = [getattr(term, "scale", ONE) for term in terms]
        whole = [term.scale for term in terms if getattr(term, "coding", Coding.FLOAT32) not in FLOAT_FORMATS]
        nearest = max(0.06, *whole, 0) / 2 + 0.03  # half of what the register can tell apart
        assert read == pytest.approx(sum(scale > 0 for scale in scales) * ONE, abs=nearest), point
