"""What drivers are held against: devices of each protocol on a line of their own, well or troubled as a test wishes.

A later protocol adds a peer here and a line in ``PEERS`` of ``contracts/test_driver.py``. A peer that is asked has

- ``profile``, ``unit`` and ``url``, the last before anybody listens there;
- ``expect``: values by the names of its points; ``refusable`` and ``unsayable`` name two of them, ``alike`` two whose
  answers could be taken for one another;
- ``serving(refusing=name, without=name)``: the device answers, but refuses a point or has no value of it now;
- ``mute()``: the line is there, the device is not; ``late(event)``: it answers, for the first time when that is set;
- ``babbling(noise)``: it answers every request with ``noise(right answer)``; ``framed(right answer, body)`` is a frame
  that is sound around something else.

One that speaks by itself has ``serving()``, within which ``say()`` publishes everything and ``babble(bytes)`` nonsense.
"""

from __future__ import annotations

import ssl
import struct
from contextlib import contextmanager

from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.framer import FramerType

from edge_agent.drivers.modbus.registers import encode_registers
from facility.protocols.json_values import JsonPoint
from facility.protocols.modbus.profile import Coding, ModbusProfile, RegisterPoint, RegisterTable, WordOrder
from facility.protocols.mqtt_json import MqttJsonProfile
from facility.quantities import Quantity
from rigs.bare_server import BareDatagrams, BareServer, BareTlsServer
from rigs.certificates import Authority
from rigs.edge_lines import PtyTextUnits, PtyUnits, TcpUnits, TlsUnits, UdpUnits, ascii_frame, rtu_frame
from rigs.patience import PATIENCE_S
from rigs.servers import Mosquitto, TlsMosquitto, free_port

UNIT = 7


class ModbusPeer:
    """A meter with two points side by side, one apart and one in the other table."""

    unit = str(UNIT)
    profile = ModbusProfile(
        "test/modbus",
        "Test meter",
        "electricity",
        (),
        (
            RegisterPoint(Quantity.ACTIVE_POWER, "total", 10, Coding.UINT16, RegisterTable.HOLDING),
            RegisterPoint(
                Quantity.ENERGY_IMPORT,
                "total",
                11,
                Coding.UINT32,
                RegisterTable.HOLDING,
                0.01,
                word_order=WordOrder.LITTLE,
            ),
            RegisterPoint(Quantity.REACTIVE_POWER, "total", 100, Coding.UINT16, RegisterTable.HOLDING),
            RegisterPoint(Quantity.VOLTAGE, "l1", 200, Coding.FLOAT32, RegisterTable.INPUT),
        ),
    )
    expect = {
        "active_power/total": 1234.0, "energy_import/total": 4912.36, "reactive_power/total": 55.0, "voltage/l1": 230.5
    }  # fmt: skip
    refusable, unsayable = "energy_import/total", "voltage/l1"
    alike = ("active_power/total", "reactive_power/total")

    def registers(self, refusing="", without=""):
        """Address → word of everything that is not refused; NaN where there is no value."""
        words = {}
        for point in self.profile.points:
            if point.name != refusing:
                value = None if point.name == without else self.expect[point.name]
                words |= dict(enumerate(encode_registers(point, value), point.address))
        return words

    def right_answer(self, request):
        """The reply without its frame to a request without its frame."""
        function, address, count = struct.unpack(">BHH", request)
        words = self.registers()
        return struct.pack(f">BB{count}H", function, 2 * count, *(words.get(address + i, 0) for i in range(count)))


class ModbusTcpPeer(ModbusPeer):
    """pymodbus's simulator; what it cannot be talked into (silence, nonsense) a bare socket does."""

    scheme, framer, bare = "modbus+tcp", FramerType.SOCKET, BareServer

    def __init__(self, _folder):
        self.port = free_port()
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"

    def serving(self, refusing="", without=""):
        return TcpUnits({UNIT: self.registers(refusing, without)}, self.framer, self.port)

    def mute(self):
        return self.bare(self.port, lambda _: b"")

    def late(self, held):
        return self.bare(self.port, lambda request: held.wait() and self.reply(request))

    def babbling(self, noise):
        return self.bare(self.port, lambda request: noise(self.reply(request)))

    def reply(self, request):
        return self.framed(request, self.right_answer(request[7:]))

    def framed(self, right, body):
        return right[:4] + struct.pack(">HB", len(body) + 1, right[6]) + body


class RtuOverTcpPeer(ModbusTcpPeer):
    """The same with the frames of a serial line."""

    scheme, framer = "modbus+rtu-over-tcp", FramerType.RTU

    def reply(self, request):
        return self.framed(request, self.right_answer(request[1:6]))

    def framed(self, right, body):
        return rtu_frame(right[0], body)


class ModbusUdpPeer(ModbusTcpPeer):
    """The same at a UDP port."""

    scheme, bare = "modbus+udp", BareDatagrams

    def serving(self, refusing="", without=""):
        return UdpUnits({UNIT: self.registers(refusing, without)}, port=self.port)


class ModbusTlsPeer(ModbusTcpPeer):
    """The same behind TLS, with a certificate on both sides."""

    scheme = "modbus+tls"

    def __init__(self, folder):
        super().__init__(folder)
        authority = Authority(folder)
        client, key = authority.sign("agent", "DNS:agent")
        self.url += f"?ca={authority.ca}&cert={client}&key={key}"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*authority.sign("gateway", "IP:127.0.0.1"))
        self.context.load_verify_locations(authority.ca)
        self.context.verify_mode = ssl.CERT_REQUIRED

    def serving(self, refusing="", without=""):
        return TlsUnits({UNIT: self.registers(refusing, without)}, self.context, self.port)

    def bare(self, port, answer):
        return BareTlsServer(port, answer, self.context)


class RtuPeer(ModbusPeer):
    """A pseudo-terminal behind a link, which is gone while nobody serves."""

    scheme, units = "modbus+rtu", PtyUnits

    def __init__(self, folder):
        self.link = folder / "line"
        self.url = f"{self.scheme}://{self.link}?baud=115200"

    def serving(self, refusing="", without=""):
        return self._linked(self.units({UNIT: self.registers(refusing, without)}))

    def mute(self):
        return self._linked(self.units({}))

    def late(self, held):
        return self._linked(self.units({UNIT: self.registers()}, held=held))

    def babbling(self, noise):
        return self._linked(self.units({UNIT: self.registers()}, noise=noise))

    def framed(self, right, body):
        return rtu_frame(right[0], body)

    @contextmanager
    def _linked(self, line):
        with line:
            self.link.symlink_to(line.path)
            try:
                yield
            finally:
                self.link.unlink()


class AsciiPeer(RtuPeer):
    """The same in ASCII mode."""

    scheme, units = "modbus+ascii", PtyTextUnits

    def __init__(self, folder):
        super().__init__(folder)
        self.url += "&parity=N&bits=8"  # a pseudo-terminal knows nothing else

    def framed(self, right, body):
        return ascii_frame(int(right[1:3], 16), body)


class MqttJsonPeer:
    """A sensor and a meter in one, on a real broker of its own."""

    unit = "north wing/7"
    profile = MqttJsonProfile(
        "test/json",
        "Test sensor",
        "generic",
        (),
        (
            JsonPoint(Quantity.DOOR_OPEN, "door", "test/{unit}", ("contact",), words={"true": 0.0, "false": 1.0}),
            JsonPoint(Quantity.ENERGY_IMPORT, "total", "test/{unit}/energy", ("em", "0"), 0.001),
        ),
    )
    expect = {"door_open/door": 1.0, "energy_import/total": 4912.36}
    messages = {"test/north wing/7": b'{"contact":false}', "test/north wing/7/energy": b'{"em":[4912360]}'}

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"

    def broker(self):
        return Mosquitto(port=self.port)

    def publisher(self):
        return Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)

    @contextmanager
    def serving(self):
        with self.broker():
            self.client = self.publisher()
            self.client.connect("127.0.0.1", self.port)
            self.client.loop_start()
            try:
                yield
            finally:
                self.client.disconnect()
                self.client.loop_stop()

    def say(self):
        for topic, payload in self.messages.items():
            self.client.publish(topic, payload, qos=1).wait_for_publish(PATIENCE_S)

    def babble(self, noise):
        for topic in self.messages:
            self.client.publish(topic, noise, qos=1).wait_for_publish(PATIENCE_S)


class MqttJsonTlsPeer(MqttJsonPeer):
    """The same behind TLS."""

    def __init__(self, folder):
        super().__init__(folder)
        self.authority = Authority(folder)
        self.url = f"mqtts://127.0.0.1:{self.port}?ca={self.authority.ca}"

    def broker(self):
        return TlsMosquitto(self.folder, authority=self.authority, port=self.port)

    def publisher(self):
        client = super().publisher()
        client.tls_set(self.authority.ca)
        return client
