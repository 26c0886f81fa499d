"""What a listening driver hears and cannot read: in its state while it lasts, and in the log now and then."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import structlog

from facility.errors import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

log = structlog.get_logger()

MOST_TOLD = 3
"""So many are told in a state by name and reason; of the rest, how many there are."""

MOST_SHOWN = 100
"""So many characters of a name: a topic may be long."""


class Unread:
    """Why something could not be read last, by what it is: a point, or a topic of a meter as a whole."""

    def __init__(self) -> None:
        self._why: dict[str, str] = {}
        self._times: Counter[str] = Counter()

    def note(self, what: str, why: str) -> None:
        """It could not be read. The first, second, fourth, eighth … time is logged: a disk is not filled by it."""
        self._why[what] = why
        self._times[what] += 1
        times = self._times[what]
        if times & (times - 1) == 0:
            log.warning("device_cannot_be_read", of=visible(what, MOST_SHOWN), error=why, times=times)

    def clear(self, what: str) -> None:
        """It is read again."""
        if self._why.pop(what, None) is not None and self._times[what] & (self._times[what] - 1) == 0:
            log.info("device_is_read_again", of=visible(what, MOST_SHOWN), after=self._times[what])

    def why(self) -> dict[str, str]:
        """All of it as of now; another thread may hear more meanwhile."""
        return dict(self._why)

    def __str__(self) -> str:
        """``unread: m1/active_power/total: power is "840": text, where …``; empty where all is read."""
        why = self.why()
        return f"unread: {first_of(why)}" if why else ""


def first_of(why: Mapping[str, str]) -> str:
    """The first few with their reasons, and how many more there are: ``m1: …; m2: …; m3: …; 7 more``."""
    shown = [f"{visible(what, MOST_SHOWN)}: {one}" for what, one in list(why.items())[:MOST_TOLD]]
    more = [f"{len(why) - MOST_TOLD} more"] if len(why) > MOST_TOLD else []
    return "; ".join((*shown, *more))
