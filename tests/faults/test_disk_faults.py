"""Faults E1 to E7: what the machine and its disk do to an agent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time

import pytest
from rigs.edge_lines import TcpUnits
from rigs.fault_rig import (
    DOOR,
    FakeTime,
    agent_process,
    asked,
    content,
    preload,
    record,
    samples,
    sdm120,
    small_disk,
    stop,
)
from rigs.patience import until, within
from rigs.trials import FULL, seeded

from edge_agent.outbox.file import set_aside
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.room import Room
from edge_agent.publisher import Publisher
from edge_agent.window import SendWindow
from edge_agent.writer import Writer
from facility import wire

NO_BALLAST = Room(ballast_bytes=0)


@pytest.mark.broker
def test_E1_killed_at_random_moments_the_agent_loses_nothing_and_leaves_no_hole(tmp_path, broker, serve):
    """0 lost of 1,000,000 in 100 kills (FULL=1), of 30,000 in 3."""
    total, kills = (1_000_000, 100) if FULL else (30_000, 3)
    chance = seeded()
    env = {"METERHOUSE_REPLAY": str(record(tmp_path / "recorded", total)), "METERHOUSE_SILENCE_S": "1"}
    server = serve(answers="always")
    for kill in range(kills):
        enough = (kill + chance.random()) * total / (kills + 1)
        with agent_process(tmp_path, broker.url, **env):
            until(lambda enough=enough: server.hw > enough)
            time.sleep(chance.uniform(0, 0.05))
    with agent_process(tmp_path, broker.url, **env) as child:
        server.wait(lambda: server.hw == total)
        heard = len(server.statuses)
        server.wait(lambda: len(server.statuses) > heard)  # it runs, so it can be asked to end
        assert stop(child) == 0
    rows = content(server)
    assert sorted(rows) == list(range(1, total + 1))
    assert sorted(x for _, _, x, _ in rows.values()) == [k / 2 for k in range(total)]


def test_E2_after_a_power_cut_the_outbox_opens_to_a_prefix_of_its_commits(tmp_path):
    """0 corrupt of 1,000 torn logs."""
    trials, per_commit = (1000 if FULL else 200), 20
    chance, base = seeded(), tmp_path / "base"
    base.mkdir()
    outbox = Outbox(base / "outbox.db", 0, room=NO_BALLAST)
    outbox._db.execute("PRAGMA wal_autocheckpoint = 0")
    for k in range(40):
        outbox.commit(samples(per_commit, k * per_commit))
    outbox._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    checkpointed = outbox.newest
    going_on = threading.Event()

    def write():
        while not going_on.is_set() and outbox.newest < 200 * per_commit:
            outbox.commit(samples(per_commit, outbox.newest))

    writer = threading.Thread(target=write)
    writer.start()
    shots = []
    for shot in range(10):  # copied while it is being written
        time.sleep(0.02)
        shots.append(tmp_path / f"shot{shot}")
        shots[-1].mkdir()
        shutil.copy(base / "outbox.db", shots[-1])
        shutil.copy(base / "outbox.db-wal", shots[-1])
    going_on.set()
    writer.join()
    outbox.close()
    opened = set()
    for trial in range(trials):
        folder = tmp_path / "trial"
        shutil.copytree(chance.choice(shots), folder)
        tear(folder / "outbox.db-wal", trial, chance)
        torn = Outbox(folder / "outbox.db", 0, room=NO_BALLAST)
        rows = torn.rows(1, torn.newest, 10**6)
        assert torn._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert torn.newest >= checkpointed
        assert torn.newest % per_commit == 0
        assert [(row[0], row[4]) for row in rows] == [(k + 1, float(k)) for k in range(torn.newest)]
        assert set_aside(folder / "outbox.db") == 0
        opened.add(torn.newest)
        torn.close()
        shutil.rmtree(folder)
    assert len(opened) > 5  # they were torn at different places


def tear(file, trial, chance):
    """Cut it, zero 4 KiB of it, or flip one bit of it."""
    content = bytearray(file.read_bytes())
    at = chance.randrange(len(content))
    if trial % 3 == 0:
        del content[at:]
    elif trial % 3 == 1:
        content[at : at + 4096] = bytes(len(content[at : at + 4096]))
    else:
        content[at] ^= 1 << chance.randrange(8)
    file.write_bytes(content)


COMMITS = """
import sys
from pathlib import Path
from edge_agent.outbox.outbox import Outbox
outbox = Outbox(Path(sys.argv[1]), 0)
before = Path(sys.argv[2]).stat().st_size
for k in range(200):
    outbox.commit([("p", 1000 * (50 * k + i), float(i), 0) for i in range(50)])
print(Path(sys.argv[2]).stat().st_size - before)
"""


def test_E2_and_E7_every_commit_is_synced_once_so_1000_rows_a_second_fit_a_disk_of_350_fsyncs(tmp_path):
    """One fsync per commit, and a few for checkpoints; 50 rows per commit make 1,000 rows/s, also at 350 fsyncs/s."""
    count = tmp_path / "fsyncs"
    env = os.environ | {"LD_PRELOAD": str(preload(tmp_path)), "FAULT_FSYNCS": str(count)}
    done = subprocess.run(
        [sys.executable, "-c", COMMITS, tmp_path / "outbox.db", count],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    fsyncs = int(done.stdout)
    assert 200 <= fsyncs <= 300
    assert 350 / (fsyncs / 200) * 50 >= 1000
    outbox = Outbox(tmp_path / "here.db", 0, room=NO_BALLAST)
    with within(2):
        for k in range(40):
            outbox.commit(samples(50, 50 * k))
    outbox.close()


def test_E3_a_flipped_bit_is_found_wherever_it_is(tmp_path):
    """100 % of 300 flips: no reading is ever wrong; each that is gone has a tombstone or lies in a file set aside."""
    chance, base, n = seeded(), tmp_path / "base.db", 1000
    outbox = Outbox(base, 0, room=NO_BALLAST)
    for begin in range(0, n, 100):
        outbox.commit(samples(50, begin) + samples(50, begin + 50, point="door"))
    outbox._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    right = {row[0]: (outbox.name(row[2]), *row[3:]) for row in outbox.rows(1, n, n)}
    epoch = outbox.epoch
    outbox.close()
    image, outcome = base.read_bytes(), {"harmless": 0, "tombstoned": 0, "set aside": 0}
    for trial in range(300):
        folder = tmp_path / str(trial)
        folder.mkdir()
        flipped = bytearray(image)
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        (folder / "outbox.db").write_bytes(flipped)
        spoilt = Outbox(folder / "outbox.db", 0, room=NO_BALLAST)
        if set_aside(folder / "outbox.db"):
            assert (spoilt.newest, spoilt.epoch != epoch) == (0, True)
            outcome["set aside"] += 1
        else:
            sent, dead = drained(spoilt, n)
            assert all(right[seq] == value for seq, value in sent.items())
            assert sent.keys() | dead == right.keys()
            outcome["tombstoned" if dead else "harmless"] += 1
        spoilt.close()
        shutil.rmtree(folder)
    assert outcome["tombstoned"] > 30, outcome
    assert outcome["set aside"] > 30, outcome


def drained(outbox, n):
    """All that the window sends, as rows by number and the numbers of tombstones."""
    outbox.confirm()
    window, sent, dead = SendWindow(outbox, "a", batches=10**6, reserve=0), {}, set()
    window.connected(0.0)
    while (message := window.next(0.0)) is not None:
        if message.is_data:
            batch = wire.decode(wire.Batch, message.payload)
            for i, (p, t, x) in enumerate(zip(batch.p, batch.t, batch.x, strict=True)):
                sent[batch.first + i] = (batch.points[p], t, x, batch.q[i] if batch.q else 0)
        else:
            for tomb in wire.decode(wire.Tombstones, message.payload).tomb:
                dead.update(range(tomb.start, tomb.end + 1))
    assert max(sent.keys() | dead) == outbox.newest == n
    return sent, dead


@pytest.mark.broker
def test_E4_on_a_full_disk_the_agent_runs_on_tells_and_drains_within_ten_seconds(tmp_path, broker, serve):
    """0 exits; drain resumes in less than 10 s."""
    with small_disk(tmp_path / "disk", "4m") as disk:
        server = serve()
        recorded = record(tmp_path / "recorded", 20_000)
        with agent_process(disk, broker.url, METERHOUSE_REPLAY=str(recorded), METERHOUSE_SILENCE_S="1") as child:
            server.wait(lambda: server.received >= 5000)
            assert (disk / "ballast").stat().st_size == 2**20
            filler = fill(disk)
            asked(server, lambda status: status.figures["alarm_disk_full"])
            assert not (disk / "ballast").exists()
            at, server.answers = server.hw, "always"
            with within(10):
                server.acknowledge()
                asked(server, lambda status: status.figures["stored"] > at)
            filler.unlink()
            server.wait(lambda: server.hw == 20_000)
            asked(server, lambda status: status.figures["alarm_disk_full"] == 0)
            assert (disk / "ballast").exists()
            assert child.poll() is None
            assert stop(child) == 0
        rows = content(server)
        assert rows.keys() | server.dead == set(range(1, 20_001))
        assert all(x == (seq - 1) / 2 for seq, (_, _, x, _) in rows.items())


def test_E4_what_waits_when_an_agent_is_stopped_on_a_disk_that_has_just_filled_is_kept(tmp_path):
    """0 lost: the first failure gives up the ballast."""
    with small_disk(tmp_path / "disk", "4m") as disk:
        outbox = Outbox(disk / "outbox.db", 0, room=Room(ballast_bytes=2**20))
        writer = Writer(outbox, lambda: None, FakeTime().clock(), "boot", commit_s=1.0)
        writer.start()
        fill(disk)
        writer.put(samples(400))
        writer.stop()
        assert (outbox.is_full, outbox.newest, len(outbox.rows(1, 400, 400))) == (True, 400, 400)
        outbox.close()


def fill(disk):
    """A file of somebody else that takes the last byte."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return filler


@pytest.mark.broker
def test_E5_an_outage_longer_than_the_outbox_costs_telemetry_by_tombstone_and_no_security_event(
    tmp_path, broker, serve
):
    """stored + tombstoned = produced: 50,000 with FULL=1, 12,000; 0 security events dropped."""
    produced, kept = (50_000, 10_000) if FULL else (12_000, 3_000)
    outbox = Outbox(tmp_path / "outbox.db", 0, kept=[DOOR], room=Room(unstored_rows=kept, ballast_bytes=0))
    doors = 0
    for begin in range(0, produced, 500):
        outbox.commit(samples(490, begin) + samples(10, begin, point=DOOR))
        doors += 10
        outbox.tidy(1.0)
        assert outbox.reader.held() <= kept
    server = serve(answers="always")
    with Sending(outbox, broker.url):
        server.wait(lambda: server.hw == produced)
    rows = content(server)
    assert len(rows) + len(server.dead - rows.keys()) == produced
    assert not server.dead & rows.keys()
    assert sum(1 for point, *_ in rows.values() if point == DOOR) == doors
    assert {tomb.reason for tomb in server.tombs} == {"outbox_full"}
    outbox.close()


class Sending:
    """A publisher in this process."""

    def __init__(self, outbox, url, **window):
        self.window = SendWindow(outbox, "edge-1", **window)
        self.publisher = Publisher(
            url, "edge-1", outbox, self.window, monotonic=time.monotonic, command=lambda _: None,
            status=lambda: wire.Status(v=1, dev="edge-1", state="online"),
        )  # fmt: skip

    def __enter__(self):
        self.publisher.start()
        return self.publisher

    def __exit__(self, *_):
        self.publisher.stop()


@pytest.mark.broker
def test_E6_a_destroyed_file_is_kept_for_a_person_and_a_new_epoch_sends_within_five_seconds(tmp_path, broker, serve):
    """Publishing in less than 5 s; 0 collisions of sequence numbers."""
    path = tmp_path / "outbox.db"
    before = Outbox(path, 0, room=NO_BALLAST)
    before.commit(samples(5000))
    epoch = before.epoch
    before.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(os.urandom(4096))
    server = serve(answers="always")
    with TcpUnits({1: sdm120(1.0, 2.0)}) as units, agent_process(tmp_path, broker.url, modbus=units.port) as child:
        with within(5):
            server.wait(lambda: server.batches)
        assert {batch.ep for batch in server.batches} == {server.epoch} != {epoch}
        asked(server, lambda status: status.figures["alarm_corrupt"] == 1)
        assert stop(child) == 0
    (aside,) = tmp_path.glob("outbox.db.corrupt-*")
    assert aside.stat().st_size == size
