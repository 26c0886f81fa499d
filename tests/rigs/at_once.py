"""Many who do something at the same instant: threads, each with a connection of its own, and processes."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

from rigs.patience import PATIENCE_S
from stores.records.database import open_records

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

OPEN_WHEN_TOLD = """\
import sys
from stores.records.database import open_records
from stores.records import migration  # what it imports takes longer than what it does
print("ready", flush=True)
sys.stdin.readline()
open_records(sys.argv[1]).dispose()
"""


def at_once(url: str, number: int, act: Callable[[Engine, int], Any]) -> list[Any]:
    """What ``number`` threads got for it, in their order; whom an error met has the error."""
    together = Barrier(number)

    def one(who: int) -> Any:
        engine = open_records(url)
        try:
            together.wait(PATIENCE_S)
            return act(engine, who)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error
        finally:
            engine.dispose()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def processes_open(url: str, number: int) -> list[str]:
    """What each of so many processes says to standard error that open the same records at once; well: nothing."""
    command = [sys.executable, "-c", OPEN_WHEN_TOLD, url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    running = [subprocess.Popen(command, text=True, **pipes) for _ in range(number)]
    for process in running:
        assert process.stdout.readline() == "ready\n", process.communicate()[1]
    for process in running:
        process.stdin.write("now\n")
        process.stdin.flush()
    return [process.communicate(timeout=PATIENCE_S)[1] for process in running]
