"""Ingest as its process composes it, on a memory disk, killed and started again at any moment, thousands of times."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

import msgspec
import pytest

from facility.model import ReadingBatch
from ingest.gate import Gate
from ingest.journal import JournalRoom
from ingest.parts import Around, Files, put_together
from ingest.refusals import SetAside
from ingest.status import IngestStatus
from process.pulse import Pulse
from rigs.ingest_rig import CATALOGUE, NOW_MS, UnsteadyStore
from rigs.intake_in_memory import MEMORY_DISK, MemoryRecords, NoImports
from stores.readings.memory import MemoryStore

ROOM = JournalRoom(segment_bytes=300, kept_bytes=1)
"""A message or two fill a segment, and none that is stored is kept but the last."""

A_TURN_S = 10.0
MOST_TURNS = 200


class Died(BaseException):
    """The process was killed here: nothing of it goes on, not even what catches exceptions."""


class Life:
    """How many more things may be done to the outside before the process is killed; None: it lives on."""

    def __init__(self):
        self.left = None

    def spend(self):
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                self.left = None
                raise Died


class Outside:
    """What outlives the process. Whatever is asked of it is done; the process may die before it hears so."""

    def __init__(self, thing, life):
        self._thing, self._life = thing, life

    def __getattr__(self, name):
        found = getattr(self._thing, name)
        if not callable(found):
            return found

        def done(*words, **named):
            answer = found(*words, **named)
            self._life.spend()
            return answer

        return done


class Broker:
    """Delivers each message to every process anew until one acknowledges it."""

    dropped_by_broker = retained_ignored = 0

    def __init__(self):
        self.waiting, self._in_hand = [], []

    def take(self, most, _wait_s):
        taken, self.waiting = self.waiting[:most], self.waiting[most:]
        self._in_hand += taken
        return taken

    def acknowledge(self, message):
        self._in_hand.remove(message)

    def troubles(self):
        return {}

    def publish(self, topic, payload, qos):
        """An acknowledgement, which may be lost as well."""

    def deliver_again(self):
        self.waiting, self._in_hand = self._in_hand + self.waiting, []


class Word:
    """Whether the process shall stop. Who waits for better times finds them come, or else that it shall."""

    def __init__(self, mend=None):
        self._mend, self._is_set = mend, False

    def is_set(self):
        return self._is_set

    def wait(self, _seconds):
        if self._mend is None:
            self._is_set = True
        else:
            self._mend()
        return self._is_set


class MortalIngest:
    """The estate is known as ``first``, and as ``mended`` once somebody has seen to it."""

    def __init__(self, first=CATALOGUE, mended=CATALOGUE):
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None))
        self._gate, self._mended = Gate(first), Gate(mended)
        self.store, self.records, self.broker = UnsteadyStore(MemoryStore()), MemoryRecords(), Broker()
        self.life, self.now_s = Life(), 0.0
        self._start()

    def _start(self):
        store, records, broker = (Outside(thing, self.life) for thing in (self.store, self.records, self.broker))
        monotonic = lambda: self.now_s  # noqa: E731
        fares = IngestStatus(monotonic), Pulse(self.folder, "ingest", monotonic)
        kept = store, records, records, NoImports()
        around = Around(*kept, broker, *fares, monotonic, lambda: NOW_MS, lambda: True)
        self.parts = put_together(Files(self.folder, ROOM), self._gate, around)
        self.intake = self.parts.intake

    def crash(self, torn_bytes=0):
        """End, and go on as the next process finds things; of an append nobody heard of, a part may be on disk."""
        self.life.left, self.store.is_up = None, True
        self.parts.files.close()
        if torn_bytes:
            with max((self.folder / "journal").glob("*.seg")).open("ab") as segment:
                segment.write(b"MHJ\x01" + b"\x01" * torn_bytes)
        self.broker.deliver_again()
        self._start()

    def mend(self):
        """The estate is as it should be from now on."""
        self._gate = self.parts.doorway.gate = self._mended

    def take_in(self, word=None):
        """All that the broker holds, and what other threads want kept."""
        word = word or Word()
        for _ in range(MOST_TURNS):
            self.intake.take_in(0.0, word)
            if word.is_set():
                return self.crash()
            if not (self.broker.waiting or self.intake._doubtful or self.intake.to_reopen.qsize()):
                return None
        raise AssertionError("the intake does not come to an end")

    def write(self, word=None):
        """Store all that is in the journal; then what the writer does between groups."""
        word = word or Word()
        while not word.is_set() and self.parts.store_writer.write_some(word):
            pass
        if not word.is_set():
            self.parts.store_writer._look_for_losses()
            self.parts.store_writer._between()

    def run_errands(self):
        self.now_s += A_TURN_S
        self.parts.errand_runner.turn(self.now_s, Word())

    def work(self):
        """What people asked for, to its end."""
        self.run_errands()
        self.take_in()
        self.write()
        self.take_in()

    def take_in_on_a_full_disk(self, *, is_freed):
        """One flush fails; then there is room again, or the process is told to stop before."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fdatasync", _no_space)
            self.take_in(Word(patch.undo if is_freed else None))

    def write_without_store(self):
        """The store is away for one attempt."""
        self.store.is_up = False
        self.write()
        self.store.is_up = True

    def lose(self, keeps):
        """The store forgets, as one that comes from a backup: rows for which ``keeps`` says no."""
        old, self.store.store = self.store.store, MemoryStore()
        for point, series in old.read(list(old.totals()), 0, 2**62).items():
            kept = [i for i, t_ms in enumerate(series.t_ms.tolist()) if keeps(t_ms)]
            t, x, q = (column[kept].tolist() for column in (series.t_ms, series.x, series.q))
            self.store.store.write(ReadingBatch([point], [0] * len(t), t, x, q))

    def say_all(self, messages):
        """The agents say everything to an estate that is as it should be."""
        self.mend()
        self.broker.waiting += messages
        self.take_in()
        self.write()

    def finish(self, messages):
        """All is well from now on: everything is said until it is done, and what can be is taken in again."""
        self.life.left = None
        self.say_all(messages)
        self.records.ask("reconcile")
        self.work()
        self.say_all(messages)  # what was reopened
        for item in self.records.items():
            self.records.ask("replay", item.id)
        self.work()

    def dump(self):
        """Everything that came of it: readings, what waits in quarantine row by row, marks, tombstones, the sum."""
        points = sorted(self.store.totals())
        series = {p: [c.tolist() for c in (s.t_ms, s.x, s.q)] for p, s in self.store.read(points, 0, 2**62).items()}
        refused = sorted(row for item in self.records.items() for row in _rows(item))
        marks = {stream: list(done) for stream, done in self.parts.files.watermarks.streams().items()}
        return series, refused, marks, self.parts.files.watermarks.tombstones()

    def counted(self):
        """Readings stored and set aside, each number once."""
        totals = self.parts.files.watermarks.totals()
        return totals["stored"] + totals["quarantined"] - totals["reopened"]

    def close(self):
        self.parts.files.close()
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _no_space(_fd):
    raise OSError(errno.ENOSPC, "No space left on device")


def _rows(item):
    if item.kind == "message":
        return [(item.agent, item.epoch, item.first_seq or 0, item.payload.hex(), 0, "")]
    held = msgspec.json.decode(item.payload, type=SetAside)
    return [
        (item.agent, item.epoch, seq, held.points[p], t, repr(x))
        for seq, p, t, x in zip(held.seq, held.p, held.t, held.x, strict=True)
    ]
