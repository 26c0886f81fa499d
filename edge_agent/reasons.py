"""What the broker's reason codes mean for an agent: wait, send less, or call a person. None of them frees a reading."""

from __future__ import annotations

from collections import deque

import structlog

from process.kicks import Kicks

log = structlog.get_logger()

SUCCESS, NO_SUBSCRIBER = 0x00, 0x10
NOT_AUTHORIZED, TOO_LARGE, QUOTA = 0x87, 0x95, 0x97
KEPT_OUT = frozenset({0x86, NOT_AUTHORIZED, 0x8A, 0x8C})
"""MQTT 5.0, 3.2.2.2: a wrong name or password, not authorized, banned, a wrong way to sign in: a person must look."""

FAILURE = 0x80
"""MQTT 5.0, 2.4: codes from here on are failures."""

LOSSES, LOSSES_WITHIN_S = 3, 60.0
FIRST_QUIET_S, LAST_QUIET_S = 1.0, 30.0


class Reasons:
    """Alarms by name, 1 while they last; ``quiet_until`` is when batches may be sent again."""

    def __init__(self, kicks: Kicks | None = None) -> None:
        """``kicks`` is what the line knows of somebody else with our name."""
        self._kicks = kicks or Kicks()
        self.alarms = dict.fromkeys(("no_subscriber", "refused", "taken_over", "too_large", "unsteady"), 0)
        self.quiet_until = float("-inf")
        self.refused = 0
        self._is_kept_out = self._is_denied = False
        self._quiet_s = FIRST_QUIET_S
        self._losses_s: deque[float] = deque(maxlen=LOSSES)

    def note_batch(self, code: int, now: float) -> None:
        """What the broker said to a batch, or that it refused anything else. Only success ends an alarm."""
        if code == NOT_AUTHORIZED:
            self._kicks.refused()
        self._set("no_subscriber", lasts=code == NO_SUBSCRIBER)
        self._is_denied = code >= FAILURE and code != QUOTA
        self._tell_refusal()
        if code >= FAILURE:
            self.refused += 1
        if code == QUOTA:
            self._be_quiet(now)
        elif code < FAILURE:
            self._quiet_s = FIRST_QUIET_S

    def note_greeting(self, code: int) -> None:
        """What the broker said to our account: one that it does not let in is an alarm until it does."""
        self._is_kept_out = code in KEPT_OUT
        self._tell_refusal()

    def _tell_refusal(self) -> None:
        self._set("refused", lasts=self._is_kept_out or self._is_denied)

    def note_loss(self, code: int, now: float) -> None:
        """A connection has ended, and what the broker said to it."""
        self._losses_s.append(now)
        if code == QUOTA:
            self._be_quiet(now)
        self.look(now)

    def note_too_large(self, *, lasts: bool) -> None:
        """Whether one reading alone is longer than the broker takes: it waits for a person."""
        self._set("too_large", lasts=lasts)

    def look(self, now: float) -> None:
        """Whether connections end again and again: a bad line, or another agent that keeps taking our name."""
        recent = [at for at in self._losses_s if now - at <= LOSSES_WITHIN_S]
        self._set("unsteady", lasts=len(recent) >= LOSSES)
        self._set("taken_over", lasts=bool(self._kicks.suspicion(now)))

    def _be_quiet(self, now: float) -> None:
        self.quiet_until = now + self._quiet_s
        self._quiet_s = min(2 * self._quiet_s, LAST_QUIET_S)

    def _set(self, alarm: str, *, lasts: bool) -> None:
        if lasts != bool(self.alarms[alarm]):
            (log.error if lasts else log.info)("broker_alarm", alarm=alarm, lasts=lasts)
        self.alarms[alarm] = int(lasts)
