"""Where a Modbus bus is, by its URL, and which addresses the devices on it may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem
from facility.protocols.lines import NetworkLine, SerialLine, network_line, serial_line

if TYPE_CHECKING:
    from facility.catalogue import Bus

RTU, TCP, RTU_OVER_TCP = "modbus+rtu", "modbus+tcp", "modbus+rtu-over-tcp"
SCHEMES = (TCP, RTU, RTU_OVER_TCP)

PORT = 502
USUAL_LINE = SerialLine("/dev/ttyUSB0", 9600, "N", 1)

SLAVES = range(1, 248)
"""MODBUS over Serial Line V1.02, section 2.2: 0 is a broadcast, which nobody answers, and 248 to 255 are reserved."""

SERVER_ITSELF = (0, 255)
"""MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 4.4.2: a server that is addressed by its IP address
ignores the unit identifier; 255 is to be used for it, and 0 is accepted as well. 1 to 247 pass through a gateway."""


def modbus_line(bus: Bus) -> NetworkLine | SerialLine:
    """What a bus's URL names. Raises ``ConfigError`` if it names no line."""
    if bus.scheme == RTU:
        return serial_line(bus, USUAL_LINE)
    return network_line(bus, PORT, has_rtu_frames=bus.scheme == RTU_OVER_TCP)


def modbus_unit(bus: Bus, unit: str) -> int:
    """The address that a unit stands for. Raises ``ConfigError`` for one that no device on such a bus can have.

    RTU frames over TCP end on a serial line, so its rules hold for them.
    """
    number = int(unit) if unit.isascii() and unit.isdecimal() else -1
    if number in SLAVES or (bus.scheme == TCP and number in SERVER_ITSELF):
        return number
    allowed = "1 to 247, or 0 or 255 for the device at the TCP address itself" if bus.scheme == TCP else "1 to 247"
    raise ConfigError(Problem(f"bus {bus.id}", f"unit '{unit}' is no Modbus address", allowed))
