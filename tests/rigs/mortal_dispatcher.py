"""A dispatcher that is killed at any statement: ``python -m rigs.mortal_dispatcher RECORDS NOW``.

It reads one line for each life: at how many statements it is killed, 0 for never. Each life is a fork, so that none
waits for imports; it does all that is to be done at ``NOW``.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime

from sqlalchemy import event

from rigs.dispatch_desk import dispatcher_of
from rigs.letter_desk import Clock
from stores.records.database import open_records


def live(url: str, now: datetime, killed_at: int) -> None:
    """Work through all of it, or until killed."""
    records, done = open_records(url), 0

    @event.listens_for(records, "before_cursor_execute")
    @event.listens_for(records, "commit")
    def count(*_: object) -> None:
        nonlocal done
        done += 1
        if done == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    dispatcher, _ = dispatcher_of(records, Clock(now))
    while dispatcher.turn():
        pass


def main() -> None:
    url, now = sys.argv[1], datetime.fromisoformat(sys.argv[2])
    for line in sys.stdin:
        child = os.fork()
        if not child:
            live(url, now, int(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{'killed' if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
