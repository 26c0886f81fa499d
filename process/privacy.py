"""What a process keeps is for its own account alone."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from facility.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def keep_files_private() -> None:
    """Files made from now on are graded data and secrets: nobody else may read them."""
    os.umask(0o077)


def check_private(folder: Path) -> None:
    """Raise ``ConfigError``, with the command that mends it, for a data folder in which others may put and take files.

    Where everybody may write and nobody may touch the files of others (the sticky bit), as in /tmp, ours are safe.
    """
    try:
        mode = folder.stat().st_mode
    except OSError:  # it is not there yet, or cannot be reached: told elsewhere
        return
    if mode & OTHERS_WRITE and not mode & stat.S_ISVTX:
        raise ConfigError(f"others may write in the data folder {folder}: chmod 700 {folder}")
