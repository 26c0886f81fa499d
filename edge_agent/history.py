"""Replay through the outbox, and how much of the history has been stored: told with the agent's status."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from edge_agent.drivers.replay import ReplayDriver
from edge_agent.outbox.outbox import BACKLOG
from edge_agent.outbox.reader import Played
from facility.errors import DriverError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_agent.outbox.outbox import Outbox, Sample

LOOK_S = 1.0


class History:
    """Plays a folder and knows how far it is."""

    def __init__(
        self,
        folder: Path,
        outbox: Outbox,
        on_commit: Callable[[], None],
        *,
        most_unstored_rows: int,
    ) -> None:
        """Recordings wait in their files while ``most_unstored_rows`` wait in the outbox: its bound would drop them."""
        self._outbox, self._on_commit = outbox, on_commit
        progress = outbox.reader.progress()
        self._rows = {name: each.rows for name, each in progress.items()}
        self._most_unstored_rows = most_unstored_rows
        self._look_at, self._is_open = 0.0, True
        self.driver = ReplayDriver(folder, self._lines, self._play, self._has_room)
        self.driver.look()  # what is still to come is known before the first status is told

    def has_just_arrived(self, now: float) -> bool:
        """Whether the last row was stored since the last look; looks once a second, for counting rows takes a while."""
        if now < self._look_at:
            return False
        self._look_at = now + LOOK_S
        was_open, self._is_open = self._is_open, bool(self.figures()["history_open"])
        return was_open and not self._is_open

    def figures(self) -> dict[str, float]:
        """Rows promised, and stored by the server; ``history_open`` is 0 when all files are played and stored."""
        promised, unstored = self.driver.rows(), self._outbox.unstored_backlog()
        rows, played = sum(promised.values()), sum(self._rows.get(name, 0) for name in promised)
        is_played = not self.driver.failure and (played >= rows or self.driver.is_finished())
        return {
            "history_rows": rows,
            "history_stored": max(played - unstored, 0),
            "history_open": float(not is_played or unstored > 0),
        }

    def _lines(self) -> dict[str, int]:
        return {name: each.lines for name, each in self._outbox.reader.progress().items()}

    def _has_room(self) -> bool:
        return self._outbox.newest - self._outbox.store_hw < self._most_unstored_rows

    def _play(self, samples: list[Sample], file: str, line: int) -> None:
        rows = self._rows.get(file, 0) + len(samples)
        try:
            self._outbox.commit(samples, BACKLOG, Played(file, line, rows))
        except sqlite3.Error as error:
            raise DriverError(f"the outbox cannot be written: {error}") from None
        self._rows[file] = rows
        self._on_commit()
