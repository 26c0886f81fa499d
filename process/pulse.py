"""The pulse of a process: a file that it touches while it makes progress, so that whoever started it sees it hang."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from facility.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BEAT_S = 1.0


def pulse_file(folder: Path, process: str) -> Path:
    """Where a process of this name shows its pulse."""
    return folder / f"{process}.pulse"


class Pulse:
    """Beats at most once a second, however often it is told to."""

    def __init__(self, folder: Path, process: str, monotonic: Callable[[], float]) -> None:
        """Raises ``ConfigError`` for a folder that is not there: a pulse that nobody can see is missed too late."""
        if not folder.is_dir():
            raise ConfigError(f"the data folder {folder} does not exist or may not be entered")
        self._path, self._monotonic = pulse_file(folder, process), monotonic
        self._beat_s = float("-inf")

    def still_s(self) -> float:
        """For how long it has not beaten; 0 before the first beat, for then nothing is expected yet."""
        return max(self._monotonic() - self._beat_s, 0.0) if self._beat_s != float("-inf") else 0.0

    def beat(self) -> None:
        """There is progress."""
        now_s = self._monotonic()
        if now_s - self._beat_s >= BEAT_S:
            self._beat_s = now_s
            with suppress(OSError):  # a full disk: before its first beat nothing is expected of us
                self._path.touch()
