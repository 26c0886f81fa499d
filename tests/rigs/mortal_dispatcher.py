"""A dispatcher that is killed at any statement or commit: ``python -m rigs.mortal_dispatcher RECORDS NOW``.

Each life (``rigs.mortal``) does all that is to be done at ``NOW``.
"""

from __future__ import annotations

import sys
from datetime import datetime
from functools import partial

from rigs.dispatch_desk import dispatcher_of
from rigs.letter_desk import Clock
from rigs.mortal import STATEMENTS, kill_at, lives
from stores.records.database import open_records


def live(url: str, now: datetime, killed_at: int) -> None:
    """Work through all of it, or until killed."""
    records = open_records(url)
    kill_at(records, killed_at, STATEMENTS, "commit")
    dispatcher, _ = dispatcher_of(records, Clock(now))
    while dispatcher.turn():
        pass


if __name__ == "__main__":
    lives(partial(live, sys.argv[1], datetime.fromisoformat(sys.argv[2])))
