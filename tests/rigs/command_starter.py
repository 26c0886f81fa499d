"""Starts ``meterhouse`` in one process after another, forked from this one: imports are most of what a command costs.

Each line of JSON that is read asks for one: its words, settings and folder, and the files for what it says. The answer
is its exit code.
"""

from __future__ import annotations

import json
import os
import random
import sys
from importlib import import_module

from meterhouse.cli import main
from meterhouse.command_table import COMMANDS


def start_all() -> None:
    """Until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            become(**asked)
            main()
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def become(words: list[str], env: dict[str, str], folder: str, out: str, err: str) -> None:
    """What a shell does before it starts a command."""
    for number, path in enumerate((os.devnull, out, err)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    sys.argv = ["meterhouse", *words]
    random.seed()


if __name__ == "__main__":
    for place, _ in COMMANDS.values():
        import_module(f"meterhouse.commands.{place.partition(':')[0]}")
    start_all()
