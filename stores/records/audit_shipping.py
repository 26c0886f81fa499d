"""Where checkpoints of the audit trail are shipped to: a file, best on another machine's disk, or a syslog."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from facility.errors import ConfigError, Problem, StoreUnavailable

if TYPE_CHECKING:
    from stores.records.audit_checkpoint import Checkpoint

ALLOWED = "/a/file, syslog:///dev/log, syslog://host:514 or syslog+tcp://host:601"
WHERE = "METERHOUSE_AUDIT_CHECKPOINTS"

PRIORITY = 13 * 8 + 6
"""RFC 5424, 6.2.1: facility 13 (log audit), severity 6 (informational)."""

WAIT_S = 10.0
PORTS = {"syslog": 514, "syslog+tcp": 601}
"""RFC 5426 and, for TCP, RFC 6587 with the port of RFC 3195: most servers listen there, or name another."""


def check_place(place: str) -> str:
    """The place, where checkpoints can be shipped to such a one. Raises ``ConfigError``."""
    parts = urlsplit(place)
    try:
        is_right = place.startswith("/") or (parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        is_right = False
    if not (is_right or (parts.scheme == "syslog" and parts.path.startswith("/")) or not place):
        raise ConfigError(Problem(WHERE, f"'{place}' is no place for checkpoints", ALLOWED))
    return place


def file_of(place: str) -> Path | None:
    """The file among such places, which can be read again."""
    return Path(place) if place.startswith("/") else None


def ship(checkpoint: Checkpoint, place: str) -> None:
    """Send one there. Raises ``StoreUnavailable`` where that fails; UDP cannot say that it did."""
    parts, file = urlsplit(place), file_of(place)
    try:
        if file is not None:
            _append(file, checkpoint.line)
        elif parts.hostname is None:
            _send(socket.AF_UNIX, parts.path, _message(checkpoint))
        elif parts.scheme == "syslog":
            _send(*_address(parts.hostname, parts.port or PORTS[parts.scheme]), _message(checkpoint))
        else:
            _stream(parts.hostname, parts.port or PORTS[parts.scheme], _message(checkpoint))
    except OSError as error:
        raise StoreUnavailable(f"a checkpoint of the audit trail cannot be shipped to {place}: {error}") from None


def _append(file: Path, line: str) -> None:
    """After half a line that a crash left, a new one begins."""
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    with os.fdopen(descriptor, "r+b", buffering=0) as opened:
        end = opened.seek(0, os.SEEK_END)
        is_torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
        opened.write(b"\n" * is_torn + line.encode() + b"\n")
        os.fsync(descriptor)


def _message(checkpoint: Checkpoint) -> bytes:
    """As RFC 5424, 6 has it."""
    host = socket.gethostname() or "-"
    return f"<{PRIORITY}>1 {checkpoint.at} {host} meterhouse - audit - {checkpoint.line}".encode()


def _address(host: str, port: int) -> tuple[int, tuple[str, int]]:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    return family, (str(address[0]), int(address[1]))


def _send(family: int, address: str | tuple[str, int], message: bytes) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as line:
        line.settimeout(WAIT_S)
        line.sendto(message, address)


def _stream(host: str, port: int, message: bytes) -> None:
    """One message, counted as RFC 6587, 3.4.1 has it."""
    with socket.create_connection((host, port), WAIT_S) as line:
        line.sendall(b"%d %b" % (len(message), message))
