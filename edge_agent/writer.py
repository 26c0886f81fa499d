"""Group commit: readings of all buses wait together for at most a moment, then go to disk in one transaction."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

import structlog

from edge_agent.clock import EARLIEST_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_agent.clock import ReadingClock
    from edge_agent.outbox.outbox import Outbox, Sample

log = structlog.get_logger()

ENOUGH_ROWS = 500
MOST_WAITING = 100_000
RETRY_S = 1.0


class Writer:
    """Takes samples from any thread and commits them within ``commit_s``, or sooner when there are enough.

    Samples with a time since boot are held on disk until the clock is right, and are dated then.
    """

    def __init__(
        self, outbox: Outbox, on_commit: Callable[[], None], clock: ReadingClock, boot: str, *, commit_s: float = 0.5
    ) -> None:
        self._outbox, self._on_commit, self._commit_s = outbox, on_commit, commit_s
        self._clock, self._boot = clock, boot
        self._waiting: list[Sample] = []
        self._changed = threading.Condition()
        self._stopping = False
        self.lost = self._buried = self.rounds = 0
        self.is_failing = False
        self._thread = threading.Thread(target=self._run, name="outbox-writer")

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def put(self, samples: Sequence[Sample]) -> None:
        """Take samples. On a full disk the newest wait in memory, and security states longest.

        What is lost gets a tombstone later.
        """
        with self._changed:
            self._waiting.extend(samples)
            if (excess := len(self._waiting) - MOST_WAITING) > 0:
                self.lost += self._make_room(excess + MOST_WAITING // 100)  # some more: rarely done
            self._changed.notify()

    def _make_room(self, excess: int) -> int:
        """Let the oldest go, telemetry first; how many went."""
        order = sorted(range(len(self._waiting)), key=lambda i: self._outbox.is_kept(self._waiting[i][0]))
        gone = {*order[:excess]}
        self._waiting = [sample for i, sample in enumerate(self._waiting) if i not in gone]
        return len(gone)

    @property
    def is_alive(self) -> bool:
        """Whether our thread runs."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Commit what waits and end. On a full disk it is tried twice: the first failure may have made room."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self.rounds += 1
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping, RETRY_S)
                if not self._stopping:
                    self._changed.wait_for(self._enough, RETRY_S if self.is_failing else self._commit_s)
                samples, self._waiting = self._waiting, []
                stopping = self._stopping
            if not self._commit(samples) and samples:
                with self._changed:
                    self._waiting[:0] = samples
            if stopping:
                if self._waiting and not self._commit(self._waiting):
                    log.error("readings_lost", rows=len(self._waiting) + self.lost - self._buried)
                return

    def _enough(self) -> bool:
        return self._stopping or (len(self._waiting) >= ENOUGH_ROWS and not self.is_failing)

    def _commit(self, samples: list[Sample]) -> bool:
        try:
            is_new = self._write(samples)
        except sqlite3.OperationalError as error:  # a broken file ends the agent: its next start heals it
            if not self.is_failing:
                log.warning("outbox_cannot_write", error=str(error), waiting=len(samples))
            self.is_failing = True
            return False
        if self.is_failing:
            log.info("outbox_writes_again")
        self.is_failing = False
        if is_new:
            self._on_commit()
        return True

    def _write(self, samples: list[Sample]) -> bool:
        """Undated samples first: they are older. Those that are on disk leave ``samples``. True if numbers are new."""
        lost = self.lost - self._buried
        if lost:  # older than all that wait
            self._outbox.give_up(lost, "disk_full")
            self._buried += lost
        undated = [sample for sample in samples if sample[1] < EARLIEST_MS]
        dated = [sample for sample in samples if sample[1] >= EARLIEST_MS]
        if undated:
            self._outbox.hold(self._boot, undated)
            samples[:] = dated
        offset_ms = self._clock.offset_ms()
        is_new = bool(lost)
        while offset_ms is not None and self._outbox.release(self._boot, offset_ms, self._clock.now_ms()):
            is_new = True
        if dated:
            self._outbox.commit(dated)
        return is_new or bool(dated)
