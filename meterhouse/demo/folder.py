"""The folder that a demo lives in: an empty one or its own, writable, held by one demo at a time, erased on demand."""

from __future__ import annotations

import fcntl
import os
import shutil
from typing import TYPE_CHECKING, Literal

from facility.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

MARK = "demo.json"
"""What every demo writes first: a folder without it holds somebody else's files."""

LOCK = "demo.lock"

Begin = Literal["resume", "fresh"]


def hold(folder: Path, begin: Begin = "resume") -> int:
    """Make the folder (or, to begin fresh, empty it) and hold it; the lock goes with the process, however it ends.

    Returns the lock's descriptor. Raises ``ConfigError`` with one sentence.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if {LOCK, MARK}.isdisjoint(entries := os.listdir(folder)) and entries:  # noqa: PTH208 - names are enough
            raise ConfigError(f"{folder} holds other files and no demo; choose an empty folder with --data")
        held = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _lock(held, folder)
        if begin == "fresh":
            _empty(folder)
    except OSError as error:
        raise ConfigError(f"the data folder {folder} cannot be written: {error.strerror}") from None
    return held


def _lock(held: int, folder: Path) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise ConfigError(f"a demo already runs in {folder}; stop it, or choose another folder with --data") from None


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != LOCK:
            entry.unlink()
