"""Ingest's own parts around a store that fails: journal, quarantine, store writer are real, only the broker is not."""

from __future__ import annotations

import math
import threading
import time
from itertools import count

from facility import wire
from ingest.entry import encode_entry
from ingest.gate import Gate
from ingest.journal import DEFAULT_ROOM
from ingest.parts import Around, Files, put_together
from ingest.status import IngestStatus
from ingest.subscriber import Inbound
from process.pulse import Pulse
from rigs.influx_town import Registry
from rigs.ingest_rig import CATALOGUE, POWER, batch, encode
from rigs.patience import PATIENCE_S, until
from stores.readings import influx_connection, open_readings
from stores.records.database import open_records
from stores.records.errands import Errands
from stores.records.imports.book import Imports
from stores.records.quarantine.quarantine import Quarantine


class Unheard:
    """Where acknowledgements go when nobody listens."""

    def publish(self, *_, **__):
        return True


class Counting:
    """A store that says how often, and when, it was written to."""

    def __init__(self, store):
        self.store, self.writes_s = store, []

    def write_many(self, batches):
        self.writes_s.append(time.monotonic())
        self.store.write_many(batches)

    def __getattr__(self, name):
        return getattr(self.store, name)


class Rig:
    """``take_in`` puts readings into the journal; the store writer runs until ``close``."""

    def __init__(self, folder, url, *, store=None, room=DEFAULT_ROOM):
        self.store = Counting(store or open_readings(url, Registry(CATALOGUE)))
        self.engine = open_records(f"sqlite:///{folder / 'records.db'}")
        self.quarantine = Quarantine(self.engine)
        self.status = IngestStatus(time.monotonic)
        pulse = Pulse(folder, "ingest", time.monotonic)
        around = Around(
            self.store,
            self.quarantine,
            Errands(self.engine),
            Imports(self.engine),
            Unheard(),
            self.status,
            pulse,
            time.monotonic,
            now_ms,
            lambda: True,
        )
        self.parts = put_together(Files(folder, room), Gate(CATALOGUE), around)
        self.pipeline, self.stop, self.mids = self.parts.intake.pipeline, threading.Event(), count(1)
        self.taken_in, self.sum = 0, 0
        self.idled, self._between = 0, self.parts.store_writer.between
        self.parts.store_writer.between = self._idle

    def _idle(self):
        self.idled += 1
        self._between()

    def start(self):
        self.stop.clear()
        self.thread = threading.Thread(target=self.parts.store_writer.run, args=(self.stop,))
        self.thread.start()

    def pause(self):
        self.stop.set()
        self.thread.join(PATIENCE_S)

    def take_in(self, n, *, rows=500, start_ms=None, step_ms=10):
        """``n`` readings of one point, each of its own time, worth its number."""
        start_ms = now_ms() - 86_400_000 if start_ms is None else start_ms
        while n > 0:
            some = min(rows, n)
            first = self.taken_in + 1
            message = batch(
                first, some, points=(POWER,),
                t=[start_ms + (first + i) * step_ms for i in range(some)],
                x=[float((first + i) % 9_000) for i in range(some)], lane="backlog",
            )  # fmt: skip
            self.take(message)
            n -= some

    def take(self, message):
        """One batch, as an agent has sent it."""
        payload = encode(message)
        inbound = Inbound(1, next(self.mids), wire.up_topic("edge-1", "backlog"), payload, wire.crc(payload))
        group = self.pipeline.read([inbound], now_ms())
        self.parts.files.journal.append([encode_entry(entry) for entry in group.entries], self.pipeline.streams.state)
        self.pipeline.streams.settle()
        self.taken_in += len(message.x)
        self.sum += sum(message.x)

    @property
    def alarms(self):
        return self.status.as_status(0).alarms

    @property
    def settled(self):
        """Stored and quarantined so far."""
        totals = self.parts.files.watermarks.totals()
        return totals["stored"] + totals["quarantined"]

    def wait_until_settled(self):
        """All is stored or set aside, and what the store writer does after that, reconciling too, is done once."""
        until(lambda: self.settled == self.taken_in)
        seen = self.idled
        until(lambda: self.idled >= seen + 2)

    def check_nothing_is_lost(self):
        (total,) = self.store.totals().values()
        assert (total.count, total.total) == (self.taken_in, self.sum)

    def close(self):
        self.pause()
        self.parts.files.close()
        self.store.close()
        self.engine.dispose()


def now_ms():
    return time.time_ns() // 1_000_000


def check_a_bad_line_of_5000_is_set_aside(rig, url):
    """S2, on an InfluxDB of any generation."""
    bad_ms = now_ms() - 5 * 7 * 86_400_000
    wire = influx_connection(url)
    wire.write("raw", b"reading,meter=m9 value=1i %d" % bad_ms)  # in that week, value is an integer for ever
    wire.client.close()
    rig.take_in(2_345)
    rig.take_in(1, start_ms=bad_ms)
    rig.take_in(2_654)
    rig.start()
    rig.wait_until_settled()
    (item,) = rig.quarantine.items(limit=10)
    assert (item.reason, item.count, item.stage) == ("field_type_conflict", 1, "store")
    assert rig.store.totals()[POWER].count == 4_999
    assert len(rig.store.writes_s) <= 2 * math.ceil(math.log2(5_000)) + 1


def check_what_is_too_old_is_set_aside_at_once(rig):
    """S8, on an InfluxDB that keeps readings for a day."""
    rig.take_in(1, start_ms=now_ms() - 10 * 86_400_000)
    rig.start()
    rig.wait_until_settled()
    (item,) = rig.quarantine.items(limit=10)
    assert item.reason == "beyond_retention"
    assert len(rig.store.writes_s) <= 2  # the first look at what the store holds may ask it once more
    assert rig.alarms == {}
