"""A machine room of sixty devices on real lines of every protocol, six of them ill, and what the well ones must say."""

from __future__ import annotations

import threading
from contextlib import ExitStack

from pymodbus.framer import FramerType

from edge_agent.drivers.modbus.registers import encode_registers
from facility.catalogue import Agent, Bus, Catalogue
from facility.model import Meter, Name, Point, Site
from facility.protocols.modbus.profile import Coding, ModbusProfile, RegisterPoint, RegisterTable
from facility.quantities import Quantity
from rigs.bacnet_peers import BacnetPeer
from rigs.driver_peers import ModbusPeer, ModbusTlsPeer, ModbusUdpPeer, MqttJsonPeer
from rigs.edge_lines import PtyTextUnits, PtyUnits, TcpUnits
from rigs.framed_peers import (
    Cjt188SerialPeer,
    Cjt188TcpPeer,
    Dlt645SerialPeer,
    Dlt645TcpPeer,
    MbusSerialPeer,
    MbusTcpPeer,
)
from rigs.raw_lines import HangUp, RawTcp, word
from rigs.servers import Mosquitto

AGENT, POLL_S, TIMEOUT_S = "edge-1", 1.0, 2.0
SILENT, WRONG_CHECKSUM, SWAPPED, STUCK = 4, 7, 9, 2
"""Units of the serial line."""

SENSORS = 7
SMALL = ModbusProfile(
    "test/small", "Small meter", "electricity", (),
    (
        RegisterPoint(Quantity.ACTIVE_POWER, "total", 10, Coding.UINT16, RegisterTable.HOLDING),
        RegisterPoint(Quantity.REACTIVE_POWER, "total", 100, Coding.UINT16, RegisterTable.HOLDING),
    ),
)  # fmt: skip
CLOCKED = "energy_import/total"
"""Is counted on by every meter of the serial line that is well."""


class MachineRoom:
    """``expect`` is what each point of a device that is well must say; those of ``counting`` say more and more."""

    def __init__(self, folder):
        self.folder, self.stack, self.is_over = folder, ExitStack(), threading.Event()
        self.buses, self.meters, self.points, self.profiles, self.expect = [], [], [], {}, {}
        self.ill, self.counting, self.serial = {}, set(), {}

    def __enter__(self):
        self.lines_of_modbus()
        self.ill_on_the_network()
        for kind in (Dlt645TcpPeer, Dlt645SerialPeer, Cjt188TcpPeer, Cjt188SerialPeer, MbusTcpPeer, MbusSerialPeer):
            self.alone(kind)
        for kind in (ModbusUdpPeer, ModbusTlsPeer, BacnetPeer):
            self.alone(kind)
        self.radio()
        assert (len(self.meters), len(self.ill)) == (60, 6)
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.stack.close()

    def catalogue(self):
        agents = (Agent(AGENT, tuple(self.buses)),)
        return Catalogue(Site("s", Name("s"), "UTC", "EUR"), (), (), (), agents, tuple(self.meters), tuple(self.points))

    def count(self):
        """All counters of the serial line go on by 1 kWh, but the one that is stuck."""
        for unit, words in self.serial.items():
            if unit != STUCK:
                low, high = words[11], words[12]
                total = (high << 16 | low) + 100
                words[11], words[12] = total & 0xFFFF, total >> 16

    def say(self):
        """Every sensor says how it is."""
        for topic, payload in self.messages.items():
            self.client.publish(topic, payload, qos=1)

    def lines_of_modbus(self):
        self.gateway("modbus+tcp", FramerType.SOCKET, 20)
        self.gateway("modbus+rtu-over-tcp", FramerType.RTU, 10)
        self.serial = {unit: registers(unit) for unit in range(1, 11) if unit != SILENT}
        self.serial[SWAPPED][11], self.serial[SWAPPED][12] = self.serial[SWAPPED][12], self.serial[SWAPPED][11]
        line = self.stack.enter_context(PtyUnits(self.serial, noise=spoil))
        bus = self.bus("serial", f"modbus+rtu://{line.path}?baud=115200")
        ills = {SILENT: "silent", WRONG_CHECKSUM: "wrong checksum", SWAPPED: "swapped words", STUCK: "stuck"}
        for unit in range(1, 11):
            meter = self.meter(bus, unit, ModbusPeer.profile, values(unit), ill=ills.get(unit, ""))
            if unit not in ills:
                self.counting.add(f"{meter}/{CLOCKED}")
        text = self.stack.enter_context(PtyTextUnits({unit: registers(unit) for unit in (1, 2)}))
        bus = self.bus("text", f"modbus+ascii://{text.path}?baud=115200&parity=N&bits=8")
        for unit in (1, 2):
            self.meter(bus, unit, ModbusPeer.profile, values(unit))

    def gateway(self, scheme, framer, units):
        served = {unit: registers(unit) for unit in range(1, units + 1)}
        line = self.stack.enter_context(TcpUnits(served, framer))
        bus = self.bus(f"gateway-{units}", f"{scheme}://127.0.0.1:{line.port}")
        for unit in served:
            self.meter(bus, unit, ModbusPeer.profile, values(unit))

    def ill_on_the_network(self):
        """One answers when nobody waits any more, one hangs up after each answer, and says all that it should."""
        slow = self.stack.enter_context(RawTcp("modbus+tcp", self.answer_late))
        self.meter(self.bus("slow", slow.url), 1, SMALL, {}, ill="slow")
        closing = self.stack.enter_context(RawTcp("modbus+tcp", answer_and_close))
        said = {"active_power/total": float(word(1, 10)), "reactive_power/total": float(word(1, 100))}
        self.meter(self.bus("closing", closing.url), 1, SMALL, said, ill="closes after each answer")

    def answer_late(self, asked, say):
        self.is_over.wait(20 * TIMEOUT_S)
        say(asked.right())

    def alone(self, kind):
        """A device on a line of its own."""
        folder = self.folder / kind.__name__
        folder.mkdir()
        peer = kind(folder)
        self.stack.enter_context(peer.serving())
        self.meter(self.bus(kind.__name__.lower(), peer.url), peer.unit, peer.profile, peer.expect)

    def radio(self):
        broker = self.stack.enter_context(Mosquitto())
        bus = self.bus("radio", broker.url)
        peer = MqttJsonPeer(self.folder)
        self.messages = {}
        for k in range(SENSORS):
            unit = f"room {k}"
            energy = 4_000_000 + k
            self.messages |= {
                f"test/{unit}": b'{"contact":false}', f"test/{unit}/energy": b'{"em":[%d]}' % energy
            }  # fmt: skip
            expect = {"door_open/door": 1.0, "energy_import/total": energy / 1000}
            self.meter(bus, unit, peer.profile, expect)
        self.client = peer.publisher()
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        self.stack.callback(self.client.loop_stop)
        self.stack.callback(self.client.disconnect)

    def on(self, bus, unit):
        """The meter at an address."""
        return next(meter.id for meter in self.meters if (meter.connection, meter.unit) == (bus, str(unit)))

    def bus(self, name, url):
        self.buses.append(Bus(name, url, TIMEOUT_S))
        return name

    def meter(self, bus, unit, profile, expect, ill=""):
        name = f"m{len(self.meters) + 1}"
        self.meters.append(Meter(name, Name(name), "b", profile.id, AGENT, bus, str(unit), poll_s=POLL_S))
        self.points += [Point(name, place.quantity, place.channel) for place in profile.points]
        self.profiles[profile.id] = profile
        if ill:
            self.ill[name] = ill
        if not ill or ill.startswith(("closes", "stuck")):
            self.expect |= {f"{name}/{point}": value for point, value in expect.items()}
        return name


def values(unit):
    """What a unit says: no two say the same."""
    return {
        "active_power/total": 1000.0 + unit, CLOCKED: 4900.0 + unit, "reactive_power/total": 50.0 + unit,
        "voltage/l1": 230.0 + unit / 4,
    }  # fmt: skip


def registers(unit):
    words = {}
    for point in ModbusPeer.profile.points:
        words |= dict(enumerate(encode_registers(point, values(unit)[point.name]), point.address))
    return words


def spoil(frame):
    """One unit's checksums are wrong."""
    return frame[:-1] + bytes((frame[-1] ^ 0x55,)) if frame[0] == WRONG_CHECKSUM else frame


def answer_and_close(asked, say):
    say(asked.right())
    raise HangUp
