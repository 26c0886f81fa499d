"""Where log lines go: standard error, or a file of our own. A file is bounded, and a full disk stops no process."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 10 * 2**20
KEPT = 3
"""So many older files stand beside the one that is written: ``NAME.1`` is the youngest of them."""

WHERE = "METERHOUSE_LOG_FILE"


class LogStream:
    """Takes whole lines. What cannot be written is counted and left out: the work that a line tells of goes on.

    A log line is written in the midst of everything. Where writing one could fail, a full disk or a reader that went
    away would break whatever was being done.
    """

    def __init__(self, path: Path | None = None, most_bytes: int = MOST_BYTES) -> None:
        """``path`` None is standard error. Raises ``ConfigError`` where the file cannot be opened."""
        self._path, self._most_bytes = path, most_bytes
        self._lock = threading.Lock()
        self._lost = 0
        self._file = -1
        if path is not None:
            try:
                self._file = _open(path)
            except OSError as error:
                what = f"{path} cannot be written: {error.strerror}"
                raise ConfigError(Problem(WHERE, what, "a file in a folder that we may write to")) from None

    def write(self, lines: str) -> int:
        """One line or several, each with its end."""
        with self._lock:
            try:
                if self._lost:
                    self._put(_lost_line(self._lost))
                    self._lost = 0
                self._put(lines)
            except (OSError, ValueError):  # ValueError: standard error was closed
                self._lost += 1
        return len(lines)

    def flush(self) -> None:
        """Nothing is held back."""

    def _put(self, lines: str) -> None:
        if self._path is None:
            if sys.stderr is not None:  # it is where whoever started us closed it
                sys.stderr.write(lines)
                sys.stderr.flush()
            return
        encoded = lines.encode("utf-8", "backslashreplace")
        self._make_room(self._path, len(encoded))
        os.write(self._file, encoded)

    def _make_room(self, path: Path, more: int) -> None:
        """Begin a new file where this one is full. Another process that writes to the same may have done so."""
        if self._file < 0 or not _is_at(self._file, path):
            self._reopen(path)
        if os.fstat(self._file).st_size + more <= self._most_bytes:
            return
        fcntl.flock(self._file, fcntl.LOCK_EX)
        if _is_at(self._file, path):
            _age(path)
            path.replace(_older(path, 1))
        self._reopen(path)

    def _reopen(self, path: Path) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1  # should opening fail, the next line tries again
        self._file = _open(path)


def bound_log(path: Path, most_bytes: int = MOST_BYTES) -> bool:
    """Put what a file holds aside and begin it anew where it is full; whoever writes appends, and goes on.

    It is for logs that other programs hold open. Lines that are written meanwhile are lost. True where it was done.
    """
    try:
        if path.stat().st_size <= most_bytes:
            return False
        _age(path)
        with suppress(OSError):  # no room for a copy: then there is none for the log either
            shutil.copyfile(path, _older(path, 1))
        os.truncate(path, 0)
    except OSError:
        return False
    return True


def _age(path: Path) -> None:
    """Every older file is one older now, and the oldest is gone."""
    for n in range(KEPT, 1, -1):
        with suppress(OSError):
            _older(path, n - 1).replace(_older(path, n))


def _older(path: Path, n: int) -> Path:
    return path.with_name(f"{path.name}.{n}")


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _is_at(file: int, path: Path) -> bool:
    """Whether the open file is still the one of this name."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(file), path.stat())
    return False


def _lost_line(lost: int) -> str:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return f"timestamp={now} level=warning event=log_lines_lost lines={lost}\n"
