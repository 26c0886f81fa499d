"""A lock that lets one process at a time have a folder or a file."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from facility.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


class FileLock:
    """Held from its making until ``release``, or until the process ends, however it ends."""

    def __init__(self, path: Path, taken: str) -> None:
        """Raises ``ConfigError``: ``taken`` where another process has it, or that its folder cannot be written."""
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(f"the data folder {path.parent} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise ConfigError(taken) from None

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._fd)
