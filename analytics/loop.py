"""A thread that goes round for ever: one that fails is counted and told, and goes round again."""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import TYPE_CHECKING

import structlog

from facility.errors import ConfigError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.metrics import Rounds

log = structlog.get_logger()


class Loop:
    """Does one thing again and again. ``turn`` says whether there is more to do at once."""

    def __init__(self, name: str, turn: Callable[[], bool], rounds: Rounds, pause_s: float = 0.0) -> None:
        """``pause_s`` is the time between two turns that leave nothing to do."""
        self._name, self._turn, self._rounds, self._pause_s = name, turn, rounds, pause_s
        self.failures, self.failure_words = 0, ""
        self.mistake: ConfigError | None = None
        """What a person must change, which ended this loop."""

        self._moved_s = time.monotonic()
        self._thread: Thread | None = None

    @property
    def still_s(self) -> float:
        """For how long it has not come round."""
        return time.monotonic() - self._moved_s

    def start(self, stop: Event) -> None:
        """Go round in a thread of its own, until told to stop."""
        self._thread = Thread(target=self._run, args=(stop,), name=self._name, daemon=True)
        self._thread.start()

    def join(self, limit_s: float | None = None) -> None:
        """Wait for the end, or for so long."""
        if self._thread is not None:
            self._thread.join(limit_s)

    def go_round(self) -> bool:
        """Once; raises nothing but ``ConfigError``."""
        has_more = False
        try:
            has_more = self._turn()
        except ConfigError:
            raise
        except Exception as error:
            self._rounds.fail()
            words = f"{type(error).__name__}: {error}"
            if not isinstance(error, StoreUnavailable):
                log.exception("analytics_failed", loop=self._name)
            elif not self.failures or words != self.failure_words:  # records that stay away are told once
                log.warning("analytics_waits", loop=self._name, error=words)
            self.failures, self.failure_words = self.failures + 1, words
        else:
            self.failures = 0
        self.moved()
        return has_more

    def moved(self) -> None:
        """There is progress within a turn."""
        self._moved_s = time.monotonic()

    def _run(self, stop: Event) -> None:
        while not stop.is_set():
            try:
                if not self.go_round():
                    stop.wait(self._pause_s)
            except ConfigError as mistake:
                self.mistake = mistake
                return
