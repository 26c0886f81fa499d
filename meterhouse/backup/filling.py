"""Puts a backup into a volume: a folder that is a place of its own in the system and cannot be exchanged for another.

What stands there cannot be kept beside it, so nothing may: the volume is new, or a restore into it was cut off.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from facility.errors import ConfigError
from meterhouse.up.folder import CUT_OFF


def is_volume(folder: Path) -> bool:
    """Whether it is a place of its own, as a volume of a container is, or a folder that is shown there as well."""
    if not folder.is_dir() or folder.is_symlink():
        return False
    return os.path.ismount(folder) or str(folder.resolve()) in _mounted()


def _mounted() -> set[str]:
    """Every place that the kernel says is one, proc(5): a folder of the same disk looks like any other else."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return {line.split(" ")[4].replace("\\040", " ") for line in lines}


def check_vacant(folder: Path) -> None:
    """Raise ``ConfigError`` where a file lies in it that no restore has brought; folders are an image's own."""
    if (folder / CUT_OFF).exists():
        return
    held = [path.name for path in folder.iterdir() if not path.is_dir()]
    if held:
        raise ConfigError(
            f"{folder} is a volume and holds {held[0]}: a backup goes into a new one, for nothing can be kept beside"
            " it; or name a folder within it by --data"
        )


def fill(new: Path, folder: Path) -> None:
    """Move every file of ``new`` to its place. Raises ``OSError``; whoever comes later then knows that files lack."""
    mark = folder / CUT_OFF
    mark.touch(mode=0o600)
    _flush(folder)
    for path in sorted(new.rglob("*")):
        target = folder / path.relative_to(new)
        if path.is_dir():
            target.mkdir(mode=0o700, exist_ok=True)
        else:
            shutil.move(path, target)  # a folder in it may be a volume again, into which nothing can be renamed
            _flush(target)
    mark.unlink()
    _flush(folder)


def _flush(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
