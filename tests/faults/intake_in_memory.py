"""Ingest's parts without broker and process: a fresh journal and notes on a memory disk, for thousands of trials."""

from __future__ import annotations

import shutil
import tempfile
import threading
from itertools import count
from pathlib import Path

import msgspec
from ingest_rig import CATALOGUE, NOW_MS, encode

from facility import wire
from ingest.acknowledger import Acknowledger
from ingest.entry import encode_entry
from ingest.figures import Figures
from ingest.gate import Gate
from ingest.journal import Journal
from ingest.pipeline import Pipeline
from ingest.refusals import SetAside
from ingest.store_writer import StoreWriter
from ingest.streams import state_of, streams_of
from ingest.subscriber import Inbound
from ingest.watermarks import Watermarks
from stores.readings.memory import MemoryStore

MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - on a disk, thousands of trials would measure fsync


class MemoryQuarantine:
    """Keeps each item once, as the real one does."""

    def __init__(self):
        self.kept = {}

    def put(self, *items):
        for item in items:
            self.kept.setdefault(item.digest, item)


class Trial:
    """Takes messages in and stores them. ``crash`` goes on as the next process would find things."""

    def __init__(self, store=None, quarantine=None, catalogue=CATALOGUE):
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None))
        self.store, self.quarantine = store or MemoryStore(), quarantine or MemoryQuarantine()
        self.gate, self.acks, self.mids = Gate(catalogue), [], count(1)
        self._open()

    def _open(self):
        self.watermarks = Watermarks(self.folder / "ingest.db")
        state = state_of(self.watermarks.streams())
        self.journal = Journal(self.folder / "journal", begin=self.watermarks.cursor, state=state)
        self.pipeline = Pipeline(self.gate, streams_of(self.journal))
        self.writer = StoreWriter(
            journal=self.journal,
            streams=self.pipeline.streams,
            store=self.store,
            quarantine=self.quarantine,
            watermarks=self.watermarks,
            acknowledger=Acknowledger(self.pipeline.streams, self.watermarks, lambda *ack: self.acks.append(ack)),
            figures=Figures(self.folder / "ingest.json", lambda: 0.0),
            clock_ms=lambda: NOW_MS,
            reopen=self.acks.append,
            appended=threading.Event(),
            between=lambda: None,
            monotonic=lambda: 0.0,
            moved_s=0.0,
        )

    def take(self, *messages, keep=True):
        """One group of messages; without ``keep`` the process dies before the group is in the journal."""
        group = self.pipeline.read(messages, NOW_MS)
        if keep and group.entries:
            self.journal.append([encode_entry(entry) for entry in group.entries], self.pipeline.streams.state)
        if keep:
            self.pipeline.streams.settle()
        return group

    def store_all(self):
        while self.writer.write_some(threading.Event()):
            pass

    def crash(self):
        self.journal.close()
        self.watermarks.close()
        self._open()

    def dump(self):
        """Everything that came of it: readings, what was refused (reading by reading), totals, marks and tombstones."""
        points = sorted(self.store.totals())
        series = {p: [c.tolist() for c in (s.t_ms, s.x, s.q)] for p, s in self.store.read(points, 0, 2**62).items()}
        refused = sorted(row for item in self.quarantine.kept.values() for row in _rows(item))
        marks = {stream: list(done) for stream, done in self.watermarks.streams().items()}
        return series, refused, self.watermarks.totals(), marks, self.watermarks.tombstones()

    def close(self):
        self.journal.close()
        self.watermarks.close()
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _rows(item):
    if item.kind == "message":
        return [(item.reason, item.epoch, item.first_seq or 0, item.payload.hex(), 0, "")]
    held = msgspec.json.decode(item.payload, type=SetAside)
    return [
        (item.reason, item.epoch, seq, held.points[p], t, repr(x))
        for seq, p, t, x in zip(held.seq, held.p, held.t, held.x, strict=True)
    ]


def inbound(message, what=None, *, crc=None, agent=None):
    """A message of an agent as the subscriber hands it on; bytes are taken as they are."""
    payload = message if isinstance(message, bytes) else encode(message)
    topic = wire.up_topic(agent or getattr(message, "dev", "edge-1"), what or getattr(message, "lane", "live"))
    return Inbound(1, 1, topic, payload, crc or wire.crc(payload))
