"""Faults I1 to I4 and I10 of ingest as a process: killed, broken, poisoned, held up, stopped."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest
from rigs.ingest_process import T0_MS, Served
from rigs.ingest_rig import IDENTITIES, POWER, Client, batch
from rigs.patience import PATIENCE_S, within
from rigs.trials import FULL, seeded

from facility import wire
from meterhouse.servers.broker import start_broker
from meterhouse.supervisor import STALLED_S

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


def stored_up_to(edge, ep="e1"):
    return max((ack.store_hw for ack in edge.acks(0) if ack.epoch == ep), default=0)


def taken_up_to(edge, ep="e1"):
    return max((ack.journal_hw for ack in edge.acks(0) if ack.epoch == ep), default=0)


def until_said(ingest, edge, up_to, **newest):
    """Wait until each epoch is taken, or stored, to its end.

    What ingest was about to say when it was killed is never said, so we greet, as an agent does that hears nothing.
    The name of an epoch that kills it would do so in a greeting too.
    """
    greeted_s = time.monotonic()

    def all_is():
        nonlocal greeted_s
        missing = {ep: last for ep, last in newest.items() if up_to(edge, ep) < last}
        if missing and time.monotonic() > greeted_s + HELLO_EVERY_S:
            greeted_s = time.monotonic()
            for ep, last in missing.items():
                edge.send(wire.Hello(v=1, dev="edge-1", ep=ep, oldest=1, newest=last, pending=[]), "hello")
        return not missing

    ingest.until(all_is)


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
        until_said(ingest, edge, stored_up_to, e1=10 * batches)
        assert ingest.stored() == {POWER: expected(10 * batches)}
        assert ingest.totals() == {"stored": 10 * batches, "quarantined": 0, "reopened": 0}
    assert under_way, "no kill met a reading on its way: nothing was proved"


def test_I2_a_network_thread_that_died_in_a_callback_is_noticed_and_nothing_is_lost(tmp_path, broker, edge):
    mark = tmp_path / "mark"
    mark.touch()
    with Served(tmp_path, broker, script="ingest_with_fault.py", FAULT="callback", FAULT_FILE=str(mark)) as ingest:
        edge.send(said(1))
        ingest.until(lambda: stored_up_to(edge) == 10)
        with within(10):
            edge.send(said(1, ep="break-the-callback"))
            edge.send(said(11))
            ingest.until(lambda: ingest.child.restarts == 1)
        assert "thread_died" in ingest.log
        until_said(ingest, edge, stored_up_to, **{"e1": 20, "break-the-callback": 10})
        assert ingest.totals() == {"stored": 30, "quarantined": 0, "reopened": 0}


def test_I3_a_poison_is_set_aside_after_three_deaths_and_good_messages_flow_again(tmp_path, broker, edge):
    with Served(tmp_path, broker, script="ingest_with_fault.py", FAULT="poison") as ingest:
        for first in range(1, 200, 10):
            edge.pour(said(first))
            if first == 101:
                edge.pour(said(1, ep="poison"))
        with within(30):
            until_said(ingest, edge, taken_up_to, e1=200)
        until_said(ingest, edge, stored_up_to, e1=200)
        ingest.until(lambda: stored_up_to(edge, "poison") == 10)
        assert [(item.reason, item.epoch, item.count) for item in ingest.quarantined()] == [
            ("crashed_worker", "poison", 10)
        ]
        assert ingest.child.restarts == 3
        assert ingest.totals() == {"stored": 200, "quarantined": 10, "reopened": 0}


def test_I3_many_poisons_among_good_messages_are_all_set_aside_and_nothing_else(tmp_path, broker, edge):
    poisons = 5 if FULL else 2
    with Served(tmp_path, broker, script="ingest_with_fault.py", FAULT="poison") as ingest:
        poisonous = {f"poison-{i}" for i in range(0, 30, 30 // poisons)}
        for i, first in enumerate(range(1, 300, 10)):
            edge.pour(said(first))
            if f"poison-{i}" in poisonous:
                edge.pour(said(1, ep=f"poison-{i}"))
        ingest.until(lambda: ingest.child.restarts or ingest.child.process.poll() is not None)
        with within(30):
            edge.pour(said(1, ep="after"))
            until_said(ingest, edge, taken_up_to, after=10)  # what comes after does not wait for the last poison
        until_said(ingest, edge, stored_up_to, e1=300, after=10)
        ingest.until(lambda: ingest.totals() == {"stored": 310, "quarantined": 10 * poisons, "reopened": 0})
        assert {(item.reason, item.count) for item in ingest.quarantined()} == {("crashed_worker", 10)}
        assert len(ingest.quarantined()) == poisons
        assert ingest.child.restarts <= 3 * poisons


def test_I4_a_slow_store_leaves_memory_flat_and_acknowledgements_live(tmp_path, broker, edge):
    """Memory grows by less than 50 MiB, each 10,000 readings are acknowledged in less than 5 s, one write of the store.

    200,000 readings; 10 minutes of them with FULL=1.
    """
    rounds, rows, first, sizes = 1_500 if FULL else 20, 500, 1, []
    slow = {"FAULT": "slow_store", "FAULT_SLOW_S": "5" if FULL else str(PATIENCE_S)}
    with Served(tmp_path, broker, script="ingest_with_fault.py", **slow) as ingest:
        process = psutil.Process(ingest.pid)
        for done in range(rounds):
            with within(5):
                for _ in range(20):
                    edge.pour(said(first, rows))
                    first += rows
                ingest.until(lambda: taken_up_to(edge) == first - 1)  # noqa: B023 - awaited here
            assert stored_up_to(edge) < taken_up_to(edge)  # the store is behind, and nobody waits for it
            del edge.heard[:-20]
            if done >= min(50, rounds // 4):
                sizes.append(process.memory_info().rss / 2**20)
            time.sleep(0.2 if FULL else 0)
        assert max(sizes) - sizes[0] < 50, sizes
        assert ingest.child.restarts == 0


def test_I10_a_stopped_ingest_is_noticed_killed_and_started_again(tmp_path, broker, edge):
    """Noticed in less than 30 s."""
    assert STALLED_S <= 25
    stalled_s = STALLED_S if FULL else 6.0
    with Served(tmp_path, broker, stalled_s=stalled_s) as ingest:
        edge.send(said(1))
        ingest.until(lambda: stored_up_to(edge) == 10)
        os.kill(ingest.pid, signal.SIGSTOP)
        stopped = ingest.pid
        for first in range(11, 500, 10):
            edge.pour(said(first))
        with within(stalled_s + 5):
            ingest.until(lambda: ingest.child.restarts == 1)
        assert not psutil.pid_exists(stopped)
        until_said(ingest, edge, stored_up_to, e1=500)
        assert ingest.stored() == {POWER: expected(500)}
        assert ingest.totals() == {"stored": 500, "quarantined": 0, "reopened": 0}
