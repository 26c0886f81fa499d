"""Replay through the outbox, and the progress file that tells others how much of the history has been stored."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from edge_agent.drivers.replay import ReplayDriver
from edge_agent.outbox.outbox import BACKLOG
from edge_agent.outbox.reader import Played
from facility.errors import DriverError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_agent.outbox.outbox import Outbox, Sample

log = structlog.get_logger()

WRITE_S = 1.0


class History:
    """Plays a folder and keeps ``history.json``. ``tick`` is called by whoever owns the time."""

    def __init__(
        self,
        folder: Path,
        outbox: Outbox,
        progress_file: Path,
        on_commit: Callable[[], None],
        *,
        most_unstored_rows: int,
    ) -> None:
        """Recordings wait in their files while ``most_unstored_rows`` wait in the outbox: its bound would drop them."""
        self._outbox, self._file, self._on_commit = outbox, progress_file, on_commit
        progress = outbox.reader.progress()
        self._rows = {name: each.rows for name, each in progress.items()}
        self._until_ms = int(outbox.reader.fact("replay_until_ms") or 0)
        self._written: dict[str, Any] = {}
        self._write_at = 0.0
        self._is_failing = False
        self._most_unstored_rows = most_unstored_rows
        self.driver = ReplayDriver(folder, self._lines, self._play, self._has_room)

    def tick(self, now: float) -> None:
        """Write the progress file if it is time and something has changed."""
        if now < self._write_at:
            return
        self._write_at = now + WRITE_S
        report = self.report()
        if report == self._written:
            return
        fresh = self._file.with_suffix(".json.new")
        try:
            fresh.write_bytes(msgspec.json.encode(report))
            fresh.replace(self._file)
        except OSError as error:  # a full disk: the figures wait, the readings go on
            if not self._is_failing:
                log.warning("history_cannot_write", error=str(error))
            self._is_failing = True
            return
        self._written, self._is_failing = report, False

    def report(self) -> dict[str, Any]:
        """Rows promised, played and stored by the server; complete when all files are played and stored."""
        finished, rows = self.driver.is_finished(), self.driver.rows()
        played = sum(self._rows.values())
        unstored = self._outbox.unstored_backlog()
        return {
            "until_ms": self._until_ms,
            "complete": finished and unstored == 0,
            "rows": rows,
            "played": played,
            "acked": max(played - unstored, 0),
        }

    def _lines(self) -> dict[str, int]:
        return {name: each.lines for name, each in self._outbox.reader.progress().items()}

    def _has_room(self) -> bool:
        return self._outbox.newest - self._outbox.store_hw < self._most_unstored_rows

    def _play(self, samples: list[Sample], file: str, line: int) -> None:
        rows = self._rows.get(file, 0) + len(samples)
        until_ms = max(self._until_ms, samples[-1][1]) if samples else self._until_ms
        try:
            self._outbox.commit(samples, BACKLOG, Played(file, line, rows), {"replay_until_ms": str(until_ms)})
        except sqlite3.Error as error:
            raise DriverError(f"the outbox cannot be written: {error}") from None
        self._rows[file], self._until_ms = rows, until_ms
        self._on_commit()
