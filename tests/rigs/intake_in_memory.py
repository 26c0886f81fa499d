"""Ingest's parts without broker and process: a fresh journal and notes on a memory disk, for thousands of trials."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from dataclasses import replace
from itertools import count
from pathlib import Path

from facility import wire
from ingest.acknowledger import Acknowledger
from ingest.entry import encode_entry
from ingest.gate import Doorway, Gate
from ingest.journal import Journal
from ingest.motion import Motion
from ingest.own_clock import OwnClock
from ingest.pipeline import Pipeline
from ingest.refusals import instant
from ingest.status import IngestStatus
from ingest.store_writer import StoreWriter
from ingest.streams import state_of, streams_of
from ingest.subscriber import Inbound
from ingest.watermarks import Watermarks
from rigs.ingest_rig import CATALOGUE, NOW_MS, encode
from stores.readings.memory import MemoryStore
from stores.records.errands import Errand
from stores.records.quarantine.quarantine import BOUND_BYTES, ItemState, QuarantineSize

MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - on a disk, thousands of trials would measure fsync
WISHES = count(1)


class MemoryRecords:
    """Quarantine and errands as the real ones keep them: each item once, each wish until it is answered."""

    def __init__(self):
        self.kept, self._asked = {}, {}

    def put(self, *items):
        for item in items:
            known = self.kept.get(item.digest)
            if known is None:
                self.kept[item.digest] = replace(item, id=len(self.kept) + 1)
            elif known.state is ItemState.REPLAYED:
                self.kept[item.digest] = replace(known, state=ItemState.WAITING)

    def close_replayed(self, item_id, _outcome, at, again=()):
        item = self.item(item_id)
        self.kept[item.digest] = replace(item, state=ItemState.REPLAYED, replayed_at=at)
        self._asked.pop(item_id, None)
        self.put(*again)

    def item(self, item_id):
        return next((item for item in self.kept.values() if item.id == item_id), None)

    def items(self):
        """What waits."""
        return [item for item in self.kept.values() if not item.state.is_closed]

    def size(self):
        return QuarantineSize(len(self.kept), 0, 0, BOUND_BYTES)

    def ask(self, what, item=None):
        self._asked.setdefault(item, Errand(next(WISHES), what, item, "I5", instant(NOW_MS), None, ""))

    def take(self, _worker, _at, *, limit):
        return list(self._asked.values())[:limit]

    def settle(self, errand_id, _outcome, _at):
        self._asked = {item: errand for item, errand in self._asked.items() if errand.id != errand_id}


class NoImports:
    """Nobody hands anything in."""

    def done(self, number, outcome, at):
        raise AssertionError(f"import {number} is done at {at}: {outcome}")

    def take_again(self, number, now_ms):
        raise AssertionError(f"import {number} is asked for at {now_ms}")


class Trial:
    """Takes messages in and stores them. ``crash`` goes on as the next process would find things."""

    def __init__(self, store=None, quarantine=None, catalogue=CATALOGUE):
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None))
        self.store, self.quarantine = store or MemoryStore(), quarantine or MemoryRecords()
        self.gate, self.acks, self.mids = Gate(catalogue), [], count(1)
        self._open()

    def _open(self):
        self.watermarks = Watermarks(self.folder / "ingest.db")
        state = state_of(self.watermarks.streams())
        self.journal = Journal(self.folder / "journal", begin=self.watermarks.cursor, state=state)
        self.pipeline = Pipeline(Doorway(self.gate), streams_of(self.journal), OwnClock(time.monotonic, lambda: True))
        self.writer = StoreWriter(
            journal=self.journal,
            streams=self.pipeline.streams,
            store=self.store,
            quarantine=self.quarantine,
            watermarks=self.watermarks,
            acknowledger=Acknowledger(self.pipeline.streams, self.watermarks, lambda *ack: self.acks.append(ack)),
            status=IngestStatus(lambda: 0.0),
            clock_ms=lambda: NOW_MS,
            reopen=self.acks.append,
            appended=threading.Event(),
            between=lambda: None,
            motion=Motion(lambda: 0.0),
            mend=lambda _damage: None,
            reached=lambda: 0,
            imports=NoImports(),
        )

    def take(self, *messages):
        """One group of messages."""
        group = self.pipeline.read(messages, NOW_MS)
        if group.entries:
            self.journal.append([encode_entry(entry) for entry in group.entries], self.pipeline.streams.state)
        self.pipeline.streams.settle()
        return group

    def store_all(self):
        while self.writer.write_some(threading.Event()):
            pass

    def crash(self):
        self.journal.close()
        self.watermarks.close()
        self._open()

    def close(self):
        self.journal.close()
        self.watermarks.close()
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def inbound(message, what=None, *, crc=None, agent=None):
    """A message of an agent as the subscriber hands it on; bytes are taken as they are."""
    payload = message if isinstance(message, bytes) else encode(message)
    topic = wire.up_topic(agent or getattr(message, "dev", "edge-1"), what or getattr(message, "lane", "live"))
    return Inbound(1, 1, topic, payload, crc or wire.crc(payload))
