"""The client of pymodbus for a bus, chosen by its URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodbus.client import ModbusTcpClient
from pymodbus.framer import FramerType

from edge_agent.drivers.modbus.serial_line import SerialLineClient
from facility.protocols.modbus.bus import SerialLine, modbus_line

if TYPE_CHECKING:
    from pymodbus.client.base import ModbusBaseSyncClient

    from facility.catalogue import Bus

NEVER = 1 << 60


def make_client(bus: Bus) -> ModbusBaseSyncClient:
    """A client that is not connected yet. Raises ``ConfigError`` for a URL that names no line."""
    client = _client(bus)
    # Who is silent and for how long is the poller's to judge: pymodbus must not count it as well.
    client.set_max_no_responses(NEVER)
    client.transaction.count_until_disconnect = NEVER
    return client


def _client(bus: Bus) -> ModbusBaseSyncClient:
    line = modbus_line(bus)
    if isinstance(line, SerialLine):
        return SerialLineClient(
            line.path, baudrate=line.baud, parity=line.parity, stopbits=line.stop_bits, timeout=bus.timeout_s
        )
    framer = FramerType.RTU if line.has_rtu_frames else FramerType.SOCKET
    return ModbusTcpClient(line.host, port=line.port, framer=framer, timeout=bus.timeout_s, retries=0)
