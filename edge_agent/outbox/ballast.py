"""The ballast: room on disk that is given up when the disk is full, so that what is stored can be deleted."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()


class Ballast:
    """A file without contents. SQLite needs room even to delete (measured: reliability, 7.4)."""

    def __init__(self, folder: Path, size: int) -> None:
        self._path, self.size = folder / "ballast", size

    def is_there(self) -> bool:
        """Whether it could be given up now."""
        return self._path.exists()

    def keep(self) -> None:
        """Take the room, if the disk has more than enough of it."""
        folder = self._path.parent
        if not self.size or self.is_there() or shutil.disk_usage(folder).free < 2 * self.size:
            return
        fresh = self._path.with_suffix(".new")
        try:
            with fresh.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self.size)
            fresh.rename(self._path)
        except OSError as error:
            log.warning("ballast_not_kept", error=error.strerror)
            fresh.unlink(missing_ok=True)

    def drop(self) -> None:
        """Give the room up."""
        self._path.unlink(missing_ok=True)
