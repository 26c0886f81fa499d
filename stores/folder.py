"""The folder that a store's file lies in: checked before anything is opened."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from facility.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def check_folder(path: Path) -> None:
    """Raise ``ConfigError`` where the folder of ``path`` is missing or may not be written."""
    folder = path.parent
    if os.access(folder, os.W_OK | os.X_OK) and folder.is_dir():
        return
    fault = "is read-only" if os.access(folder, os.F_OK) else "does not exist or may not be entered"
    raise ConfigError(f"the folder {folder} for {path.name} {fault}")


class FolderLock:
    """Lets one process at a time have a folder. The lock goes with the process, however it ends."""

    def __init__(self, folder: Path, what: str) -> None:
        """Raises ``ConfigError`` where another process has it, or where the folder cannot be written."""
        try:
            self._fd = os.open(folder / f"{what}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(f"the data folder {folder} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise ConfigError(f"another {what} process already uses the data folder {folder}") from None

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._fd)
