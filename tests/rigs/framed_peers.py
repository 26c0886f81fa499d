"""Slaves of DL/T 645, CJ/T 188 and M-Bus on TCP and on a pseudo-terminal, written from the layouts alone."""

from __future__ import annotations

from contextlib import contextmanager

from facility.protocols.cjt188 import Cjt188Profile, ValuePoint
from facility.protocols.decimal_form import DecimalForm
from facility.protocols.dlt645 import Dlt645Profile, ItemPoint
from facility.protocols.mbus import MbusProfile, RecordPoint
from facility.quantities import Quantity
from rigs.bare_server import BareServer
from rigs.edge_lines import PtyLine
from rigs.servers import free_port


def closed(frame):
    return frame + bytes((sum(frame) % 256, 0x16))


def shifted(data):
    return bytes((byte + 0x33) % 256 for byte in data)


def bcd(number, size):
    """Decimal digits, two in a byte, the last first."""
    return bytes.fromhex(f"{number:0{2 * size}d}")[::-1]


class Dlt645Slave:
    """Meter 000022076396; ``items`` has what the identifiers hold, by the four bytes that are sent."""

    unit = "22076396"
    who = bytes.fromhex("966307220000")
    profile = Dlt645Profile(
        "test/dlt645", "Test meter", "electricity", (),
        (
            ItemPoint(Quantity.ENERGY_IMPORT, "total", "00010000", DecimalForm.of("XXXXXX.XX")),
            ItemPoint(Quantity.VOLTAGE, "l1", "0201FF00", DecimalForm.of("XXX.X")),
            ItemPoint(Quantity.VOLTAGE, "l2", "0201FF00", DecimalForm.of("XXX.X"), at=2),
            ItemPoint(Quantity.ACTIVE_POWER, "total", "02030000", DecimalForm.of("XX.XXXX", has_sign=True), 1000.0),
        ),
    )  # fmt: skip
    expect = {
        "energy_import/total": 1234.56, "voltage/l1": 231.5, "voltage/l2": 229.8, "active_power/total": -12_345.6
    }  # fmt: skip
    refusable, unsayable = "active_power/total", "energy_import/total"
    alike = ("energy_import/total", "active_power/total")
    ids = {"energy_import/total": "00000100", "active_power/total": "00000302"}

    def items(self, refusing, without):
        power = bytearray(bcd(123456, 3))
        power[-1] |= 0x80  # what is given
        volts = bcd(2315, 2) + bcd(2298, 2) + b"\xff\xff"
        held = {"00000100": bcd(123456, 4), "00FF0102": volts, "00000302": bytes(power)}
        if without:
            held[self.ids[without]] = b"\xff" * len(held[self.ids[without]])
        return {id_: data for id_, data in held.items() if id_ != self.ids.get(refusing)}

    def reply(self, request, refusing="", without=""):
        at = request.find(b"\x68")
        if at < 0 or request[at + 1 : at + 7] != self.who:
            return b""
        item = bytes((byte - 0x33) % 256 for byte in request[at + 10 : at + 14])
        data = self.items(refusing, without).get(item.hex().upper())
        control, body = (0x91, item + data) if data is not None else (0xD1, b"\x02")
        return b"\xfe\xfe" + closed(b"\x68" + self.who + bytes((0x68, control, len(body))) + shifted(body))

    def framed(self, right, body):
        return closed(right[2:10] + bytes((right[10], len(body))) + body)

    def is_whole(self, request):
        at = request.find(b"\x68")
        return at >= 0 and len(request) >= at + 12 + request[at + 9]


class Cjt188Slave:
    """Heat meter 00001112345678; the current data and, under another identifier, what a month ended with."""

    unit = "1112345678"
    who = bytes.fromhex("2078563412110000")
    profile = Cjt188Profile(
        "test/cjt188", "Test meter", "heat", (),
        (
            ValuePoint(Quantity.HEAT_ENERGY, "total", "901F", DecimalForm.of("XXXXXX.XX"), 5),
            ValuePoint(Quantity.HEAT_POWER, "total", "901F", DecimalForm.of("XXXXXX.XX"), 10),
            ValuePoint(Quantity.TEMPERATURE, "flow", "901F", DecimalForm.of("XXXX.XX"), 15, has_unit=False),
            ValuePoint(Quantity.HEAT_ENERGY, "month", "D120", DecimalForm.of("XXXXXX.XX"), 0),
        ),
        meter_type=0x20,
    )  # fmt: skip
    expect = {
        "heat_energy/total": 1234.56 * 1000 / 3.6, "heat_power/total": 4_250.0, "temperature/flow": 71.25,
        "heat_energy/month": 812_000.0,
    }  # fmt: skip
    refusable, unsayable = "heat_energy/month", "heat_power/total"
    alike = ("heat_energy/total", "heat_energy/month")

    def reply(self, request, refusing="", without=""):
        at = request.find(b"\x68")
        if at < 0 or request[at + 1 : at + 9] != self.who:
            return b""
        item, number = request[at + 11 : at + 13], request[at + 13 : at + 14]
        if item == b"\x1f\x90":
            power = b"\xff" * 4 if without else bcd(425, 4)
            data = bcd(0, 4) + b"\x11" + bcd(123456, 4) + b"\x11" + power + b"\x17" + bcd(7125, 3)
        else:
            data = bcd(81200, 4) + b"\x08"
        if refusing and item == b"\x20\xd1":
            body, control = number + b"\x00\x04", 0xC1
        else:
            body, control = item + number + data, 0x81
        return b"\xfe" + closed(b"\x68" + self.who + bytes((control, len(body))) + body)

    def framed(self, right, body):
        return closed(right[1:10] + bytes((right[10], len(body))) + body)

    def is_whole(self, request):
        at = request.find(b"\x68")
        return at >= 0 and len(request) >= at + 11 and len(request) >= at + 13 + request[at + 10]


class MbusSlave:
    """Heat meter 12345678 at address 5: energy in kWh, volume in litres, power in W, flow temperature in tenths."""

    unit, primary = "5", 5
    profile = MbusProfile(
        "test/mbus", "Test meter", "heat", (),
        (
            RecordPoint(Quantity.HEAT_ENERGY, "total", "energy"),
            RecordPoint(Quantity.WATER_VOLUME, "total", "volume"),
            RecordPoint(Quantity.HEAT_POWER, "total", "power"),
            RecordPoint(Quantity.TEMPERATURE, "flow", "flow_temperature"),
        ),
    )  # fmt: skip
    expect = {
        "heat_energy/total": 1234.0, "water_volume/total": 123.456, "heat_power/total": 42.0, "temperature/flow": 70.1
    }  # fmt: skip
    refusable, unsayable = "water_volume/total", "heat_power/total"
    alike = ("heat_energy/total", "temperature/flow")
    identity = bytes.fromhex("78563412 2D2C 1B 04")

    def telegram(self, refusing="", without=""):
        power = "002B" if without else "022B2A00"
        volume = "" if refusing else "0C1356341200"
        records = bytes.fromhex(f"0406D2040000 {volume} {power} 025ABD02")
        body = bytes((0x08, self.primary, 0x72)) + self.identity + bytes.fromhex("01000000") + records
        return self.closed(body)

    @staticmethod
    def closed(body):
        return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) % 256, 0x16))

    def reply(self, request, refusing="", without=""):
        if request[:1] == b"\x10" and request[2] in {self.primary, 0xFD}:
            return b"\xe5" if request[1] == 0x40 else self.telegram(refusing, without)
        return b"\xe5" if request[:1] == b"\x68" and request[7:11] == self.identity[:4] else b""

    def framed(self, right, body):
        return self.closed(body)

    def is_whole(self, request):
        if request[:1] == b"\x10":
            return len(request) >= 5
        return len(request) >= 6 and len(request) >= 6 + request[1]


class FramedTcpPeer:
    """A converter to TCP with one meter behind it."""

    slave = None
    scheme = ""

    def __init__(self, _folder):
        self.port = free_port()
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"

    def __getattr__(self, name):
        return getattr(self.slave, name)

    def serving(self, refusing="", without=""):
        return BareServer(self.port, lambda request: self.slave.reply(request, refusing, without))

    def mute(self):
        return BareServer(self.port, lambda _: b"")

    def late(self, held):
        return BareServer(self.port, lambda request: held.wait() and self.slave.reply(request))

    def babbling(self, noise):
        return BareServer(self.port, lambda request: noise(self.slave.reply(request)))


class PtySlave(PtyLine):
    """One slave on a line of its own, which answers whole requests."""

    def __init__(self, slave, answer, held=None):
        super().__init__(held)
        self.slave, self.answer = slave, answer

    def take(self, heard):
        if not self.slave.is_whole(heard):
            return heard
        self.say(self.answer(heard))
        return b""


class FramedSerialPeer:
    """The same on a wire, which is gone while nobody serves."""

    slave = None
    scheme = ""

    def __init__(self, folder):
        self.link = folder / "line"
        self.url = f"{self.scheme}://{self.link}?baud=115200&parity=N"

    def __getattr__(self, name):
        return getattr(self.slave, name)

    def serving(self, refusing="", without=""):
        return self._linked(lambda request: self.slave.reply(request, refusing, without))

    def mute(self):
        return self._linked(lambda _: b"")

    def late(self, held):
        return self._linked(self.slave.reply, held)

    def babbling(self, noise):
        return self._linked(lambda request: noise(self.slave.reply(request)))

    @contextmanager
    def _linked(self, answer, held=None):
        with PtySlave(self.slave, answer, held) as line:
            self.link.symlink_to(line.path)
            try:
                yield
            finally:
                self.link.unlink()


class Dlt645TcpPeer(FramedTcpPeer):
    slave, scheme = Dlt645Slave(), "dlt645+tcp"


class Dlt645SerialPeer(FramedSerialPeer):
    slave, scheme = Dlt645Slave(), "dlt645+serial"


class Cjt188TcpPeer(FramedTcpPeer):
    slave, scheme = Cjt188Slave(), "cjt188+tcp"


class Cjt188SerialPeer(FramedSerialPeer):
    slave, scheme = Cjt188Slave(), "cjt188+serial"


class MbusTcpPeer(FramedTcpPeer):
    slave, scheme = MbusSlave(), "mbus+tcp"


class MbusSerialPeer(FramedSerialPeer):
    slave, scheme = MbusSlave(), "mbus+serial"
