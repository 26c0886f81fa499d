"""How far the parts have come, read beside them without touching what a crash leaves behind.

Files are opened read-only, and only while their owner lives: a second connection that may write would recover and
tidy the write-ahead log of a process that was killed, which is the owner's own test.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from chaos.topology import Topology


TAKEN_IN = "SELECT TOTAL(readings) FROM total WHERE name IN ('stored', 'quarantined')"


@dataclass(frozen=True, slots=True)
class Progress:
    """``newest`` and ``freed`` of the outbox, readings ``taken_in`` by ingest, bytes ``carried`` to the broker."""

    newest: int = 0
    freed: int = 0
    taken_in: int = 0
    carried: int = 0


def look(topology: Topology, before: Progress) -> Progress:
    """Where all parts stand; what cannot be seen now is as it was ``before``."""
    facts, taken_in = {}, []
    if topology.parts["edge"].is_alive:
        facts = dict(_ask(topology.outbox, "SELECT name, value FROM fact"))
    if topology.parts["ingest"].is_alive:
        taken_in = _ask(topology.ingest / "ingest.db", TAKEN_IN)
    return Progress(
        newest=int(facts.get("newest", before.newest)),
        freed=int(facts.get("store_hw", before.freed)),
        taken_in=int(taken_in[0][0]) if taken_in else before.taken_in,
        carried=topology.link.carried,
    )


def _ask(path: Path, query: str) -> list[tuple]:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as db:
            return db.execute(query).fetchall()
    except sqlite3.OperationalError:  # not made yet
        return []
