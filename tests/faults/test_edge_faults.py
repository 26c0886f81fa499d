"""Faults E1 to E14 of the edge: what the machine, its disk, its clock and its meters do to an agent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from itertools import pairwise
from math import fsum

import msgspec
import numpy as np
import pytest
from edge_lines import TcpUnits
from edge_server import Server, until
from fault_rig import (
    DOOR,
    FULL,
    WrongClock,
    agent_process,
    log_of,
    preload,
    record,
    samples,
    seeded,
    small_disk,
    stop,
)  # fmt: skip
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers import Mosquitto

from accounting.intervals import use_between
from accounting.local_time import HOUR_MS
from accounting.registers import straightened
from edge_agent.clock import EARLIEST_MS, SETTLE_MS, Clock, Trust
from edge_agent.decode import decode_json, decode_registers, encode_registers
from edge_agent.outbox import Outbox
from edge_agent.outbox_file import set_aside
from edge_agent.outbox_points import MOST_BACK_MS
from edge_agent.outbox_room import Room
from edge_agent.publisher import Publisher
from edge_agent.suspicion import Suspicion
from edge_agent.window import Window
from edge_agent.writer import Writer
from facility import wire
from facility.errors import DriverError, Rejected
from facility.profile import Coding, JsonPoint, RegisterPoint, Table, WordOrder
from facility.quantities import GREATEST_RATES, Quantity
from ingest import decode as ingest_decode
from ingest.subscriber import Inbound

NO_BALLAST = Room(ballast_bytes=0)
EXAMPLES = settings(
    max_examples=100_000 if FULL else 2000,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


@pytest.fixture(scope="module")
def broker():
    with Mosquitto() as mosquitto:
        yield mosquitto


@pytest.fixture
def serve(broker):
    """Servers that end with the test, also when it fails: two of one name would kick each other."""
    made = []

    def start(**options):
        made.append(Server(broker.port, **options))
        return made[-1]

    yield start
    for server in made:
        server.stop()


def asked(server, condition, timeout=20.0):
    """Ask the agent for its status until one that was asked for fits."""
    begun, seen = time.monotonic(), len(server.statuses)
    while not any(condition(status) for status in server.statuses[seen:] if status.state == "online"):
        assert time.monotonic() - begun < timeout, server.statuses[seen:][-1:]
        server.command("resume")
        time.sleep(0.2)


def content(server):
    """Readings by sequence number. Fails if one number ever came with two contents."""
    rows = {}
    for batch in server.batches:
        q = batch.q or [0] * len(batch.x)
        for i, (p, t, x) in enumerate(zip(batch.p, batch.t, batch.x, strict=True)):
            assert rows.setdefault(batch.first + i, (batch.points[p], t, x, q[i])) == (batch.points[p], t, x, q[i])
    return rows


def sdm120(power, energy):
    words = {}
    for quantity, address, value in ((Quantity.ACTIVE_POWER, 0x0C, power), (Quantity.ENERGY_IMPORT, 0x48, energy)):
        point = RegisterPoint(quantity, "total", address, Coding.FLOAT32, Table.INPUT)
        words.update(enumerate(encode_registers(point, value), address))
    return {address: words.get(address, 0) for address in range(0x4C)}


@pytest.mark.broker
def test_E1_killed_at_random_moments_the_agent_loses_nothing_and_leaves_no_hole(tmp_path, broker, serve):
    """0 lost of 1,000,000 in 100 kills (FULL=1)."""
    total, kills = (1_000_000, 100) if FULL else (60_000, 4)
    chance = seeded()
    env = {"METERHOUSE_REPLAY": str(record(tmp_path / "recorded", total)), "METERHOUSE_SILENCE_S": "1"}
    server = serve(answers="always")
    for kill in range(kills):
        enough = (kill + chance.random()) * total / (kills + 1)
        with agent_process(tmp_path, broker.url, **env):
            until(lambda enough=enough: server.hw > enough, 60)
            time.sleep(chance.uniform(0, 0.05))
    with agent_process(tmp_path, broker.url, **env) as child:
        server.wait(lambda: server.hw == total, 600 if FULL else 30)
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
from edge_agent.outbox import Outbox
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
    begun = time.perf_counter()
    for k in range(40):
        outbox.commit(samples(50, 50 * k))
    assert 2000 / (time.perf_counter() - begun) >= 1000
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
    window, sent, dead = Window(outbox, "a", batches=10**6, reserve=0), {}, set()
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
            server.wait(lambda: server.received >= 5000, 15)
            assert (disk / "ballast").stat().st_size == 2**20
            filler = fill(disk)
            asked(server, lambda status: status.figures["alarm_disk_full"])
            assert not (disk / "ballast").exists()
            begun, at = time.monotonic(), server.hw
            server.answers = "always"
            server.acknowledge()
            asked(server, lambda status: status.figures["stored"] > at, 10)
            assert time.monotonic() - begun < 10
            filler.unlink()
            server.wait(lambda: server.hw == 20_000, 20)
            asked(server, lambda status: status.figures["alarm_disk_full"] == 0, 10)
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
    """stored + tombstoned = 50,000; 0 security events dropped."""
    outbox = Outbox(tmp_path / "outbox.db", 0, kept=[DOOR], room=Room(unstored_rows=10_000, ballast_bytes=0))
    doors = 0
    for begin in range(0, 50_000, 500):
        outbox.commit(samples(490, begin) + samples(10, begin, point=DOOR))
        doors += 10
        outbox.tidy(1.0)
        assert outbox.held() <= 10_000
    server = serve(answers="always")
    with Sending(outbox, broker.url):
        server.wait(lambda: server.hw == 50_000, 20)
    rows = content(server)
    assert len(rows) + len(server.dead - rows.keys()) == 50_000
    assert not server.dead & rows.keys()
    assert sum(1 for point, *_ in rows.values() if point == DOOR) == doors
    assert {tomb.reason for tomb in server.tombs} == {"outbox_full"}
    outbox.close()


class Sending:
    """A publisher in this process."""

    def __init__(self, outbox, url, **window):
        self.window = Window(outbox, "edge-1", **window)
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
    begun = time.monotonic()
    with TcpUnits({1: sdm120(1.0, 2.0)}) as units, agent_process(tmp_path, broker.url, modbus=units.port) as child:
        server.wait(lambda: server.batches, 10)
        assert time.monotonic() - begun < 5
        assert {batch.ep for batch in server.batches} == {server.epoch} != {epoch}
        asked(server, lambda status: status.figures["alarm_corrupt"] == 1)
        assert stop(child) == 0
    (aside,) = tmp_path.glob("outbox.db.corrupt-*")
    assert aside.stat().st_size == size


def test_E8_swapped_words_are_kept_as_suspect_and_never_reach_a_total():
    """0 suspect values in totals; 0 raw values discarded, at 0.1 % swapped words."""
    chance = seeded()
    for coding, scale in ((Coding.UINT32, 0.01), (Coding.FLOAT32, 1.0)):
        big = RegisterPoint(Quantity.ENERGY_IMPORT, "total", 0, coding, Table.INPUT, scale=scale)
        little = RegisterPoint(
            Quantity.ENERGY_IMPORT, "total", 0, coding, Table.INPUT, scale=scale, word_order=WordOrder.LITTLE
        )
        suspicion = Suspicion({"c": GREATEST_RATES[Quantity.ENERGY_IMPORT]}, {})
        truth, raw, swapped, taken = 4912.5, [], set(), []
        for k in range(20_000):
            truth += chance.choice([0.0, 0.25, 0.5])
            words = encode_registers(big, truth)
            if chance.random() < 0.001 and k:
                swapped.add(k)
            value = decode_registers(little if k in swapped else big, words)
            raw.append(value)
            taken += suspicion.judge([("c", EARLIEST_MS + 60_000 * k, value, 0)])
        assert [x for _, _, x, _ in taken] == raw
        assert {k for k, sample in enumerate(taken) if sample[3] == 2} >= {k for k in swapped if raw[k] != raw[k - 1]}
        good = [sample for sample in taken if sample[3] != 2]
        assert len(taken) - len(good) <= len(swapped)  # nothing true is doubted
        t_ms, x = np.array([s[1] for s in good]), np.array([s[2] for s in good])
        ends = np.array([t_ms[0], t_ms[-1]])
        qty = use_between(t_ms, x, ends, max_rate=GREATEST_RATES[Quantity.ENERGY_IMPORT]).qty
        assert fsum(qty) == pytest.approx(truth - raw[0], abs=0.6)
        assert len(swapped) > 10


def test_E8_what_a_meter_counted_through_an_outage_is_believed_and_a_reset_after_three_readings():
    suspicion = Suspicion({"c": 5000.0}, {"c": (EARLIEST_MS, 100.0)})
    t_ms = EARLIEST_MS + 8 * HOUR_MS
    assert judged(suspicion, t_ms, [4100.0, 4100.1]) == [0, 0]
    t_ms += 60_000
    assert judged(suspicion, t_ms, [0.0, 0.1, 0.1, 0.2, 0.3]) == [2, 2, 2, 0, 0]
    assert judged(suspicion, t_ms + 60_000, [0.3, 9e8, 0.4]) == [0, 2, 0]


def judged(suspicion, t_ms, values):
    return [suspicion.judge([("c", t_ms + 1000 * i, x, 0)])[0][3] for i, x in enumerate(values)]


@EXAMPLES
@given(
    st.sampled_from([2.0**16, 2.0**32, 9_999_999.9]),
    st.lists(st.tuples(st.floats(0, 49), st.sampled_from(["on"] * 12 + ["reset"])), min_size=8, max_size=24),
    st.floats(0, 1),
)
def test_E9_rolled_over_and_reset_a_counter_never_counts_backwards_or_faster_than_it_can(span, walk, begin):
    """0 negative deltas; error of at most one interval per reset; 0 deltas above rated power × interval."""
    rate, quarter = 200.0, HOUR_MS // 4  # units an hour, 50 a quarter: a little more than the walks take
    register, used, resets = (span - 300 * begin) % span, [], 0
    x = [register]
    settled = 0
    for step, what in walk:
        settled += 1
        if what == "reset" and settled > 5 and register > 1000:
            register, resets, settled = 0.0, resets + 1, 0
        register = (register + step) % span
        used.append(step)
        x.append(register)
    x += [register] * 5  # long enough to settle the last anomaly
    t_ms = np.arange(len(x)) * quarter
    total = straightened(t_ms, np.array(x), register_span=span, max_rate=rate)
    steps = np.diff(total.total)
    hours = np.diff(total.t_ms) / HOUR_MS
    assert (steps >= 0).all()
    assert (steps <= rate * hours + 1e-6 * span**0.5 + 1e-6).all()
    lost = fsum(used) - float(total.total[-1] - total.total[0])
    # a register holds a small step back and its last digits; each reset may cost what was used in its interval
    assert lost + 1e-9 * span >= -1e-3 or resets
    assert abs(lost) <= resets * 50.0 + 0.1


def test_E10_zeros_after_a_restart_of_the_device_are_a_glitch():
    """100, 0, 0, 101 is +1, at the edge and in the accounts."""
    t_ms, x = np.arange(4) * 60_000, np.array([100.0, 0.0, 0.0, 101.0])
    assert straightened(t_ms, x).total.tolist() == [100.0, 101.0]
    suspicion = Suspicion({"c": 5000.0}, {})
    assert judged(suspicion, EARLIEST_MS, x.tolist()) == [0, 2, 2, 0]


NOT_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "null", "true", '"7"', "[]", "{}", "9" * 5000]
JSON_TEXTS = st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=3),
        max_leaves=6,
    ).map(msgspec.json.encode),
    st.integers(1, 5000).map(lambda depth: b"[" * depth),
    st.sampled_from(NOT_NUMBERS).map(lambda word: b'{"a":{"b":%s}}' % word.encode()),
)
JSON_POINTS = (
    JsonPoint(Quantity.ACTIVE_POWER, "total", "t", ("a", "b")),
    JsonPoint(Quantity.VOLTAGE, "total", "t", ("a", "1")),
    JsonPoint(Quantity.DOOR_OPEN, "door", "t", ("a",), words={"true": 1.0}),
)


@EXAMPLES
@given(JSON_TEXTS)
def test_E11_whatever_a_device_says_yields_finite_numbers_or_a_reason(payload):
    """0 crashes and 0 non-finite values in 100,000 examples (FULL=1)."""
    try:
        said = decode_json(JSON_POINTS, "t", payload)
    except DriverError:
        return
    assert all(isinstance(x, int | float) and np.isfinite(x) for x in said.values())


BATCH = '{"v":1,"dev":"edge-1","ep":"e","first":%s,"lane":"live","clk":{},"points":["p"],"p":[%s],"t":[%s],"x":[%s]}'
FIELDS = st.one_of(
    st.just("1"), st.just("0"), st.sampled_from(NOT_NUMBERS), st.integers().map(str), st.floats().map(str)
)


@EXAMPLES
@given(st.one_of(JSON_TEXTS, st.tuples(FIELDS, FIELDS, FIELDS, FIELDS).map(lambda f: (BATCH % f).encode())))
def test_E11_whatever_an_agent_sends_is_decoded_or_refused_with_a_reason(payload):
    """0 crashes; what is no finite number leaves the wire as NaN only towards the gate, which refuses it."""
    for kind in (wire.Batch, wire.Tombstones, wire.Hello, wire.Status, wire.Ack, wire.Command):
        try:
            said = wire.decode(kind, payload)
        except Rejected:
            continue
        if isinstance(said, wire.Batch):
            assert all(np.isfinite(said.x))
    for what in ("live", "hello", "status"):
        topic = wire.up_topic("edge-1", what)
        with suppress(Rejected):
            ingest_decode.decode(Inbound(1, 1, topic, payload, wire.crc(payload)))


def test_E12_a_second_agent_on_one_outbox_says_so_and_ends_within_a_second(tmp_path):
    """Exit code other than 0 in less than 1 s, apart from what Python takes to load as much."""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "import edge_agent.__main__"], check=True)
    loading_s = time.monotonic() - begun
    outbox = Outbox(tmp_path / "outbox.db", 0, room=NO_BALLAST)
    begun = time.monotonic()
    with agent_process(tmp_path, "mqtt://127.0.0.1:1") as child:
        assert child.wait(20) == 2
        assert time.monotonic() - begun < loading_s + 1
    assert "another agent already uses the outbox" in log_of(tmp_path)
    outbox.close()


@pytest.mark.broker
def test_E12_two_agents_of_one_name_notice_that_they_kick_each_other(tmp_path, broker, serve):
    """Alarm in less than 60 s."""
    server = serve()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    begun = time.monotonic()
    with agent_process(tmp_path / "a", broker.url), agent_process(tmp_path / "b", broker.url):
        alarm = "alarm=unsteady"
        until(lambda: alarm in log_of(tmp_path / "a") and alarm in log_of(tmp_path / "b"), 60)
        server.wait(lambda: any(status.figures.get("alarm_unsteady") for status in server.statuses), 30)
    assert time.monotonic() - begun < 60


def say_door(server, told):
    """A door event at a time that the test knows."""
    told.append((round(time.time() * 1000), len(told) % 2))
    server.client.publish("zigbee2mqtt/front", b'{"contact":%s}' % (b"false" if told[-1][1] else b"true"), 1)


def doors(server):
    return [(t, x, q) for point, t, x, q in (row for _, row in sorted(content(server).items())) if point == DOOR]


@pytest.mark.broker
def test_E13_readings_from_before_the_clock_is_right_are_held_and_dated_within_two_seconds(tmp_path, broker, serve):
    """0 points before the build time; back-dating error of at most 2 s; a restart in between changes nothing."""
    clock = WrongClock(tmp_path, -1_790_000_000)
    server, told = serve(answers="always"), []
    env = {"radio": broker.url, **clock.env}
    with agent_process(tmp_path, broker.url, **env):
        asked(server, lambda status: status.buses["radio"] == "ok")
        for _ in range(5):
            say_door(server, told)
            time.sleep(0.3)
        asked(server, lambda status: status.figures["undated"] == 5 and status.figures["alarm_clock"] == 1)
    with agent_process(tmp_path, broker.url, **env) as child:  # killed and started again, the clock still wrong
        asked(server, lambda status: status.figures["undated"] == 5 and status.buses["radio"] == "ok")
        say_door(server, told)
        time.sleep(0.8)
        assert not server.batches
        clock.set(0)
        server.wait(lambda: server.hw == 6, 10)
        say_door(server, told)
        server.wait(lambda: server.hw == 7, 10)
        assert stop(child) == 0
    came = doors(server)
    assert [x for _, x, _ in came] == [float(x) for _, x in told]
    assert [q for _, _, q in came] == [1] * 6 + [0]
    assert max(abs(t - at) for (t, _, _), (at, _) in zip(came, told, strict=True)) <= 2000
    assert min(t for t, _, _ in came) >= EARLIEST_MS
    assert all(batch.clk.synced for batch in server.batches)


class FakeTime:
    """A machine's two clocks; ``boot`` begins another run of the steady one."""

    def __init__(self):
        self.true_ms, self.steady_ms, self.off_ms = EARLIEST_MS + 10**10, 5000, 0

    def go_on(self, ms):
        self.true_ms += ms
        self.steady_ms += ms

    def boot(self, off_ms, down_ms=20_000):
        self.true_ms, self.steady_ms, self.off_ms = self.true_ms + down_ms, 5000, off_ms

    def clock(self, trust=Trust.AUTO, is_synchronised=lambda: True):
        return Clock(lambda: self.true_ms + self.off_ms, lambda: self.steady_ms, trust, is_synchronised)


def write(outbox, clock, boot, value):
    t_ms, q = clock.stamp()
    Writer(outbox, lambda: None, clock, boot)._write([("p", t_ms, value, int(q))])


def test_E13_readings_of_earlier_boots_lie_between_their_neighbours(tmp_path):
    now, truth = FakeTime(), []
    outbox = Outbox(tmp_path / "outbox.db", 0, room=NO_BALLAST)
    for boot, off_ms in (("right", 0), ("lost-1", -(10**12) * 2), ("lost-2", -(10**12) * 2), ("again", -(10**12) * 2)):
        now.boot(off_ms)
        clock = now.clock()
        for _ in range(50):
            now.go_on(1000)
            truth.append(now.true_ms)
            write(outbox, clock, boot, float(len(truth)))
    assert (outbox.newest, outbox.undated()) == (50, 150)
    now.off_ms = 0  # the time service has come
    write(outbox, clock, "again", 201.0)
    rows = outbox.rows(1, 999, 999)
    times = [row[3] for row in rows]
    assert [row[4] for row in rows] == [float(k) for k in range(1, 202)]
    assert all(a < b for a, b in pairwise(times))
    assert [row[5] for row in rows] == [0] * 50 + [1] * 150 + [0]
    assert max(abs(t - at) for t, at in zip(times[150:200], truth[150:], strict=True)) <= 2000  # of this boot: exact
    assert max(abs(t - at) for t, at in zip(times, truth, strict=False)) <= 60_000  # of others: as they fit
    outbox.close()


def test_E13_a_clock_is_right_when_its_setting_says_so():
    now, kernel = FakeTime(), []
    now.off_ms = -now.true_ms
    assert [now.clock(trust).offset_ms() for trust in Trust] == [None] * 3
    now.off_ms = 0
    kept = now.clock(Trust.KERNEL, lambda: bool(kernel))
    assert (now.clock().offset_ms() is not None, kept.offset_ms(), kept.state().synced) == (True, None, False)
    kernel.append("synchronised")
    assert kept.stamp() == (now.true_ms, 0)
    assert kept.state() == wire.Clock(synced=True, src="kernel", off_ms=0.0)


@pytest.mark.broker
def test_E14_a_clock_that_steps_spoils_no_time_and_stops_no_timer(tmp_path, broker, serve):
    """0 overwritten readings, 0 stuck timers: −2 h, +1 day and back within a minute."""
    clock = WrongClock(tmp_path, 0)
    server, told = serve(answers="always"), []
    with (
        TcpUnits({1: sdm120(1.0, 2.0)}) as units,
        agent_process(tmp_path, broker.url, radio=broker.url, modbus=units.port, **clock.env) as child,
    ):
        asked(server, lambda status: status.buses == {"line": "ok", "radio": "ok"})
        begun = time.monotonic()
        for step in (0, -7200, 0, 86_400, 0):
            clock.set(step)
            for _ in range(4):
                say_door(server, told)
                time.sleep(0.4)
        server.wait(lambda: len(doors(server)) == len(told))
        took = time.monotonic() - begun
        assert stop(child) == 0
    came = doors(server)
    assert max(abs(t - at) for (t, _, _), (at, _) in zip(came, told, strict=True)) <= 2000
    times = [t for _, t, _, _ in (r for _, r in sorted(content(server).items()) if r[0] == "m1/active_power/total")]
    assert all(a < b for a, b in pairwise(times))
    assert len(times) >= took - 2
    assert {q for _, _, q in came} == {0, 1}  # while the clock is off, times are called estimated


@pytest.mark.parametrize("steps", [(-7_200_000,), (86_400_000,), (86_400_000, -86_400_000), (-7_200_000, 86_400_000)])
def test_E14_steps_that_last_overwrite_nothing_expire_nothing_and_do_not_creep(tmp_path, steps):
    """0 overwritten readings and 0 premature expiries, whatever is stepped to for longer than a minute."""
    now = FakeTime()
    clock, outbox = now.clock(), Outbox(tmp_path / "outbox.db", 0, room=Room(window_s=3600, ballast_bytes=0))
    stamps = []
    for step in (0, *steps, 0):
        now.off_ms += step
        for _ in range(300):
            now.go_on(1000)
            write(outbox, clock, "boot", float(len(stamps)))
            stamps.append(now.true_ms + now.off_ms)
    outbox.free(outbox.newest)
    outbox.tidy(now.steady_ms / 1000)
    rows = outbox.rows(1, 10**6, 10**6)
    assert len({row[3] for row in rows}) == len(rows) == len(stamps)
    settled = [
        abs(row[3] - at) for i, (row, at) in enumerate(zip(rows, stamps, strict=True)) if i % 300 > SETTLE_MS / 1000
    ]
    assert max(settled) <= MOST_BACK_MS // 10
    outbox.close()


def test_E14_when_the_day_that_was_jumped_to_really_comes_its_times_are_not_given_again(tmp_path):
    now, day = FakeTime(), 86_400_000
    clock, outbox = now.clock(Trust.TRUSTED), Outbox(tmp_path / "outbox.db", 0, room=NO_BALLAST)
    for off_ms in (day, 0):
        now.off_ms = off_ms
        for _ in range(100):
            now.go_on(1000)
            write(outbox, clock, "boot", 1.0)
    now.go_on(day - 200_000)
    for _ in range(200):
        now.go_on(1000)
        write(outbox, clock, "boot", 1.0)
    times = [row[3] for row in outbox.rows(1, 999, 999)]
    assert len(set(times)) == len(times) == 400
    assert max(abs(a - b) for a, b in pairwise(times[200:])) < day
    outbox.close()
