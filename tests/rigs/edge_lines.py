"""Real Modbus lines for tests: a pymodbus server in a thread, and RTU slaves behind a pseudo-terminal."""

from __future__ import annotations

import asyncio
import os
import select
import struct
import threading
import tty

from pymodbus.framer import FramerAscii, FramerRTU, FramerType
from pymodbus.pdu import DecodePDU
from pymodbus.server import ModbusTcpServer, ModbusTlsServer, ModbusUdpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from rigs.patience import PATIENCE_S
from rigs.servers import free_port


class TcpUnits:
    """``units`` maps an address to its registers (address → word), the same in every table, or to a whole device."""

    def __init__(self, units, framer=FramerType.SOCKET, port=None):
        self.units, self.framer, self.port = units, framer, port or free_port()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(PATIENCE_S)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.finish.set)
        self.thread.join()

    async def _serve(self):
        self.loop, self.finish = asyncio.get_running_loop(), asyncio.Event()
        devices = [
            words
            if isinstance(words, SimDevice)
            else SimDevice(
                unit, simdata=[SimData(a, values=w, datatype=DataType.REGISTERS) for a, w in sorted(words.items())]
            )
            for unit, words in self.units.items()
        ]
        server = self.server(devices)
        await server.serve_forever(background=True)
        assert server.transport, f"nobody listens at {self.port}"
        self.ready.set()
        await self.finish.wait()
        server.transport.close()
        await turns()  # whoever was accepted just now becomes a connection, or nobody would close it
        self.hang_up(server)
        await server.shutdown()
        await turns()

    def hang_up(self, server):
        """Nothing more than what the server does when it is shut down."""

    def server(self, devices):
        return ModbusTcpServer(devices, framer=self.framer, address=("127.0.0.1", self.port))


class UdpUnits(TcpUnits):
    """The same at a UDP port."""

    def server(self, devices):
        return ModbusUdpServer(devices, framer=self.framer, address=("127.0.0.1", self.port))


class TlsUnits(TcpUnits):
    """The same behind TLS; ``context`` is the server's."""

    def __init__(self, units, context, port):
        super().__init__(units, FramerType.TLS, port)
        self.context = context

    def hang_up(self, server):
        """Closed in good order, a connection would wait for the other end's farewell."""
        for connection in list(server.active_connections.values()):
            if connection.transport:  # nobody has hung up there
                connection.transport.abort()

    def server(self, devices):
        return ModbusTlsServer(devices, sslctx=self.context, address=("127.0.0.1", self.port))


async def turns():
    """Let the loop do what it has at hand, and what comes of it."""
    for _ in range(5):
        await asyncio.sleep(0)


ILLEGAL_ADDRESS = 2


def rtu_frame(unit, body):
    """A reply as it stands on a serial line."""
    frame = bytes((unit,)) + body
    return frame + FramerRTU.compute_CRC(frame).to_bytes(2, "big")


def ascii_frame(unit, body):
    """The same in ASCII mode, as pymodbus has it."""
    return FramerAscii(DecodePDU(is_server=True)).encode(bytes(body), unit, 0)


class PtyLine:
    """A pseudo-terminal at ``path`` with somebody behind it; the first answer waits for the event ``held``, if any."""

    def __init__(self, held=None):
        self.held = held
        self.ours, self.theirs = os.openpty()
        tty.setraw(self.theirs)
        self.path = os.ttyname(self.theirs)
        self.stop_r, self.stop_w = os.pipe()
        self.thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        os.write(self.stop_w, b"x")
        self.thread.join()
        for fd in (self.ours, self.theirs, self.stop_r, self.stop_w):
            os.close(fd)

    def _serve(self):
        heard = b""
        while True:
            readable, _, _ = select.select([self.ours, self.stop_r], [], [])
            if self.stop_r in readable:
                return
            heard = self.take(heard + os.read(self.ours, 256))

    def take(self, heard):
        """Answer what is whole of it, and give back the rest."""
        raise NotImplementedError

    def say(self, frame):
        held, self.held = self.held, None
        if held is None:
            os.write(self.ours, frame)
        else:
            threading.Thread(target=lambda: held.wait() and os.write(self.ours, frame)).start()


class PtyUnits(PtyLine):
    """RTU slaves on one line, as above. One that is not there stays silent; ``asked`` is who was asked, in order.

    A unit refuses a block with an address that it does not have. ``noise`` puts something else in the place of every
    right answer.
    """

    def __init__(self, units, held=None, noise=lambda frame: frame):
        super().__init__(held)
        self.units, self.asked, self.noise = units, [], noise

    def take(self, heard):
        while len(heard) >= 8:
            self._answer(heard[:8])
            heard = heard[8:]
        return heard

    def framed(self, unit, body):
        """A reply as it stands on the line."""
        return rtu_frame(unit, body)

    def _answer(self, request):
        unit, function, address, count = struct.unpack(">BBHH", request[:6])
        self.asked.append(unit)
        words = self.units.get(unit)
        if words is None:
            return
        wanted = [words[address + i] for i in range(count) if address + i in words]
        body = struct.pack(f">BB{count}H", function, 2 * count, *wanted) if len(wanted) == count else None
        self.say(self.noise(self.framed(unit, body or bytes((function | 0x80, ILLEGAL_ADDRESS)))))


class PtyTextUnits(PtyUnits):
    """The same in ASCII mode."""

    def framed(self, unit, body):
        return ascii_frame(unit, body)

    def take(self, heard):
        while (end := heard.find(b"\r\n")) >= 0:
            self._answer(bytes.fromhex(heard[heard.index(b":") + 1 : end].decode()))
            heard = heard[end + 2 :]
        return heard
