"""The folder that a demo lives in: an empty one or its own, writable, held by one demo at a time, erased on demand."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from facility.errors import ConfigError
from process.lock import FileLock

if TYPE_CHECKING:
    from pathlib import Path

MARK = "demo.json"
"""What every demo writes first: a folder without it holds somebody else's files."""

LOCK = "demo.lock"


def hold(folder: Path, *, fresh: bool = False) -> FileLock:
    """Make the folder (or, to begin ``fresh``, empty it) and hold it; the lock goes with the process, however it ends.

    Raises ``ConfigError`` with one sentence.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if {LOCK, MARK}.isdisjoint(entries := os.listdir(folder)) and entries:  # noqa: PTH208 - names are enough
            raise ConfigError(f"{folder} holds other files and no demo; choose an empty folder with --data")
        taken = f"a demo already runs in {folder}; stop it, or choose another folder with --data"
        held = FileLock(folder / LOCK, taken)
        if fresh:
            _empty(folder)
    except OSError as error:
        raise ConfigError(f"the data folder {folder} cannot be written: {error.strerror}") from None
    return held


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != LOCK:
            entry.unlink()
