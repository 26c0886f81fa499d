"""Where a bus is whose URL names a serial line or a TCP connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from facility.errors import ConfigError, Problem
from facility.host import is_host

if TYPE_CHECKING:
    from facility.catalogue import Bus


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


def network_line(bus: Bus, usual_port: int, *, has_rtu_frames: bool) -> NetworkLine:
    """The TCP connection that a bus's URL names, 0 for no usual port. Raises ``ConfigError`` if it names none."""
    try:
        url = urlsplit(bus.url)
        host, port = url.hostname or "", usual_port if url.port is None else url.port
    except ValueError:
        host, port = "", 0
    if not (is_host(host) and port):
        raise ConfigError(Problem(f"bus {bus.id}", f"'{bus.url}' names no host", f"{bus.scheme}://host:port"))
    return NetworkLine(host, port, has_rtu_frames)


def serial_line(bus: Bus, usual: SerialLine) -> SerialLine:
    """The serial line that a bus's URL names; what it does not say is as ``usual``. Raises ``ConfigError``."""
    try:
        url = urlsplit(bus.url)
    except ValueError:
        raise _no_serial_line(bus, usual) from None
    defaults = {"baud": str(usual.baud), "parity": usual.parity, "stop": str(usual.stop_bits)}
    given = {key: values[-1] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
    options = defaults | given
    is_place = bool(url.path.strip("/")) and url.netloc in {"", "localhost"}
    is_known = options.keys() == defaults.keys()
    if not (is_place and is_known and options["parity"] in {*"NEO"} and options["stop"] in {*"12"}):
        raise _no_serial_line(bus, usual)
    baud = options["baud"]
    if not (baud.isascii() and baud.isdecimal() and int(baud)):
        raise ConfigError(Problem(f"bus {bus.id}", f"baud '{baud}' is no speed", _form(bus, usual)))
    return SerialLine(url.path, int(baud), options["parity"], int(options["stop"]))


def _no_serial_line(bus: Bus, usual: SerialLine) -> ConfigError:
    return ConfigError(Problem(f"bus {bus.id}", f"'{bus.url}' is no serial line", _form(bus, usual)))


def _form(bus: Bus, usual: SerialLine) -> str:
    return f"{bus.scheme}://{usual.path}?baud={usual.baud}&parity=N|E|O&stop=1|2"
