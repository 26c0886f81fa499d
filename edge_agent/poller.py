"""Asks the devices of one bus in turn: each at its own pace, and the silent ones ever more rarely."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from edge_agent.drivers.base import BusDownError, NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_agent.devices import Device
    from edge_agent.drivers.base import Ask, AskingDriver, BusSeat
    from edge_agent.outbox.outbox import Sample
    from facility.errors import DriverError
    from facility.model import Quality

log = structlog.get_logger()

FIRST_DELAY_S, LAST_DELAY_S = 2.0, 300.0
BUS_LAST_DELAY_S = 30.0
LONGEST_WAIT_S = 5.0
"""It comes round although nothing is due: a poller that waits is well, one that hangs is not."""

DEADLINE_TIMEOUTS = 5
"""One poll of one device takes at most this many timeouts of its bus, however many asks it takes."""


@dataclass
class Turn:
    """A device and its place in time: what it is asked and when, how often it was silent in a row, what it refuses."""

    device: Device
    asks: Sequence[Ask]
    due: float
    failures: int = 0
    unread: Mapping[str, str] = field(default_factory=dict)


class Poller:
    """One thread for one bus. What its devices are asked is the driver's: here are asks, values and time."""

    def __init__(self, driver: AskingDriver[Any], seat: BusSeat) -> None:
        self._driver, self._seat = driver, seat
        begin = seat.monotonic()
        planned = [(device, driver.plan(device, device.places)) for device in seat.devices]
        self.turns = [Turn(device, asks, begin) for device, asks in planned if asks]
        self._wake = threading.Event()
        self._stopping = self._paused = False
        self._bus_failures = self.rounds = 0
        self._bus_free_at = begin
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
        """``ok``, or who is silent, or that the bus is down."""
        if self._paused:
            return "paused"
        if self._bus_failures:
            return "down"
        silent = [turn.device.meter.id for turn in self.turns if turn.failures]
        return f"silent: {', '.join(silent)}" if silent else "ok"

    def _run(self) -> None:
        while not self._stopping:
            self.rounds += 1
            turn = min(self.turns, key=lambda one: one.due, default=None)
            if turn is None or self._paused:
                self._wait(LONGEST_WAIT_S)
                continue
            wait_s = max(turn.due, self._bus_free_at) - self._seat.monotonic()
            if wait_s > 0:
                self._wait(min(wait_s, LONGEST_WAIT_S))
                continue
            self.poll(turn)

    def _wait(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()

    def poll(self, turn: Turn) -> None:
        """Ask one device; what it says before it fails is kept. The time of all its readings is the poll's."""
        started, stamp = self._seat.monotonic(), self._seat.stamp()
        samples: list[Sample] = []
        try:
            self._ask(turn, samples, started, stamp)
        except BusDownError as error:
            self._note_bus_down(error)
            return
        except NoAnswerError as error:
            self._note_silence(turn, error)
        else:
            self._note_answer(turn, started)
        finally:
            if samples:
                self._seat.put(samples)

    def _ask(self, turn: Turn, samples: list[Sample], started: float, stamp: tuple[int, Quality]) -> None:
        t_ms, quality = stamp
        deadline = started + DEADLINE_TIMEOUTS * self._seat.bus.timeout_s
        unread: dict[str, str] = {}
        for ask in turn.asks:
            if self._seat.monotonic() > deadline:
                raise NoAnswerError(f"unit {turn.device.meter.unit}: too slow for {len(turn.asks)} asks")
            answer = self._driver.answer(ask)
            samples.extend((point, t_ms, value, quality) for point, value in answer.values.items())
            unread |= answer.unread  # it refuses these; it may answer others
        if unread != turn.unread:
            why = "; ".join(dict.fromkeys(unread.values())) or "no more"
            log.warning("device_refuses", meter=turn.device.meter.id, error=why, points=len(unread))
        turn.unread = unread

    def _note_bus_down(self, error: DriverError) -> None:
        if not self._bus_failures:
            log.warning("bus_down", bus=self._seat.bus.id, error=str(error))
        self._bus_failures += 1
        delay_s = min(FIRST_DELAY_S * 2.0 ** min(self._bus_failures - 1, 10), BUS_LAST_DELAY_S)
        self._bus_free_at = self._seat.monotonic() + delay_s

    def _bus_works(self) -> None:
        if self._bus_failures:
            log.info("bus_up", bus=self._seat.bus.id)
        self._bus_failures = 0

    def _note_silence(self, turn: Turn, error: DriverError) -> None:
        self._bus_works()
        if not turn.failures:
            log.warning("device_silent", meter=turn.device.meter.id, error=str(error))
        delay_s = min(FIRST_DELAY_S * 2.0 ** min(turn.failures, 10), LAST_DELAY_S)
        turn.failures += 1
        turn.due = self._seat.monotonic() + delay_s

    def _note_answer(self, turn: Turn, started: float) -> None:
        self._bus_works()
        if turn.failures:
            log.info("device_answers", meter=turn.device.meter.id, after_failures=turn.failures)
        turn.failures = 0
        poll_s = turn.device.meter.poll_s
        # The grid of due times is kept, so that one late poll does not shift all that follow.
        turn.due = turn.due + poll_s if turn.due + poll_s > started else started + poll_s
