"""The post office: reads on in the timeline of cases, writes letters, and lets each courier carry its own.

One thread writes and one carries for each courier, so that one that hangs holds up nobody else. Without a courier there
is neither.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import structlog

from analytics.letters.courier import UndeliveredError
from analytics.loop import Loop
from facility.system_alarm import SystemAlarm
from stores.records.letters.letter import LetterState
from stores.records.letters.letters import KEPT_FOR, LEASE, CourierCount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Self

    from analytics.letters.clerk import Clerk
    from analytics.letters.courier import Courier
    from analytics.metrics import Rounds
    from facility.status import ProcessStatus
    from stores.records.letters.contacts import Contacts
    from stores.records.letters.letter import Letter
    from stores.records.letters.letters import Letters

PAUSE_S = 1.0
AFTER_FAILURE_S = 5.0
"""So long a courier pauses after a letter that did not leave, before it tries the next."""

GOODBYE_S = 2.0
TIDIED_EVERY = timedelta(hours=1)

log = structlog.get_logger()


class PostOffice:
    """Use as a context manager. ``clock`` tells the time; letters and cases are kept in the records."""

    def __init__(
        self,
        letters: Letters,
        contacts: Contacts,
        clerk: Clerk,
        couriers: Mapping[str, Courier],
        clock: Callable[[], datetime],
        rounds: Rounds,
        *,
        lease: timedelta = LEASE,
    ) -> None:
        """Nothing is read and nobody is reached before it begins."""
        self._letters, self._contacts, self._clerk = letters, contacts, clerk
        self._couriers, self._clock, self._lease = couriers, clock, lease
        self._stop = Event()
        self._counts: Mapping[str, CourierCount] = {}
        self._failures: dict[str, str] = {}
        self._tidied_at: datetime | None = None
        self._loops = [Loop("letters", self.write, rounds, PAUSE_S)]
        self._loops += [Loop(f"courier {name}", partial(self.carry, name), rounds, PAUSE_S) for name in couriers]

    def beside(self, status: Callable[[], ProcessStatus]) -> Callable[[], ProcessStatus]:
        """The status of the process, with how the couriers fare and an alarm while one of them fails."""

        def both() -> ProcessStatus:
            own = status()
            if not self._couriers:
                return own
            failing = {name: words for name in self._couriers if (words := self._trouble(name))}
            figures = {
                **own.figures,
                "letters_held_up": float(sum(one.held_up for one in self._counts.values())),
                "letters_given_up": float(sum(one.given_up for one in self._counts.values())),
            }
            facts = {**own.facts, **{f"courier {name}": failing.get(name, "well") for name in self._couriers}}
            words = "; ".join(f"{name}: {why}" for name, why in failing.items())
            alarms = {**own.alarms, SystemAlarm.LETTERS_FAIL: words} if words else own.alarms
            return replace(own, alarms=alarms, figures=figures, facts=facts)

        return both

    def write(self) -> bool:
        """Write letters about what is new; whether there is more."""
        now = self._clock()
        self._counts = self._letters.counts()
        if self._tidied_at is None or now - self._tidied_at >= TIDIED_EVERY:
            self._tidied_at = now
            self._letters.forget(now - KEPT_FOR)
        if not self._letters.has_news():
            return False
        desk = self._clerk.desk(self._contacts, list(self._couriers))
        return desk is not None and self._letters.write(now, desk) > 0

    def carry(self, name: str) -> bool:
        """Let a courier carry its next letter; whether there was one."""
        courier, now = self._couriers[name], self._clock()
        letter = self._letters.claim(name, now, self._lease)
        if letter is None:
            return False
        post = self._clerk.post_of(letter, self._letters, now, takes_address=courier.takes_address)
        if post is None:
            self._letters.end(letter.id, LetterState.DROPPED, now)
            return True
        try:
            courier.deliver(post)
        except UndeliveredError as error:
            self._fail(name, letter, error)
            self._stop.wait(AFTER_FAILURE_S)
        else:
            self._letters.end(letter.id, LetterState.SENT, self._clock())
            if self._failures.pop(name, None):
                log.info("courier_arrives_again", courier=name)
        return True

    def _fail(self, name: str, letter: Letter, error: UndeliveredError) -> None:
        if name not in self._failures:
            log.warning("courier_fails", courier=name, error=str(error))
        self._failures[name] = str(error)
        self._letters.put_off(letter, self._clock(), str(error), may_have_arrived=error.may_have_arrived)

    def _trouble(self, name: str) -> str:
        count, why = self._counts.get(name, CourierCount()), self._failures.get(name, "")
        parts = [why or ("letters are held up" if count.held_up else "")]
        parts += [f"{count.held_up} wait"] if count.held_up else []
        parts += [f"{count.given_up} given up"] if count.given_up else []
        return ", ".join(part for part in parts if part)

    def __enter__(self) -> Self:
        """Begin, if there is a courier."""
        for loop in self._loops if self._couriers else ():
            loop.start(self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        """A letter that is under way is waited for a moment; later it would leave once more."""
        self._stop.set()
        for loop in self._loops if self._couriers else ():
            loop.join(GOODBYE_S)
