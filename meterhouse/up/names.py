"""Under which names and addresses a server is reached."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress

from facility.host import is_loopback

OWN = ("localhost", "127.0.0.1", "::1")
ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of documentation (RFC 5737, RFC 3849): the route there leads out, and nothing is sent."""


def is_every(host: str) -> bool:
    """Whether it stands for all addresses of the machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def names_found(host: str) -> list[str]:
    """What others may call this machine when it listens at ``host``, the best first; its own addresses change."""
    if is_loopback(host):
        return []
    return [*(_outward(host) if is_every(host) else [host]), *_host_names()]


def from_here(host: str) -> str:
    """Where this machine's own processes reach what listens at ``host``."""
    if is_every(host):
        return "127.0.0.1" if ipaddress.ip_address(host).version == 4 else "::1"  # noqa: PLR2004 - IPv4
    return host


def _host_names() -> list[str]:
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return [name, *([f"{short}.local"] if short != "localhost" else [])]


def _outward(host: str) -> list[str]:
    """The address with which this machine would speak to others: of IPv4, and where it listens there of IPv6 too."""
    found = []
    for family, elsewhere in ELSEWHERE if ":" in host else ELSEWHERE[:1]:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            found.append(str(probe.getsockname()[0]))
    return found
