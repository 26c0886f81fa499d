"""Starts ingest with one fault in it, named by ``FAULT``: what a broken library, a poison or a slow store would do."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from ingest import __main__ as ingest_main
from ingest import pipeline
from ingest.subscriber import Subscriber
from stores.readings.sqlite.store import SqliteStore


class FaultOfOurs(BaseException):
    """What no guard catches."""


def callback() -> None:
    """A callback raises into paho's thread, once: the mark ``FAULT_FILE`` goes with it."""
    guarded, mark = Subscriber._on_message, Path(os.environ["FAULT_FILE"])

    def unguarded(self, message):
        if b"break-the-callback" in message.payload and mark.exists():
            mark.unlink()
            raise FaultOfOurs
        guarded(self, message)

    Subscriber._on_message = unguarded


def poison() -> None:
    """Looking into a poison ends the process at once, as a crash in a library would."""
    decode = pipeline.decode

    def die_of_poison(message):
        if b"poison" in message.payload:
            os._exit(139)
        return decode(message)

    pipeline.decode = die_of_poison


def slow_store() -> None:
    """Every write takes ``FAULT_SLOW_S``."""
    write_many = SqliteStore.write_many

    def write_slowly(self, batches):
        time.sleep(float(os.environ["FAULT_SLOW_S"]))
        write_many(self, batches)

    SqliteStore.write_many = write_slowly


FAULTS = {"callback": callback, "poison": poison, "slow_store": slow_store}

if __name__ == "__main__":
    FAULTS[os.environ["FAULT"]]()
    sys.exit(ingest_main.main())
