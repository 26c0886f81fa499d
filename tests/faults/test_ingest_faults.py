"""Faults I1 to I4 and I10 of ingest as a process: killed, broken, poisoned, held up, stopped."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest
from rigs.ingest_process import FULL, T0_MS, Served, seeded
from rigs.ingest_rig import IDENTITIES, POWER, Client, batch

from facility import wire
from meterhouse import supervisor as supervisor_module
from meterhouse.servers.broker import start_broker

pytestmark = pytest.mark.broker

LIVE = wire.up_topic("edge-1", "live")
HELLO_EVERY_S = 2.0


@pytest.fixture
def broker(tmp_path):
    with start_broker(tmp_path / "broker", IDENTITIES, kind="mosquitto") as started:
        yield started


@pytest.fixture
def edge(broker):
    client = Client(broker, "edge-1", "meterhouse/1/ack/edge-1")
    yield client
    client.close()


def said(first, n=10, ep="e1"):
    return batch(first, n, t=[T0_MS + first + i for i in range(n)], x=[(first + i) % 9_000 for i in range(n)], ep=ep)


def expected(n):
    return [(T0_MS + k, float(k % 9_000)) for k in range(1, n + 1)]


def marks(edge):
    """Newest acknowledgement of each epoch."""
    return {ack.epoch: ack for ack in edge.acks(0)}


def stored_up_to(edge, ep="e1"):
    return max((ack.store_hw for ack in edge.acks(0) if ack.epoch == ep), default=0)


def taken_up_to(edge, ep="e1"):
    return max((ack.journal_hw for ack in edge.acks(0) if ack.epoch == ep), default=0)


def until_all_is_told(ingest, edge, truth, timeout_s):
    """Wait as an agent does, greeting again and again while something of its own is not stored, if more often.

    What ingest stores before it has reached the broker after a start, it tells to nobody who does not ask.
    """
    due_s = 0.0

    def truth_after_asking():
        nonlocal due_s
        if truth():
            return True
        if time.monotonic() >= due_s:
            due_s = time.monotonic() + HELLO_EVERY_S
            for ep, ack in marks(edge).items():
                edge.send(wire.Hello(v=1, dev="edge-1", ep=ep, oldest=1, newest=ack.journal_hw, pending=[]), "hello")
        return False

    return ingest.until(truth_after_asking, timeout_s)


def test_I1_kill_9_of_ingest_in_mid_stream_loses_nothing_and_doubles_nothing(tmp_path, broker, edge):
    """Every batch is published once: only the broker can bring again what was in hand."""
    batches, kills = (5_000, 100) if FULL else (200, 4)
    chance, under_way = seeded(), 0
    with Served(tmp_path, broker) as ingest:
        for part in range(kills + 1):
            taken = taken_up_to(edge)
            for i in range(part * batches // (kills + 1), (part + 1) * batches // (kills + 1)):
                edge.pour(said(1 + 10 * i))
            published = 10 * (part + 1) * batches // (kills + 1)
            if part < kills:
                ingest.until(lambda: taken_up_to(edge) > taken)  # noqa: B023 - awaited here; a kill must follow progress
                time.sleep(chance.uniform(0, 0.01))
                ingest.kill()
                under_way += published - stored_up_to(edge)
                ingest.until(lambda: ingest.child.restarts == part + 1 and ingest.is_listening())  # noqa: B023
        ingest.until(lambda: stored_up_to(edge) == 10 * batches)
        assert ingest.stored() == {POWER: expected(10 * batches)}
        assert ingest.totals() == {"stored": 10 * batches, "quarantined": 0, "reopened": 0}
    assert under_way, "no kill met a reading on its way: nothing was proved"


def test_I2_a_network_thread_that_died_in_a_callback_is_noticed_and_nothing_is_lost(tmp_path, broker, edge):
    mark = tmp_path / "mark"
    mark.touch()
    with Served(tmp_path, broker, script="ingest_with_fault.py", FAULT="callback", FAULT_FILE=str(mark)) as ingest:
        edge.send(said(1))
        ingest.until(lambda: stored_up_to(edge) == 10)
        edge.send(said(1, ep="break-the-callback"))
        edge.send(said(11))
        assert ingest.until(lambda: ingest.child.restarts == 1) < 10
        assert "thread_died" in ingest.log
        ingest.until(lambda: stored_up_to(edge) == 20 and stored_up_to(edge, "break-the-callback") == 10)
        assert ingest.totals() == {"stored": 30, "quarantined": 0, "reopened": 0}


def test_I3_a_poison_is_set_aside_after_three_deaths_and_good_messages_flow_again(tmp_path, broker, edge):
    with Served(tmp_path, broker, script="ingest_with_fault.py", FAULT="poison") as ingest:
        for first in range(1, 200, 10):
            edge.pour(said(first))
            if first == 101:
                edge.pour(said(1, ep="poison"))
        assert ingest.until(lambda: taken_up_to(edge) == 200, 60) < 30
        until_all_is_told(ingest, edge, lambda: stored_up_to(edge) == 200 and stored_up_to(edge, "poison") == 10, 60)
        assert [(item.reason, item.epoch, item.count) for item in ingest.quarantined()] == [
            ("crashed_worker", "poison", 10)
        ]
        assert ingest.child.restarts == 3
        assert ingest.totals() == {"stored": 200, "quarantined": 10, "reopened": 0}


def test_I3_many_poisons_among_good_messages_are_all_set_aside_and_nothing_else(tmp_path, broker, edge):
    poisons = 4 if FULL else 2
    with Served(tmp_path, broker, script="ingest_with_fault.py", FAULT="poison") as ingest:
        for i, first in enumerate(range(1, 300, 10)):
            edge.pour(said(first))
            if i in range(0, 30, 30 // poisons)[:poisons]:
                edge.pour(said(1, ep=f"poison-{i}"))
        ingest.until(lambda: ingest.child.process.poll() is not None)
        edge.pour(said(1, ep="after"))
        flowing_again = ingest.until(lambda: taken_up_to(edge, "after") == 10, 60)
        assert flowing_again < 30  # what comes after does not wait for the last poison
        until_all_is_told(ingest, edge, lambda: len(marks(edge)) == poisons + 2 and stored_up_to(edge) == 300, 300)
        ingest.until(lambda: ingest.totals() == {"stored": 310, "quarantined": 10 * poisons, "reopened": 0})
        assert {(item.reason, item.count) for item in ingest.quarantined()} == {("crashed_worker", 10)}
        assert len(ingest.quarantined()) == poisons
        assert ingest.child.restarts <= 3 * poisons


def test_I4_a_slow_store_leaves_memory_flat_and_acknowledgements_live(tmp_path, broker, edge):
    run_s = 600 if FULL else 8
    with Served(tmp_path, broker, script="ingest_with_fault.py", FAULT="slow_store") as ingest:
        process, rows, first, sizes, waits = psutil.Process(ingest.pid), 500, 1, [], []
        begun = time.monotonic()
        while time.monotonic() - begun < run_s:
            sent = time.monotonic()
            for _ in range(20):
                edge.pour(said(first, rows))
                first += rows
            ingest.until(lambda: taken_up_to(edge) == first - 1)  # noqa: B023 - awaited here
            del edge.heard[:-20]
            waits.append(time.monotonic() - sent)
            if time.monotonic() - begun > min(10, run_s / 4):
                sizes.append(process.memory_info().rss / 2**20)
            time.sleep(max(0, 0.2 - waits[-1]))
        assert first > 200_000
        assert stored_up_to(edge) < taken_up_to(edge)  # the store is behind
        assert max(waits) < 5
        assert max(sizes) - sizes[0] < 50, sizes
        assert ingest.child.restarts == 0


def test_I10_a_stopped_ingest_is_noticed_killed_and_started_again(tmp_path, broker, edge, monkeypatch):
    assert supervisor_module.STALLED_S <= 25
    if not FULL:
        monkeypatch.setattr(supervisor_module, "STALLED_S", 3.0)
    with Served(tmp_path, broker) as ingest:
        edge.send(said(1))
        ingest.until(lambda: stored_up_to(edge) == 10)
        os.kill(ingest.pid, signal.SIGSTOP)
        stopped = ingest.pid
        for first in range(11, 500, 10):
            edge.pour(said(first))
        assert ingest.until(lambda: ingest.child.restarts == 1, 60) < supervisor_module.STALLED_S + 5
        assert not psutil.pid_exists(stopped)
        ingest.until(lambda: stored_up_to(edge) == 500)
        assert ingest.stored() == {POWER: expected(500)}
        assert ingest.totals() == {"stored": 500, "quarantined": 0, "reopened": 0}
