"""Which text can be the name of a host: one that cannot is refused before anything asks a resolver."""

from __future__ import annotations

import ipaddress
import re

_NO_NAME = re.compile(r"[\s\x00-\x20\x7f/\\@<>\"']")
MOST_CHARS = 253
"""RFC 1035, 2.3.4: 255 bytes, with a length before each label."""


def is_host(name: str) -> bool:
    """Whether a resolver can be asked for it: a name whose labels are neither empty nor long, or an address."""
    if not name or len(name) > MOST_CHARS or _NO_NAME.search(name):
        return False
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return True


def is_loopback(name: str) -> bool:
    """Whether nobody but this machine is meant: ``localhost``, or an address of its own."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
