"""How long an answer is waited for: as the bus says, and longer where answers were found to come later.

A gateway may wait for a dead device longer than we do, and hold back what is asked meanwhile. Then its other devices
answer late although they are well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from edge_agent.drivers.modbus.frames import Request

log = structlog.get_logger()

LONGEST_HOLD_S = 10.0
"""For longer no gateway is believed to hold a request back; one that does needs a longer timeout in site.yaml."""

WIRE_TIMEOUTS = 5
"""On a wire nobody holds a request back: what comes later than so many timeouts came for another reason."""

REMEMBERED_S = 86_400.0
MARGIN, MARGIN_S = 1.1, 0.05
LATE_SHARE = 0.25
"""What comes later than usual by this share of the timeout was held back."""


SLOWLY = 0.98
"""What is usual is the longest that was needed lately: an answer out of step seems quick, and must not change it."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A request that was not answered in time: its answer may still come."""

    request: Request
    number: int
    sent_s: float


class Waits:
    """What one bus has taught us about time. All times are those of one monotonic clock."""

    def __init__(self, bus: str, timeout_s: float, *, longest_hold_s: float) -> None:
        """``timeout_s`` is what the site says of the bus; on a wire nobody is there to hold a request back."""
        self._bus, self._timeout_s, self._longest_hold_s = bus, timeout_s, longest_hold_s
        self._learnt_s, self._learnt_at_s = timeout_s, 0.0
        self._longest_s = max(timeout_s, longest_hold_s or min(WIRE_TIMEOUTS * timeout_s, LONGEST_HOLD_S))
        self._hold_s = longest_hold_s
        self._usual_s: dict[int, float] = {}
        self._silent: set[int] = set()
        self.owed: list[Owed] = []
        self.silences = 0
        """In a row, of whichever units."""

    def patience_s(self, now_s: float) -> float:
        """How long an answer is waited for where nothing is held back; what was learnt is forgotten after a day."""
        if now_s - self._learnt_at_s > REMEMBERED_S:
            self._learnt_s = self._timeout_s
        return self._learnt_s

    def usual_s(self, unit: int) -> float:
        """How long a unit takes to answer, 0 where it never has."""
        return self._usual_s.get(unit, 0.0)

    def is_silent(self, unit: int) -> bool:
        """Whether a unit did not answer when it was asked last."""
        return unit in self._silent

    def end_s(self, unit: int, now_s: float) -> float:
        """Until when the answer to a request of now is waited for.

        A unit that is not known to be silent may be held back by the one that has just kept us waiting.
        """
        self.owed = [one for one in self.owed if now_s - one.sent_s < LONGEST_HOLD_S]
        end_s = now_s + self.patience_s(now_s)
        return max(end_s, self.owed[-1].sent_s + self._hold_s) if self.may_be_held(unit) else end_s

    def may_be_held(self, unit: int) -> bool:
        """Whether a gateway may still wait for another unit: nobody has answered since that one was asked."""
        is_owed = bool(self.silences and self.owed) and self.owed[-1].request.unit != unit
        return is_owed and unit not in self._silent

    def note_answer(self, request: Request, sent_s: float, now_s: float) -> None:
        """A unit answers; if it was asked the same before, in vain, that is answered too."""
        unit = request.unit
        took_s, usual_s = now_s - sent_s, self.usual_s(unit)
        expected_s = usual_s + LATE_SHARE * self._timeout_s if usual_s else self._timeout_s
        if self.may_be_held(unit) and took_s > expected_s:
            self._learn(now_s - self.owed[-1].sent_s, now_s)
            self.owed.clear()
        else:
            self._usual_s[unit] = max(took_s, SLOWLY * usual_s)
        self.owed = [one for one in self.owed if one.request is not request]
        self._silent.discard(unit)
        self.silences = 0

    def note_silence(self, request: Request, number: int, sent_s: float) -> None:
        """A unit has not answered in time."""
        if self.may_be_held(request.unit) and self._hold_s:  # it was waited for in vain
            self._hold_s = max(self._hold_s / 2, self._timeout_s)
        self._silent.add(request.unit)
        self.note_owed(request, number, sent_s)
        self.silences += 1

    def note_owed(self, request: Request, number: int, sent_s: float) -> None:
        """Something else came than the answer, which may still come."""
        self.owed.append(Owed(request, number, sent_s))

    def note_absence(self, unit: int) -> None:
        """Somebody on the way says that a unit does not answer."""
        self._silent.add(unit)
        self.silences = 0

    def note_late(self, owed: Owed, now_s: float, *, at_most: float = LONGEST_HOLD_S) -> None:
        """The answer to an earlier request came; ``at_most`` where we only know that it is there by now."""
        self.owed = [one for one in self.owed if one is not owed]
        self._learn(min(now_s - owed.sent_s, at_most), now_s)

    def forget_owed(self) -> None:
        """The connection is another one: what was asked on the last one is answered there."""
        self.owed.clear()

    def _learn(self, seconds: float, now_s: float) -> None:
        wait_s = min(seconds * MARGIN + MARGIN_S, self._longest_s)
        if wait_s > self.patience_s(now_s):
            log.warning("bus_answers_late", bus=self._bus, timeout_s=self._timeout_s, waits_s=round(wait_s, 2))
            self._learnt_s, self._learnt_at_s = wait_s, now_s
        self._hold_s = self._longest_hold_s
