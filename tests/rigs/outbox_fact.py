"""What an agent's outbox says of itself while the agent runs."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def fact(outbox: Path, name: str) -> int:
    """``newest`` is the number of the newest row, ``store_hw`` that up to which rows are stored; 0 before the first."""
    try:
        with sqlite3.connect(f"file:{outbox}?mode=ro", uri=True) as db:
            return int(dict(db.execute("SELECT name, value FROM fact")).get(name, 0))
    except sqlite3.OperationalError:
        return 0
