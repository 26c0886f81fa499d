"""Lives of a process that is killed at any statement: one line for each, at how many statements, 0 for never.

Each life is a fork, so that none waits for imports; how it ended is written as it ends.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from sqlalchemy import event

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

STATEMENTS = "before_cursor_execute"


def kill_at(records: Engine, number: int, *counted: str) -> None:
    """Die at the so manieth of the events that are counted."""
    done = 0

    def count(*_: object) -> None:
        nonlocal done
        done += 1
        if done == number:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in counted:
        event.listen(records, name, count)


def lives(live: Callable[[int], None]) -> None:
    """One life after the other; ``live`` is told at how many statements it is killed."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            live(int(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{'killed' if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)}\n")
        sys.stdout.flush()
