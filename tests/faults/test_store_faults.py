"""Faults S6 and S10 of the store: a write whose outcome nobody knows, and months of backlog beside live readings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from rigs.ingest_process import T0_MS, Debian, Served
from rigs.ingest_rig import IDENTITIES, NOW_MS, POWER, Client, batch
from rigs.intake_in_memory import Trial, inbound
from rigs.patience import within
from rigs.trials import FULL

from facility import wire
from facility.catalogue import Agent, Catalogue
from facility.errors import StoreUnavailable
from facility.levels import Level
from facility.model import Building, Meter, Name, Point, Site
from facility.quantities import Quantity
from meterhouse.servers.broker import start_broker
from stores.readings.sqlite.store import SqliteStore

HOLD_THE_LOCK = """\
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(60)
"""


class UnsureStore:
    """Does what it is asked and says that it failed, every other time."""

    def __init__(self, store):
        self.store, self.writes, self.failures = store, 0, 0

    def write_many(self, batches):
        self.store.write_many(batches)
        self.writes += 1
        if self.writes % 2:
            self.failures += 1
            raise StoreUnavailable("no answer in time")

    def __getattr__(self, name):
        return getattr(self.store, name)


def test_S6_a_write_that_was_applied_and_not_confirmed_doubles_nothing(tmp_path):
    store = SqliteStore(tmp_path / "readings.db")
    with Trial(store=UnsureStore(store)) as trial:
        for first in range(1, 151, 5):
            trial.take(inbound(batch(first, 5, x=[1.0, 2.0, 3.0, float("nan"), 5.0])))
            trial.store_all()
            if first % 25 == 1:
                trial.crash()  # and after a crash nobody knows either
        assert trial.store.failures == 30
        assert trial.watermarks.totals() == {"stored": 120, "quarantined": 30, "reopened": 0}
        (series,) = store.read([POWER], 0, 2**62).values()
        assert series.t_ms.tolist() == [NOW_MS - 60_000 + k for k in range(1, 151) if k % 5 != 4]
        assert len(trial.quarantine.kept) == 30
        assert trial.watermarks.stored(("edge-1", "e1")).watermark == 150
    store.close()


@pytest.mark.broker
def test_S6_a_store_that_stands_still_for_three_seconds_doubles_and_loses_nothing(tmp_path):
    """Another process has the store's lock and is stopped (SIGSTOP) with it."""
    with start_broker(tmp_path / "broker", IDENTITIES) as broker, Served(tmp_path, broker) as ingest:
        edge = Client(broker, "edge-1", "meterhouse/1/ack/edge-1")
        holder = subprocess.Popen(
            [sys.executable, "-S", "-c", HOLD_THE_LOCK, str(ingest.folder / "readings.db")], stdout=subprocess.PIPE
        )
        assert holder.stdout.readline() == b"held\n"
        os.kill(holder.pid, signal.SIGSTOP)
        begun = time.monotonic()
        with within(3):
            for first in range(1, 1000, 10):
                edge.pour(batch(first, 10, t=[T0_MS + first + i for i in range(10)]))
            ingest.until(lambda: edge.heard and edge.acks()[-1].journal_hw == 1000)  # taken in while the store stands …
        time.sleep(max(0, begun + 3 - time.monotonic()))
        assert edge.acks()[-1].store_hw == 0  # … and not yet stored
        holder.kill()
        holder.wait()
        holder.stdout.close()
        ingest.until(lambda: edge.acks()[-1].store_hw == 1000)
        assert ingest.stored() == {POWER: [(T0_MS + k, float(k)) for k in range(1, 1001)]}
        assert ingest.totals() == {"stored": 1000, "quarantined": 0, "reopened": 0}
        edge.close()


def _note(stored_at, payload):
    ack = wire.decode(wire.Ack, payload)
    if ack.epoch == "now":
        stored_at.setdefault(ack.store_hw, time.monotonic())


POINTS = 200
LIVE_METER = "live/active_power/total"


def estate():
    """One live meter and 200 points with months to bring."""
    names = ["live", *(f"m{i:03}" for i in range(POINTS))]
    meters = tuple(Meter(name, Name(name), "hall", "p", "edge-1", "bus", "1") for name in names)
    points = tuple(Point(meter.id, Quantity.ACTIVE_POWER, level=Level.INTERNAL) for meter in meters)
    site = Site("town", Name("Town"), "UTC", "EUR")
    return Catalogue(site, (), (Building("hall", Name("Hall")),), (), (Agent("edge-1", ()),), meters, points)


class Backfill:
    """Sends the months as an agent does: 20 batches of 500 under way, the next when the journal has one."""

    def __init__(self, broker, readings, step_ms, window=20, rows=500):
        self.client = Client(broker, "edge-1", "meterhouse/1/ack/edge-1", client_id="backfill")
        self.readings, self.step_ms, self.window, self.rows, self.sent = readings, step_ms, window, rows, 0
        self.thread = threading.Thread(target=self.send)
        self.points = [f"m{i:03}/active_power/total" for i in range(POINTS)]

    def send(self):
        while self.sent < self.readings:
            if self.sent - self.taken() >= self.window * self.rows:
                time.sleep(0.002)
                continue
            ks = range(self.sent, min(self.sent + self.rows, self.readings))
            t = [T0_MS + k // POINTS * self.step_ms for k in ks]
            self.client.pour(
                batch(ks[0] + 1, len(ks), points=self.points, p=[k % POINTS for k in ks], t=t,
                      x=[float(k % 997) for k in ks], ep="months", lane="backlog")
            )  # fmt: skip
            self.sent = ks[-1] + 1

    def taken(self):
        return max((ack.journal_hw for ack in self.heard()), default=0)

    def stored(self):
        return max((ack.store_hw for ack in self.heard()), default=0)

    def heard(self):
        del self.client.heard[:-40]
        return [ack for ack in self.client.acks(0) if ack.epoch == "months"]


@pytest.mark.broker
def test_S10_live_readings_are_stored_within_a_second_while_months_are_brought(tmp_path):
    """From publishing to the acknowledgement that it is stored; 30 days of 200 points come as fast as they can.

    p99 below 1 s with FULL=1; else below a third of what the months take beside them.
    """
    step_ms = 60_000 * (5 if FULL else 15)
    readings = 30 * 86_400_000 // step_ms * POINTS
    with Debian() as broker, Served(tmp_path, broker, estate()) as ingest:
        live = Client(broker, "edge-1", "meterhouse/1/ack/edge-1", client_id="live")
        stored_at, waits, seq = {}, [], 0
        live.client.on_message = lambda *a: _note(stored_at, a[2].payload)
        backfill = Backfill(broker, readings, step_ms)
        backfill.thread.start()
        begun = time.monotonic()
        while backfill.stored() < readings:
            seq += 1
            sent = time.monotonic()
            live.pour(batch(seq, 1, points=[LIVE_METER], t=[T0_MS + seq], x=[1.0], ep="now"))
            ingest.until(lambda: seq in stored_at, pause_s=0.002)  # noqa: B023 - awaited here
            waits.append(stored_at[seq] - sent)
            time.sleep(max(0, 0.05 - waits[-1]))
        backfill.thread.join()
        took = time.monotonic() - begun
        p50, p99 = np.percentile(waits, [50, 99])
        print(f"{readings} in {took:.1f} s, {len(waits)} live, p50 {p50:.3f} s, p99 {p99:.3f} s")  # noqa: T201
        assert len(waits) > 5
        assert p99 < (1 if FULL else took / 3)
        ingest.until(lambda: ingest.totals() == {"stored": readings + seq, "quarantined": 0, "reopened": 0})
        assert ingest.count() == readings + seq
