"""How often an address may try links that are none: a link cannot be guessed, and trying costs others their time."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

MOST, WITHIN_S = 10, 900.0
"""Refused links of one address, and for how long they count."""

MOST_ADDRESSES = 10_000
MOST_NOTED = 100
"""Lines for the audit trail within that time: a stranger fills no disk with them."""

HALF = 64
"""Bits of an IPv6 address that name a network."""

OTHERS = "elsewhere"
"""All addresses that find no place of their own together."""

Noted = Literal["refused", "blocked", ""]


class Guesses:
    """Counts refused links by address. Any thread may ask."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._refused: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._noted = (float("-inf"), 0)

    def wait_s(self, address: str) -> int:
        """Seconds until the address may try again; 0: now."""
        with self._lock:
            began_s, count = self._refused.get(self._known(address), (0.0, 0))
            return round(began_s + WITHIN_S - self._monotonic()) + 1 if count >= MOST else 0

    def refused(self, address: str) -> Noted:
        """One more was refused. What the audit trail shall tell of it, if anything: the last one blocks the address."""
        with self._lock:
            known = self._known(address)
            began_s, count = self._refused.get(known, (self._monotonic(), 0))
            self._refused[known] = began_s, count + 1
            if not self._is_noted():
                return ""
            return "blocked" if count + 1 == MOST else "refused"

    def _known(self, address: str) -> str:
        """Under what an address is counted; those whose time is over are forgotten."""
        now_s = self._monotonic()
        while self._refused and now_s - next(iter(self._refused.values()))[0] >= WITHIN_S:
            self._refused.popitem(last=False)
        name = network_of(address)
        return name if name in self._refused or len(self._refused) < MOST_ADDRESSES else OTHERS

    def _is_noted(self) -> bool:
        began_s, lines = self._noted
        if self._monotonic() - began_s >= WITHIN_S:
            began_s, lines = self._monotonic(), 0
        self._noted = began_s, lines + 1
        return lines < MOST_NOTED


def network_of(address: str) -> str:
    """The address itself, or of IPv6 the first half: whoever has one of those has them all."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return OTHERS
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(known) >> HALF << HALF, HALF)))
        known = known.ipv4_mapped
    return str(known)
