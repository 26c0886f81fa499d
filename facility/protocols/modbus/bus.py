"""Where a Modbus bus is, by its URL, and which addresses the devices on it may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from facility.errors import ConfigError, Problem
from facility.host import is_host

if TYPE_CHECKING:
    from facility.catalogue import Bus

RTU, TCP, RTU_OVER_TCP = "modbus+rtu", "modbus+tcp", "modbus+rtu-over-tcp"
SCHEMES = (TCP, RTU, RTU_OVER_TCP)

PORT = 502
SERIAL_URL = "modbus+rtu:///dev/ttyUSB0?baud=9600&parity=N|E|O&stop=1|2"
SERIAL_DEFAULTS = {"baud": "9600", "parity": "N", "stop": "1"}

SLAVES = range(1, 248)
"""MODBUS over Serial Line V1.02, section 2.2: 0 is a broadcast, which nobody answers, and 248 to 255 are reserved."""

SERVER_ITSELF = (0, 255)
"""MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 4.4.2: a server that is addressed by its IP address
ignores the unit identifier; 255 is to be used for it, and 0 is accepted as well. 1 to 247 pass through a gateway."""


@dataclass(frozen=True, slots=True)
class NetworkLine:
    """A TCP connection; ``has_rtu_frames`` where bytes pass through to a serial line as they are."""

    host: str
    port: int
    has_rtu_frames: bool


@dataclass(frozen=True, slots=True)
class SerialLine:
    """A serial device and how fast it is."""

    path: str
    baud: int
    parity: str
    stop_bits: int


def modbus_line(bus: Bus) -> NetworkLine | SerialLine:
    """What a bus's URL names. Raises ``ConfigError`` if it names no line."""
    return _serial_line(bus) if bus.scheme == RTU else _network_line(bus)


def modbus_unit(bus: Bus, unit: str) -> int:
    """The address that a unit stands for. Raises ``ConfigError`` for one that no device on such a bus can have.

    RTU frames over TCP end on a serial line, so its rules hold for them.
    """
    number = int(unit) if unit.isascii() and unit.isdecimal() else -1
    if number in SLAVES or (bus.scheme == TCP and number in SERVER_ITSELF):
        return number
    allowed = "1 to 247, or 0 or 255 for the device at the TCP address itself" if bus.scheme == TCP else "1 to 247"
    raise ConfigError(Problem(f"bus {bus.id}", f"unit '{unit}' is no Modbus address", allowed))


def _network_line(bus: Bus) -> NetworkLine:
    try:
        url = urlsplit(bus.url)
        host, port = url.hostname or "", PORT if url.port is None else url.port
    except ValueError:
        host, port = "", 0
    if not (is_host(host) and port):
        raise ConfigError(Problem(f"bus {bus.id}", f"'{bus.url}' names no host", f"{bus.scheme}://host:port"))
    return NetworkLine(host, port, has_rtu_frames=bus.scheme == RTU_OVER_TCP)


def _serial_line(bus: Bus) -> SerialLine:
    try:
        url = urlsplit(bus.url)
    except ValueError:
        raise _no_serial_line(bus) from None
    given = {key: values[-1] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
    options = SERIAL_DEFAULTS | given
    is_place = bool(url.path.strip("/")) and url.netloc in {"", "localhost"}
    is_known = options.keys() == SERIAL_DEFAULTS.keys()
    if not (is_place and is_known and options["parity"] in {*"NEO"} and options["stop"] in {*"12"}):
        raise _no_serial_line(bus)
    baud = options["baud"]
    if not (baud.isascii() and baud.isdecimal() and int(baud)):
        raise ConfigError(Problem(f"bus {bus.id}", f"baud '{baud}' is no speed", SERIAL_URL))
    return SerialLine(url.path, int(baud), options["parity"], int(options["stop"]))


def _no_serial_line(bus: Bus) -> ConfigError:
    return ConfigError(Problem(f"bus {bus.id}", f"'{bus.url}' is no serial line", SERIAL_URL))
