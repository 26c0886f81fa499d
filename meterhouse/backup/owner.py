"""Leaves what root writes into a data folder to the account that the folder belongs to, which the server runs as."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def leave_to_owner(made: Path, folder: Path) -> None:
    """Give a file, or a folder with all in it, to the owner of ``folder``; nothing where another than root runs it."""
    if os.geteuid() or not folder.exists() or not made.exists():
        return
    owner = folder.stat()
    for path in (made, *made.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
