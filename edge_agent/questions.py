"""What one device is asked: as few asks as may be, smaller ones where it refuses, each in its turn."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from edge_agent.devices import Device
    from edge_agent.drivers.base import Answer, Ask, AskingDriver

FIRST_RETRY_S, LAST_RETRY_S = 60.0, 86_400.0
"""What a device refuses it is asked again after a minute, and each time twice as late, up to a day.

Where it refuses everything, or failed, up to ``LAST_PAUSE_S``: that may be over soon.
"""

PATIENCE = 3
"""An ask that was not answered so often in a row, while others were, is asked smaller."""

FIRST_PAUSE_S, LAST_PAUSE_S = 30.0, 300.0
"""One that cannot be smaller waits for so long, and each time twice as long."""

PUT_OFFS = 3
"""Points that were put off so often in a row are told of; one at which the device fails so often is left alone."""


@dataclass(eq=False)
class _Standing:
    """An ask and how it fared: how often it was not answered in a row, and until when it is left alone.

    One that was not answered the last time comes last, so that it does not stand for its device.
    """

    ask: Ask
    is_answered: bool = True
    silences: int = 0
    put_offs: int = 0
    failures: int = 0
    not_before_s: float = 0.0
    why: Mapping[str, str] = field(default_factory=dict)


class Questions:
    """What is asked, what was refused, and what is left of this round. Times are those of one monotonic clock."""

    def __init__(self, driver: AskingDriver[Any], device: Device, now_s: float) -> None:
        """Raises ``ConfigError`` for a device that such a bus cannot have."""
        self._driver, self._device = driver, device
        self._points = deque(device.places)
        self._left: deque[_Standing] = deque()
        self._unanswered: list[tuple[_Standing, str]] = []
        self._refused: dict[str, str] = {}
        self._unread: dict[str, str] = {}
        self._is_cut = self._is_deaf = self._may_pass = False
        self._retry_s, self._begun_s = FIRST_RETRY_S, now_s
        self._standings = self._planned(device.places)
        self._asked: _Standing | None = None

    @property
    def is_round_over(self) -> bool:
        """Whether everything that was due was asked."""
        return not self._left

    @property
    def asks(self) -> Sequence[Ask]:
        """What is asked in a round."""
        return [one.ask for one in self._standings]

    def unread(self) -> Mapping[str, str]:
        """Why a point could not be read, by point id, as of the last whole round."""
        return self._unread

    def begin(self, now_s: float) -> None:
        """A round begins unless one is under way. What was refused long ago is asked again, as at the first time."""
        if not self._left:
            self._fill(now_s)
        if self._left and not self._left[0].is_answered:
            self._probe()

    def take(self) -> Ask:
        """The next ask of the round; how it went is noted before another is taken."""
        self._asked = self._left.popleft()
        return self._asked.ask

    def give_back(self) -> None:
        """It was not asked after all."""
        if self._asked:
            self._left.appendleft(self._asked)

    def note_answer(self, answer: Answer) -> None:
        """It was answered, if only by a refusal: then its points are asked in smaller parts, at once."""
        if (one := self._asked) is None:
            return
        one.is_answered, one.silences, one.not_before_s = True, 0, 0.0
        one.put_offs = one.put_offs + 1 if answer.put_off else 0
        one.why = answer.put_off if one.put_offs >= PUT_OFFS else {}
        one.failures = one.failures + 1 if answer.unread and answer.may_pass else 0
        if answer.unread and not (len(one.ask.points) == 1 and 0 < one.failures < PUT_OFFS):
            self._may_pass |= answer.may_pass
            self._left.extendleft(reversed(self._cut(one, answer.unread)))

    def note_silence(self, why: str) -> None:
        """It was not answered; whether that speaks against the ask or the device is said at the end."""
        if self._asked:
            self._asked.is_answered = False
            self._unanswered.append((self._asked, why))

    def end(self, now_s: float, *, is_silent: bool) -> None:
        """Enough for now. Asks that were not answered while others were count; a silent device blames none."""
        for one, why in () if is_silent else self._unanswered:
            self._blame(one, why, now_s)
        self._unanswered.clear()

    def note_round(self) -> bool:
        """The round is over; whether other points than before cannot be read."""
        unread = dict(self._refused)
        for one in self._standings:
            unread.update(one.why)
        is_new, self._unread = unread != self._unread, unread
        return is_new

    def note_return(self, now_s: float) -> None:
        """The device or its bus is back: it may be another device, or another firmware."""
        self._retry_s = FIRST_RETRY_S / 2  # asked now, and then after a minute
        self._begun_s = now_s - self._retry_s

    def _fill(self, now_s: float) -> None:
        if not (self._refused or self._is_cut):
            self._retry_s, self._begun_s = FIRST_RETRY_S, now_s
        elif now_s - self._begun_s >= self._retry_s:
            is_soon_over = self._may_pass or not self._standings
            self._retry_s = min(2 * self._retry_s, LAST_PAUSE_S if is_soon_over else LAST_RETRY_S)
            self._start_over(now_s)
        due = [one for one in self._standings if one.not_before_s <= now_s]
        self._left.extend(sorted(due or self._standings, key=lambda one: not one.is_answered))

    def _probe(self) -> None:
        """Nothing that is left was answered the last time: in front of it the device is asked for one point.

        It may be deaf to long blocks only, or to some registers: each time it is another point.
        """
        self._points.rotate(-1)
        probes = self._planned([self._points[0]])
        if probes[0].ask != self._left[0].ask:
            self._left.extendleft(probes)

    def _start_over(self, now_s: float) -> None:
        self._begun_s, self._is_cut, self._may_pass = now_s, False, False
        self._refused.clear()
        self._left.clear()
        is_deaf, self._is_deaf = self._is_deaf, False
        self._standings = self._planned(self._device.places, is_answered=not is_deaf)

    def _planned(self, points: Collection[str], *, is_answered: bool = True) -> list[_Standing]:
        return [_Standing(ask, is_answered) for ask in self._driver.plan(self._device, points)] if points else []

    def _blame(self, one: _Standing, why: str, now_s: float) -> None:
        one.silences += 1
        if one.silences < PATIENCE:
            return
        if len(one.ask.points) > 1:
            self._is_deaf = True
            for part in self._cut(one, dict.fromkeys(one.ask.points, why)):
                part.is_answered, part.why = False, dict.fromkeys(part.ask.points, why)
                part.silences = PATIENCE - 1 if len(part.ask.points) > 1 else 0
        else:
            one.why = dict.fromkeys(one.ask.points, why)
            one.not_before_s = now_s + min(FIRST_PAUSE_S * 2.0 ** min(one.silences - PATIENCE, 10), LAST_PAUSE_S)

    def _cut(self, one: _Standing, refused: Mapping[str, str]) -> list[_Standing]:
        """What is asked in its place: halves of what was refused, and the rest; a point refused alone is given up."""
        if one not in self._standings:  # a probe
            return []
        bad = [point for point in one.ask.points if point in refused]
        rest = [point for point in one.ask.points if point not in refused]
        if len(one.ask.points) == 1:
            self._refused.update(refused)
        half = 0 if len(one.ask.points) == 1 else (len(bad) + 1) // 2
        parts = self._planned(rest) + self._planned(bad[:half]) + self._planned(bad[half:] if half else ())
        place = self._standings.index(one)
        self._standings[place : place + 1] = parts
        self._is_cut = True
        return parts
