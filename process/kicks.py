"""Sees that somebody else uses our name at a broker: whoever connects later ends the connection of the other.

It happens where two processes have one client id, and where a broker takes the user name for the client id (Mosquitto's
``use_username_as_clientid``) and two processes share an account.
"""

from __future__ import annotations

TAKEN_OVER = 0x8E
"""MQTT 5.0, 3.14.2.1: the broker says so itself. Mosquitto 2.0 does not; it closes the connection without a word."""

UNSPECIFIED = 0x80
"""What paho makes of a connection that was closed without a word."""

WITHIN_S = 60.0
SOON_S, OFTEN = 5.0, 3
"""A name that is used twice gets in at once, and loses its connection when the other has waited to come again."""

KICKED = "another process is signed in at the broker with the same name"
SEEMS_KICKED = "each connection ends soon after it began, as if another process were signed in with the same name"


class Kicks:
    """Fed with what becomes of connections; any thread may ask. Times are of one monotonic clock."""

    def __init__(self) -> None:
        self._welcomed_s = 0.0
        self._kicked_s = float("-inf")
        self._soon_s: tuple[float, ...] = ()

    def welcomed(self, now_s: float) -> None:
        """The broker has let us in."""
        self._welcomed_s = now_s

    def refused(self) -> None:
        """The broker has refused what we said. Mosquitto 2.0 then hangs up without a word."""
        self._welcomed_s = float("-inf")

    def unreachable(self) -> None:
        """It is the broker that was away, or the line."""
        self._soon_s = ()

    def lost(self, code: int, now_s: float) -> None:
        """A connection that we had has ended, with this reason code."""
        if code == TAKEN_OVER:
            self._kicked_s = now_s
        elif code == UNSPECIFIED and now_s - self._welcomed_s < SOON_S:
            self._soon_s = (*self._soon_s, now_s)[-OFTEN:]
        else:
            self._soon_s = ()

    def suspicion(self, now_s: float) -> str:
        """A sentence where our name seems to be used twice within the last minute, else nothing."""
        if now_s - self._kicked_s <= WITHIN_S:
            return KICKED
        soon_s = self._soon_s
        return SEEMS_KICKED if len(soon_s) == OFTEN and now_s - soon_s[0] <= WITHIN_S else ""
