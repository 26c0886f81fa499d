"""Where a bus is whose URL names a serial line, a TCP connection (with TLS or without) or a UDP socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from facility.errors import ConfigError, Problem
from facility.host import is_host
from facility.tls_files import FILES, TlsFiles

if TYPE_CHECKING:
    from facility.catalogue import Bus


SEVEN_BITS = 7
"""Enough for text."""


@dataclass(frozen=True, slots=True)
class NetworkLine:
    """A TCP connection; ``has_rtu_frames`` where bytes pass through to a serial line as they are.

    With ``tls`` it is encrypted; ``is_datagrams``: UDP, where each request and each answer is one datagram.
    """

    host: str
    port: int
    has_rtu_frames: bool
    is_datagrams: bool = False
    tls: TlsFiles | None = None


@dataclass(frozen=True, slots=True)
class SerialLine:
    """A serial device and how fast it is."""

    path: str
    baud: int
    parity: str
    stop_bits: int
    data_bits: int = 8


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


def tls_files(bus: Bus) -> TlsFiles:
    """The files of TLS that a bus's URL names. Raises ``ConfigError`` for what else stands there."""
    pairs = (part.partition("=") for part in urlsplit(bus.url).query.split("&") if part)
    words = {name: unquote(value) for name, _, value in pairs}
    files = TlsFiles(*(words.get(name, "") for name in FILES))
    if words.keys() - {*FILES} or not all(words.values()) or (files.key and not files.certificate):
        allowed = f"{bus.scheme}://host:port?{'&'.join(f'{name}=FILE' for name in FILES)}, the last two together"
        raise ConfigError(Problem(f"bus {bus.id}", f"'{bus.url}' names no files of TLS", allowed))
    return files


def serial_line(bus: Bus, usual: SerialLine) -> SerialLine:
    """The serial line that a bus's URL names; what it does not say is as ``usual``. Raises ``ConfigError``.

    How many bits a byte has is asked only where it usually has 7: binary frames need all 8.
    """
    try:
        url = urlsplit(bus.url)
    except ValueError:
        raise _no_serial_line(bus, usual) from None
    defaults = {"baud": str(usual.baud), "parity": usual.parity, "stop": str(usual.stop_bits)}
    defaults |= {"bits": str(usual.data_bits)} if usual.data_bits == SEVEN_BITS else {}
    given = {key: values[-1] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
    options = defaults | given
    is_place = bool(url.path.strip("/")) and url.netloc in {"", "localhost"}
    is_known = options.keys() == defaults.keys()
    if not (
        is_place
        and is_known
        and options["parity"] in {*"NEO"}
        and options["stop"] in {*"12"}
        and options.get("bits", "8") in {*"78"}
    ):
        raise _no_serial_line(bus, usual)
    baud = options["baud"]
    if not (baud.isascii() and baud.isdecimal() and int(baud)):
        raise ConfigError(Problem(f"bus {bus.id}", f"baud '{baud}' is no speed", _form(bus, usual)))
    return SerialLine(
        url.path, int(baud), options["parity"], int(options["stop"]), int(options.get("bits", usual.data_bits))
    )


def _no_serial_line(bus: Bus, usual: SerialLine) -> ConfigError:
    return ConfigError(Problem(f"bus {bus.id}", f"'{bus.url}' is no serial line", _form(bus, usual)))


def _form(bus: Bus, usual: SerialLine) -> str:
    bits = "&bits=7|8" if usual.data_bits == SEVEN_BITS else ""
    return f"{bus.scheme}://{usual.path}?baud={usual.baud}&parity=N|E|O&stop=1|2{bits}"
