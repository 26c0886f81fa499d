"""Wired M-Bus: frames of the link layer, selection by the printed number, and telegrams of real meters."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.bare_server import BareServer
from rigs.framed_peers import MbusSlave, MbusTcpPeer
from rigs.servers import free_port

from edge_agent.devices import Device
from edge_agent.drivers.base import BusSeat, NoAnswerError
from edge_agent.drivers.mbus.driver import MbusDriver
from edge_agent.drivers.mbus.telegrams import records_of, selection, short_frame, telegrams, value_of
from facility.catalogue import Bus
from facility.errors import ConfigError, DriverError
from facility.model import Meter, Name
from facility.protocols.mbus import RecordPoint, mbus_address
from facility.quantities import Quantity

SLAVE = MbusSlave()
BUS = Bus("line", "mbus+tcp://host:4001")


def test_frames_of_the_link_layer_are_as_the_standard_prints_them():
    assert short_frame(0x40, 1) == bytes.fromhex("10 40 01 41 16")
    assert selection(bytes.fromhex("78563412 FFFF FF FF")) == bytes.fromhex(
        "68 0B 0B 68 53 FD 52 78 56 34 12 FF FF FF FF B2 16"
    )


def test_a_telegram_is_found_behind_noise():
    (telegram,) = telegrams(b"\xe5\x68\x00" + SLAVE.telegram() + b"\x16")
    assert (telegram.primary, telegram.identity, telegram.frame) == (5, SLAVE.identity, SLAVE.telegram())


@given(st.binary(max_size=300))
def test_noise_is_no_telegram_and_no_crash(heard):
    for telegram in telegrams(heard):
        with suppress(DriverError):
            records_of(telegram.frame)


@given(st.binary(max_size=120))
def test_any_records_behind_a_sound_head_are_values_or_a_reason(records):
    frame = SLAVE.closed(bytes((8, 5, 0x72)) + SLAVE.identity + bytes(4) + records)
    try:
        found = records_of(frame)
        value = value_of(RecordPoint(Quantity.HEAT_ENERGY, "total", "energy"), found)
    except DriverError:
        return
    assert value is None or isinstance(value, float)


@pytest.mark.parametrize("unit", ["", "0", "251", "s1234567", "s1234567G", "x12345678", "-1", "s123456781"])
def test_an_address_is_a_number_of_the_bus_or_that_which_is_printed_on_the_meter(unit):
    with pytest.raises(ConfigError, match="s12345678"):
        mbus_address(BUS, unit)


def test_maker_version_and_medium_may_be_named_too():
    assert mbus_address(BUS, "s123456782C2D1B04").secondary == SLAVE.identity
    assert mbus_address(BUS, "7").primary == 7


def driver_of(url, unit, timeout_s=5.0):
    places = {f"m1/{place.name}": place for place in SLAVE.profile.points}
    meter = Meter("m1", Name("m"), "b", SLAVE.profile.id, "a", "line", unit)
    device = Device(meter, SLAVE.profile, places)
    seat = BusSeat(Bus("line", url, timeout_s), (device,), lambda _: None, lambda: (0, 0), time.monotonic)
    return MbusDriver(seat), device


@pytest.mark.parametrize("unit", ["5", "s12345678", "S12345678", "s1234567F"])
def test_a_meter_is_asked_by_either_address(tmp_path, unit):
    peer = MbusTcpPeer(tmp_path)
    driver, device = driver_of(peer.url, unit)
    serving = (
        peer.serving()
        if "F" not in unit
        else BareServer(peer.port, lambda r: b"\xe5" if r[0] == 0x68 else SLAVE.telegram())
    )
    with serving:
        (ask,) = driver.plan(device, device.places)
        assert driver.answer(ask).values == pytest.approx({f"m1/{k}": v for k, v in SLAVE.expect.items()})
        driver.close()


def test_another_meter_that_answers_is_not_taken_for_it():
    port = free_port()
    driver, device = driver_of(f"mbus+tcp://127.0.0.1:{port}", "s87654321", timeout_s=0.3)
    with BareServer(port, lambda request: b"\xe5" if request[0] == 0x68 else SLAVE.telegram()):
        (ask,) = driver.plan(device, device.places)
        with pytest.raises(NoAnswerError):
            driver.answer(ask)
        driver.close()


def test_a_record_that_is_missing_and_one_without_a_value_are_told_apart():
    records = records_of(SLAVE.telegram(refusing="volume", without="power"))
    assert value_of(SLAVE.profile.points[2], records) is None
    with pytest.raises(DriverError, match="no such volume record"):
        value_of(SLAVE.profile.points[1], records)
