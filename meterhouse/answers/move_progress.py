"""How far a move between two stores is: one line that is drawn anew on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress as Drawn
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from meterhouse.output import speaks_json, texts

if TYPE_CHECKING:
    from typing import Self

    from stores.readings.migrate import CopyProgress

PRINTED_EVERY_S = 5.0


def _words(progress: CopyProgress) -> str:
    """``copying points: 3 of 200, 1,234,567 rows``."""
    t = texts()
    doing = t(f"move.{progress.doing}")
    counts = {"done": f"{progress.done:,}", "of": f"{progress.of:,}", "rows": f"{progress.rows:,}"}
    return t("cli.move.progress", doing=doing, **counts) if progress.of else doing


class MoveProgress:
    """Context manager. On a terminal its line moves even while a store takes long to answer."""

    def __init__(self) -> None:
        self._console = Console(quiet=speaks_json())
        self._line = Drawn(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._line.add_task("")
        self._doing, self._next_s = "", 0.0

    def tell(self, progress: CopyProgress) -> None:
        """Draw it, or print it: at the beginning and the end of each thing that is done, and every few seconds."""
        words = _words(progress)
        self._line.update(self._task, description=words)
        is_edge = progress.doing != self._doing or progress.done == progress.of
        if not self._console.is_terminal and (is_edge or time.monotonic() >= self._next_s):
            self._doing, self._next_s = progress.doing, time.monotonic() + PRINTED_EVERY_S
            self._console.print(words, markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._line.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last line on the screen."""
        self._line.stop()
