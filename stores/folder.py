"""The folder that a store's file lies in: checked before anything is opened."""

from __future__ import annotations

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
