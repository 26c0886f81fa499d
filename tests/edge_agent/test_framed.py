"""DL/T 645 and CJ/T 188: the published frames, a server of somebody else, and whatever else comes over a wire."""

from __future__ import annotations

import random
import time

import pytest
from dlt645.service.serversvc.server_service import MeterServerService
from dlt645.transport.server.tcp_server import TcpServer
from hypothesis import given
from hypothesis import strategies as st
from rigs.bare_server import BareServer
from rigs.framed_peers import Cjt188TcpPeer, Dlt645Slave
from rigs.servers import free_port

from device_profiles import load_profiles
from edge_agent.devices import Device
from edge_agent.drivers.base import BusSeat, NoAnswerError
from edge_agent.drivers.framed.driver import Cjt188Driver, Dlt645Driver
from edge_agent.drivers.framed.frames import MeterFrame, cjt188_frame, cjt188_frames, dlt645_frame, dlt645_frames
from edge_agent.drivers.framed.values import cjt188_value
from facility.catalogue import Bus
from facility.errors import ConfigError, DriverError
from facility.model import Meter, Name
from facility.protocols import check_unit
from facility.protocols.cjt188 import ValuePoint
from facility.protocols.decimal_form import DecimalForm
from facility.quantities import Quantity

REQUEST = bytes.fromhex("68 96 63 07 22 00 00 68 11 04 33 33 34 33 D4 16")
REPLY = bytes.fromhex("68 96 63 07 22 00 00 68 91 08 33 33 34 33 89 67 45 33 C0 16")
WHO = bytes.fromhex("966307220000")


def test_the_frames_that_protocol_notes_print_are_written_and_read():
    assert dlt645_frame(MeterFrame(WHO, 0x11, bytes.fromhex("00000100"))) == REQUEST
    assert list(dlt645_frames(b"\xfe" * 4 + REPLY)) == [MeterFrame(WHO, 0x91, bytes.fromhex("00000100 56341200"))]
    water = bytes.fromhex("68 10 78 56 34 12 00 00 00 01 03 1F 90 00 3F 16")
    assert cjt188_frame(MeterFrame(water[1:9], 0x01, bytes.fromhex("1F9000"))) == water
    assert list(cjt188_frames(water)) == [MeterFrame(water[1:9], 0x01, bytes.fromhex("1F9000"))]


@given(st.binary(min_size=6, max_size=6), st.integers(0, 255), st.binary(max_size=200), st.binary(max_size=20))
def test_a_frame_is_found_behind_noise_that_holds_none(who, control, data, noise):
    frame = MeterFrame(who, control, data)
    found = list(dlt645_frames(noise.replace(b"\x68", b"") + dlt645_frame(frame)))
    assert found == [frame]


@given(st.binary(max_size=300))
def test_noise_is_no_frame_and_no_crash(heard):
    for frame in (*dlt645_frames(heard), *cjt188_frames(heard)):
        assert len(frame.data) <= 255


def test_a_flipped_bit_is_no_answer():
    chance = random.Random(5)  # noqa: S311 - chance that can be repeated
    for _ in range(300):
        at = chance.randrange(len(REPLY))
        flipped = REPLY[:at] + bytes((REPLY[at] ^ 1 << chance.randrange(8),)) + REPLY[at + 1 :]
        assert list(dlt645_frames(flipped)) == []


FORMS = [
    ("XXXXXX.XX", False, "56341200", 1234.56),
    ("XXX.X", False, "1523", 231.5),
    ("XX.XXXX", True, "563492", -12.3456),
    ("XX.XXXX", True, "563412", 12.3456),
    ("X.XXX", True, "0080", -0.0),
    ("XXXXXX.XX", False, "FFFFFFFF", None),
    ("XX.XXXX", True, "FFFFFF", None),
    ("XXX.X", False, "1A23", None),
]


@pytest.mark.parametrize(("form", "has_sign", "image", "value"), FORMS)
def test_digits_are_read_low_byte_first(form, has_sign, image, value):
    decimal = DecimalForm.of(form, has_sign=has_sign)
    assert decimal.read(bytes.fromhex(image)) == value
    if value is not None:
        assert decimal.read(decimal.write(value)) == value


def test_a_number_with_too_many_digits_fits_nowhere():
    with pytest.raises(OverflowError):
        DecimalForm.of("XXX.X").write(1000.0)
    with pytest.raises(ValueError, match="whole bytes"):
        DecimalForm.of("XXX.XX")


UNITS = [
    (0x05, 1234.56),
    (0x08, 1_234_560.0),
    (0x0E, 1234.56 / 3.6),
    (0x11, 1_234_560 / 3.6),
]


@pytest.mark.parametrize(("code", "value"), UNITS)
def test_a_number_is_taken_in_the_unit_that_it_says(code, value):
    point = ValuePoint(Quantity.HEAT_ENERGY, "total", "901F", DecimalForm.of("XXXXXX.XX"), 0)
    assert cjt188_value(point, bytes.fromhex("56341200") + bytes((code,))) == pytest.approx(value)


@pytest.mark.parametrize("code", [b"\x2c", b"\xff", b""])
def test_a_unit_that_we_do_not_know_is_told_and_nothing_is_guessed(code):
    point = ValuePoint(Quantity.HEAT_ENERGY, "total", "901F", DecimalForm.of("XXXXXX.XX"), 0)
    with pytest.raises(DriverError, match="no kWh"):
        cjt188_value(point, bytes.fromhex("56341200") + code)


@pytest.mark.parametrize("unit", ["", "12345678901234567", "12a4", "-1", "１２"])
def test_an_address_is_a_row_of_digits(unit):
    for scheme in ("dlt645+tcp", "cjt188+tcp"):
        with pytest.raises(ConfigError, match="digits, as they are printed on the meter"):
            check_unit(Bus("line", f"{scheme}://host:4001"), unit)


def driver_of(made, url, profile, unit, timeout_s=5.0):
    """A driver with one device that has all points of its profile."""
    bus = Bus("line", url, timeout_s)
    places = {f"m1/{place.name}": place for place in profile.points}
    device = Device(Meter("m1", Name("m"), "b", profile.id, "a", "line", unit, ct_ratio=20.0), profile, places)
    return made(BusSeat(bus, (device,), lambda _: None, lambda: (0, 0), time.monotonic)), device


def test_a_server_that_somebody_else_wrote_is_read():
    """The package dlt645 is the meter; energies and powers are those behind transformers of 20."""
    server = TcpServer("127.0.0.1", free_port(), 5.0)
    service = MeterServerService(server)
    server.service = service
    service.set_address(WHO)
    service.set_00(0x00010000, 1234.56)
    service.set_02(0x02010100, 231.5)
    service.set_02(0x02020100, 5.25)
    service.set_02(0x02030000, 12.3456)
    assert service.start()
    profile = load_profiles()["dlt645/2007-three-phase"]
    driver, device = driver_of(Dlt645Driver, f"dlt645+tcp://127.0.0.1:{server.port}", profile, "22076396")
    wanted = ["m1/energy_import/total", "m1/voltage/l1", "m1/current/l1", "m1/active_power/total"]
    try:
        values = {}
        for ask in driver.plan(device, wanted):
            values |= driver.answer(ask).values
    finally:
        driver.close()
        service.stop()
    expect = [1234.56 * 20, 231.5, 5.25 * 20, 12_345.6 * 20]
    assert values == {point: pytest.approx(value) for point, value in zip(wanted, expect, strict=True)}


def test_a_block_of_items_is_asked_once():
    driver, device = driver_of(Dlt645Driver, "dlt645+tcp://127.0.0.1:9", Dlt645Slave.profile, "22076396")
    assert sorted(ask.item for ask in driver.plan(device, device.places)) == ["00010000", "0201FF00", "02030000"]


def test_a_refusal_that_comes_late_is_not_taken_for_that_of_the_next_item(tmp_path):
    """A refusal of DL/T 645 does not say what is refused."""
    slave, asked = Dlt645Slave(), []

    def answer(request):
        asked.append(request)
        refusal = slave.reply(asked[0], refusing="active_power/total")
        return b"" if len(asked) == 1 else refusal + slave.reply(request)

    port = free_port()
    driver, device = driver_of(Dlt645Driver, f"dlt645+tcp://127.0.0.1:{port}", slave.profile, slave.unit, timeout_s=0.5)
    (power,), (energy,) = (driver.plan(device, [f"m1/{word}/total"]) for word in ("active_power", "energy_import"))
    with BareServer(port, answer):
        with pytest.raises(NoAnswerError):
            driver.answer(power)
        assert driver.answer(energy).values == {"m1/energy_import/total": pytest.approx(1234.56)}
        driver.close()


def test_a_heat_meter_repeats_the_number_of_the_request_when_it_refuses(tmp_path):
    peer = Cjt188TcpPeer(tmp_path)
    driver, device = driver_of(Cjt188Driver, peer.url, peer.profile, peer.unit)
    with peer.serving(refusing=peer.refusable):
        answers = [driver.answer(ask) for ask in driver.plan(device, device.places)]
        driver.close()
    assert [sorted(answer.unread) for answer in answers] == [[], ["m1/heat_energy/month"]]
    assert "status 0004h" in answers[1].unread["m1/heat_energy/month"]
