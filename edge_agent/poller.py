"""Asks the devices of one bus in turn: each at its own pace, and the silent ones ever more rarely."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from random import uniform
from typing import TYPE_CHECKING, Any

import structlog

from edge_agent.drivers.base import BusDownError, NoAnswerError, bus_state
from edge_agent.pace import next_due, offset_of
from edge_agent.questions import Questions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_agent.devices import Device
    from edge_agent.drivers.base import AskingDriver, BusSeat
    from edge_agent.outbox.outbox import Sample
    from facility.errors import DriverError
    from facility.model import Quality

log = structlog.get_logger()

FIRST_DELAY_S, LAST_DELAY_S = 2.0, 300.0
BUS_LAST_DELAY_S = 30.0
LEAST_OF_DELAY = 0.75
"""Buses that went down together (a switch, a gateway of many) come back one after another, not all in one moment."""

LONGEST_WAIT_S = 5.0
"""It comes round although nothing is due: a poller that waits is well, one that hangs is not."""

DEADLINE_TIMEOUTS = 5
"""One poll of one device takes at most this many timeouts of its bus; what is left is asked after its neighbours."""

MOST_SILENCES = 2
"""After so many asks in a row that were not answered, a device that answered before is left alone for now."""

MOST_SLIPS = 3
"""A device whose polls were dropped so often in a row is told of: none of its points can be read."""

JUST_WORKED = -1
"""Failures of a bus that works: the first is not told, for many a device needs a moment between connections."""

SHARE = 50.0
"""Where silent devices cannot be asked in spare time, they get this part of the bus's time."""


@dataclass
class Turn:
    """A device and its place in time: when its round is ``due`` and it is asked ``next_s``; how often it was silent.

    ``cost_s`` is how long its last silence took; ``is_known``: it has answered before. ``slips`` is how many of its
    polls were dropped in a row, and ``why``.
    """

    device: Device
    questions: Questions
    due: float
    next_s: float
    cost_s: float
    failures: int = 0
    slips: int = 0
    why: str = ""
    is_known: bool = False


class Poller:
    """One thread for one bus. What its devices are asked is the driver's: here are asks, values and time."""

    def __init__(self, driver: AskingDriver[Any], seat: BusSeat) -> None:
        self._driver, self._seat = driver, seat
        begin = seat.monotonic()
        planned = [(device, Questions(driver, device, begin)) for device in seat.devices if device.places]
        self.turns = [Turn(device, asked, begin, begin, seat.bus.timeout_s) for device, asked in planned]
        self._wake, self._offset_s = threading.Event(), offset_of(seat.bus.id)
        self._stopping = self._paused = False
        self._bus_failures = self.rounds = self._known_first = 0
        self._bus_free_at = self._silent_allowed_at = begin
        self._thread = threading.Thread(target=self._run, name=f"bus-{seat.bus.id}")

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether our thread runs."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End after the request that is under way."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        self._driver.close()

    def pause(self, *, paused: bool) -> None:
        """Ask nobody, or go on."""
        self._paused = paused
        self._wake.set()

    def state(self) -> str:
        """``ok``, or who is silent and which points cannot be read, or that the bus is down."""
        if self._paused:
            return "paused"
        if self._bus_failures > 0:
            return "down"
        return bus_state([turn.device.meter.id for turn in self.turns if turn.failures], self.unread())

    @property
    def is_mute(self) -> bool:
        """Whether the bus is down, or everybody on it is silent."""
        silent = [turn.failures > 0 for turn in self.turns]
        return not self._paused and (self._bus_failures > 0 or (bool(silent) and all(silent)))

    def unread(self) -> Mapping[str, str]:
        """Why each point that cannot be read cannot be, by point id."""
        unread: dict[str, str] = {}
        for turn in self.turns:
            unread |= turn.questions.unread()
            if turn.slips >= MOST_SLIPS:
                unread |= dict.fromkeys(turn.device.places, turn.why)
        return unread

    def _run(self) -> None:
        while not self._stopping:
            self.rounds += 1
            turn = self._whose_turn(self._seat.monotonic())
            if turn is None or self._paused:
                self._wait(LONGEST_WAIT_S)
                continue
            wait_s = max(turn.next_s, self._bus_free_at) - self._seat.monotonic()
            if wait_s > 0:
                self._wait(min(wait_s, LONGEST_WAIT_S))
                continue
            self.poll(turn)

    def _whose_turn(self, now_s: float) -> Turn | None:
        """Who is next: of those that answer the one that waits longest, and a silent one where it delays nobody.

        On a bus that has no spare time for them, the silent ones get a small share of it all the same.
        """
        sound = [turn for turn in self.turns if not turn.failures]
        if self._known_first > 0:  # nobody knows who else is silent: those that are known wait no longer
            sound = [turn for turn in sound if turn.is_known and turn.next_s <= now_s] or sound
        well = min(sound, key=_next_s, default=None)
        silent = min((turn for turn in self.turns if turn.failures), key=_next_s, default=None)
        if silent is None or well is None:
            return well or silent
        if silent.next_s > now_s:
            return min(well, silent, key=_next_s)
        fits = well.next_s - now_s >= silent.cost_s
        return silent if fits or now_s >= self._silent_allowed_at else well

    def _wait(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()

    def poll(self, turn: Turn) -> None:
        """Ask one device; what it says before it fails is kept. The time of all its readings is the poll's."""
        started_s, stamp = self._seat.monotonic(), self._seat.stamp()
        samples: list[Sample] = []
        turn.questions.begin(started_s)
        try:
            silence = self._ask(turn, samples, started_s, stamp)
            self._confirm(turn, samples)
        except BusDownError as error:
            self._confirm(turn, samples)
            turn.questions.give_back()
            self._note_bus_down(error)
        else:
            if silence is None:
                self._note_answer(turn, started_s)
            else:
                self._note_silence(turn, silence, started_s)
        finally:
            if samples:
                self._seat.put(samples)

    def _ask(
        self, turn: Turn, samples: list[Sample], started_s: float, stamp: tuple[int, Quality]
    ) -> NoAnswerError | None:
        """What is left of its round, as far as time allows; the last silence, if it answered nothing at all."""
        (t_ms, quality), questions = stamp, turn.questions
        silences: list[NoAnswerError] = []
        deadline_s = started_s + DEADLINE_TIMEOUTS * self._seat.bus.timeout_s
        is_heard = questions.is_round_over  # it refuses everything
        while not questions.is_round_over and self._seat.monotonic() <= deadline_s:
            try:
                answer = self._driver.answer(questions.take())
            except NoAnswerError as error:
                questions.note_silence(str(error))
                silences.append(error)
                if not is_heard or len(silences) == MOST_SILENCES:
                    break
                continue
            is_heard = True
            self._bus_works()
            silences.clear()
            questions.note_answer(answer)
            samples.extend((point, t_ms, value, quality) for point, value in answer.values.items())
        questions.end(self._seat.monotonic(), is_silent=not is_heard)
        return None if is_heard else silences[-1]

    def _confirm(self, turn: Turn, samples: list[Sample]) -> None:
        """Take back what may be another's answer. Who answers so again and again is told of."""
        try:
            self._driver.confirm(turn.device)
        except NoAnswerError as error:
            samples.clear()
            turn.slips, turn.why = turn.slips + 1, str(error)
            log.warning("poll_dropped", meter=turn.device.meter.id, error=str(error), in_a_row=turn.slips)
        else:
            turn.slips = 0

    def _note_bus_down(self, error: DriverError) -> None:
        self._bus_failures += 1
        if self._bus_failures == 1:
            log.warning("bus_down", bus=self._seat.bus.id, error=str(error))
        delay_s = min(FIRST_DELAY_S * 2.0 ** min(self._bus_failures - 1, 10), BUS_LAST_DELAY_S)
        delay_s *= uniform(LEAST_OF_DELAY, 1.0)  # noqa: S311 - nobody gains by guessing it
        self._bus_free_at = self._seat.monotonic() + delay_s

    def _bus_works(self) -> None:
        if self._bus_failures > 0:
            log.info("bus_up", bus=self._seat.bus.id)
            for turn in self.turns:
                turn.questions.note_return(self._seat.monotonic())
        self._bus_failures = JUST_WORKED

    def _note_silence(self, turn: Turn, error: DriverError, started_s: float) -> None:
        self._bus_works()
        self._known_first = sum(one.is_known for one in self.turns)
        if not turn.failures:
            log.warning("device_silent", meter=turn.device.meter.id, error=str(error))
        now_s = self._seat.monotonic()
        if turn.failures and min((_next_s(one) for one in self.turns if not one.failures), default=now_s) < now_s:
            self._silent_allowed_at = now_s + SHARE * (now_s - started_s)
        delay_s = min(FIRST_DELAY_S * 2.0 ** min(turn.failures, 10), LAST_DELAY_S)
        turn.failures += 1
        turn.cost_s = now_s - started_s
        turn.due = turn.next_s = now_s + delay_s

    def _note_answer(self, turn: Turn, started_s: float) -> None:
        self._bus_works()
        self._known_first -= 1
        if turn.failures:
            log.info("device_answers", meter=turn.device.meter.id, after_failures=turn.failures)
            turn.questions.note_return(started_s)
        turn.failures, turn.is_known = 0, True
        if not turn.questions.is_round_over:
            turn.next_s = self._seat.monotonic()  # whoever is due comes first
            return
        if turn.questions.note_round():
            unread = turn.questions.unread()
            why = "; ".join(dict.fromkeys(unread.values())) or "no more"
            log.warning("device_refuses", meter=turn.device.meter.id, error=why, points=len(unread))
        turn.due = turn.next_s = next_due(
            turn.due,
            started_s,
            self._seat.monotonic(),
            poll_s=turn.device.meter.poll_s,
            wall_ms=self._seat.stamp()[0],
            offset_s=self._offset_s,
        )


def _next_s(turn: Turn) -> float:
    return turn.next_s
