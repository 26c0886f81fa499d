"""An outbox put back to an older copy, as by the image of an SD card: read on offline, under numbers that were used."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from chaos.evidence import held_readings

if TYPE_CHECKING:
    from chaos.readings import Issued

WITH_IT = ("", "-wal", "-shm")
"""SQLite's files of one database."""


class Lost(NamedTuple):
    """The ``live`` readings of the file that is gone, and what comes ``again`` of the copy: point and time."""

    live: list[Issued]
    again: set[tuple[str, int]]


def copy_of(outbox: Path) -> Path:
    """An older copy, taken while the agent works."""
    copy = outbox.with_name("older.db")
    source = sqlite3.connect(f"file:{outbox}?mode=ro", uri=True, timeout=5)
    with closing(source), closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def put_back(outbox: Path, copy: Path) -> Lost:
    """Put the copy in the place of a dead agent's file. What the copy holds is sent again under a new epoch."""
    lost, again = held_readings(outbox), held_readings(copy)
    for end in WITH_IT:
        Path(f"{outbox}{end}").unlink(missing_ok=True)
    shutil.move(copy, outbox)
    return Lost([one for one, is_live in lost if is_live], {one[:2] for one, _ in again})
