"""Where a Modbus bus is, by its URL, and which addresses the devices on it may have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem
from facility.protocols.lines import NetworkLine, SerialLine, network_line, serial_line, tls_files

if TYPE_CHECKING:
    from facility.catalogue import Bus

RTU, TCP, RTU_OVER_TCP = "modbus+rtu", "modbus+tcp", "modbus+rtu-over-tcp"
ASCII, UDP, TLS = "modbus+ascii", "modbus+udp", "modbus+tls"
SCHEMES = (TCP, RTU, RTU_OVER_TCP, ASCII, UDP, TLS)

PORT, TLS_PORT = 502, 802
"""The latter: MODBUS/TCP Security Protocol Specification, MB-TCP-Security v36, section 8."""

USUAL_LINE = SerialLine("/dev/ttyUSB0", 9600, "N", 1)
USUAL_TEXT_LINE = SerialLine("/dev/ttyUSB0", 9600, "E", 1, data_bits=7)
"""MODBUS over Serial Line V1.02, section 2.5.2: in ASCII mode a byte has seven bits."""

SLAVES = range(1, 248)
"""MODBUS over Serial Line V1.02, section 2.2: 0 is a broadcast, which nobody answers, and 248 to 255 are reserved."""

SERVER_ITSELF = (0, 255)
"""MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 4.4.2: a server that is addressed by its IP address
ignores the unit identifier; 255 is to be used for it, and 0 is accepted as well. 1 to 247 pass through a gateway."""


def modbus_line(bus: Bus) -> NetworkLine | SerialLine:
    """What a bus's URL names. Raises ``ConfigError`` if it names no line."""
    if bus.scheme in {RTU, ASCII}:
        return serial_line(bus, USUAL_LINE if bus.scheme == RTU else USUAL_TEXT_LINE)
    if bus.scheme == TLS:
        return replace(network_line(bus, TLS_PORT, has_rtu_frames=False), tls=tls_files(bus))
    line = network_line(bus, PORT, has_rtu_frames=bus.scheme == RTU_OVER_TCP)
    return replace(line, is_datagrams=bus.scheme == UDP)


def modbus_unit(bus: Bus, unit: str) -> int:
    """The address that a unit stands for. Raises ``ConfigError`` for one that no device on such a bus can have.

    RTU frames over TCP end on a serial line, so its rules hold for them.
    """
    number = int(unit) if unit.isascii() and unit.isdecimal() else -1
    has_itself = bus.scheme in {TCP, UDP, TLS}
    if number in SLAVES or (has_itself and number in SERVER_ITSELF):
        return number
    itself = f", or 0 or 255 for the device at the {'UDP' if bus.scheme == UDP else 'TCP'} address itself"
    allowed = f"1 to 247{itself if has_itself else ''}"
    raise ConfigError(Problem(f"bus {bus.id}", f"unit '{unit}' is no Modbus address", allowed))
