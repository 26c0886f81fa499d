"""How many readings a second ingest takes in on one core: decode, check, journal (fsynced), ready-made line protocol.

Broker and store are excluded; the end-to-end figure with the SQLite store stands beside it.
"""

from __future__ import annotations

import cProfile
import json
import os
import platform
import pstats
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from facility import wire
from facility.catalogue import Agent, Catalogue
from facility.levels import Level
from facility.model import Building, Meter, Name, Point, Site
from facility.quantities import Quantity
from ingest.entry import decode_entry, encode_entry
from ingest.frames import Frame
from ingest.gate import Doorway, Gate
from ingest.journal import Journal
from ingest.own_clock import OwnClock
from ingest.pipeline import Pipeline
from ingest.streams import Streams
from ingest.subscriber import Inbound
from stores.readings.influx.line_protocol import ReadingLines
from stores.readings.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[[Path, Catalogue, list[Inbound]], int]

RESULT = Path(__file__).parent / "results" / "ingest.json"
NOW_MS = 1_795_000_000_000
METERS, ROWS, BATCHES, GROUP = 100, 500, 4_000, 50
SQLITE_BATCHES = 400
REPEATS = 3
LEAST_PER_CORE = 1_000_000


def estate() -> Catalogue:
    meters = tuple(Meter(f"m{i:03}", Name("m"), "hall", "p", "edge-1", "bus", "1") for i in range(METERS))
    points = tuple(
        Point(meter.id, quantity, level=Level.INTERNAL)
        for meter in meters
        for quantity in (Quantity.ACTIVE_POWER, Quantity.ENERGY_IMPORT, Quantity.VOLTAGE)
    )
    site = Site("town", Name("town"), "UTC", "EUR")
    return Catalogue(site, (), (Building("hall", Name("hall")),), (), (Agent("edge-1", ()),), meters, points)


def messages(catalogue: Catalogue, batches: int) -> list[Inbound]:
    """What an agent that polls every 10 s sends: one reading of each point in turn, values of three kinds."""
    points = [point.id for point in catalogue.points]
    made = []
    for b in range(batches):
        seqs = range(b * ROWS, (b + 1) * ROWS)
        p = [s % len(points) for s in seqs]
        t = [NOW_MS - 86_400_000 * 60 + s // len(points) * 10_000 for s in seqs]
        x = [(230.1 + s % 7, 4000.5 + s % 1000 * 1.25, 125_000 + s / 3000)[s % 3] for s in seqs]
        batch = wire.Batch(1, "edge-1", "e", b * ROWS + 1, "live", wire.Clock(), points, p, t, x)
        payload = wire.encode(batch)
        made.append(Inbound(1, b, "meterhouse/1/up/edge-1/live", payload, wire.crc(payload)))
    return made


def groups(given: list[Inbound]) -> Iterator[list[Inbound]]:
    rest = iter(given)
    while group := list(islice(rest, GROUP)):
        yield group


def take_in(pipeline: Pipeline, journal: Journal, given: list[Inbound]) -> None:
    group = pipeline.read(given, NOW_MS)
    journal.append([encode_entry(entry) for entry in group.entries], pipeline.streams.state)
    pipeline.streams.settle()


def _pipeline(catalogue: Catalogue) -> Pipeline:
    return Pipeline(Doorway(Gate(catalogue)), Streams({}), OwnClock(time.monotonic, lambda: True))


def to_lines(folder: Path, catalogue: Catalogue, given: list[Inbound]) -> int:
    """The measured path; returns the bytes of line protocol, so that nothing can be left out."""
    journal, lines = Journal(folder / "journal"), ReadingLines(catalogue)
    pipeline, cursor, size = (
        Pipeline(Doorway(Gate(catalogue)), Streams({}), OwnClock(time.monotonic, lambda: True)),
        0,
        0,
    )
    for group in groups(given):
        take_in(pipeline, journal, group)
        for frame in journal.frames(cursor):
            if isinstance(frame, Frame) and (readings := decode_entry(frame.body).readings):
                size += len(lines.encode(readings.batch()))
            cursor = frame.end
    journal.close()
    return size


def to_sqlite(folder: Path, catalogue: Catalogue, given: list[Inbound]) -> int:
    journal, store = Journal(folder / "journal"), SqliteStore(folder / "readings.db")
    pipeline, cursor = _pipeline(catalogue), 0
    for group in groups(given):
        take_in(pipeline, journal, group)
        batches = []
        for frame in journal.frames(cursor):
            if isinstance(frame, Frame) and (readings := decode_entry(frame.body).readings):
                batches.append(readings.batch())
            cursor = frame.end
        store.write_many(batches)
    stored = sum(total.count for total in store.totals().values())
    store.close()
    journal.close()
    return stored


def fsyncs_a_second(folder: Path) -> float:
    fd = os.open(folder / "probe", os.O_RDWR | os.O_CREAT)
    begun, n = time.perf_counter(), 0
    while time.perf_counter() - begun < 1:
        os.pwrite(fd, b"x" * 4096, 4096 * n)
        os.fdatasync(fd)
        n += 1
    os.close(fd)
    return n


def rates(run: Run, batches: int, catalogue: Catalogue, given: list[Inbound]) -> dict[str, float]:
    """Readings per second of wall and of process time, the best of a few runs: other processes only slow it down."""
    found = []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            wall, cpu = time.perf_counter(), time.process_time()
            run(Path(folder), catalogue, given[:batches])
            found.append((time.process_time() - cpu, time.perf_counter() - wall))
    n = batches * ROWS
    return {"per_core": round(n / min(cpu for cpu, _ in found)), "wall": round(n / min(wall for _, wall in found))}


def profile(catalogue: Catalogue, given: list[Inbound]) -> list[dict[str, object]]:
    """Where the time goes: the functions that take most of it by themselves."""
    with tempfile.TemporaryDirectory() as folder:
        profiler = cProfile.Profile()
        profiler.runcall(to_lines, Path(folder), catalogue, given)
    stats = pstats.Stats(profiler)
    whole = stats.total_tt  # type: ignore[attr-defined]
    rows = sorted(stats.stats.items(), key=lambda item: -item[1][2])[:12]  # type: ignore[attr-defined]
    return [
        {"function": f"{Path(file).name}:{name}", "share": round(row[2] / whole, 3)} for (file, _, name), row in rows
    ]


def main() -> int:
    """Write ``bench/results/ingest.json``; 1 where a core takes in too few."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("info"))  # as ingest does
    catalogue = estate()
    given = messages(catalogue, BATCHES)
    with tempfile.TemporaryDirectory() as folder:
        fsyncs = fsyncs_a_second(Path(folder))
    to_line_protocol = rates(to_lines, BATCHES, catalogue, given)
    figures = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "readings": BATCHES * ROWS,
        "readings_per_batch": ROWS,
        "fdatasync_per_s": fsyncs,
        "to_line_protocol_readings_per_s": to_line_protocol,
        "to_sqlite_readings_per_s": rates(to_sqlite, SQLITE_BATCHES, catalogue, given),
        "profile_to_line_protocol": profile(catalogue, given[: BATCHES // 4]),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))
    per_core = to_line_protocol["per_core"]
    if per_core < LEAST_PER_CORE:
        print(f"a core took in {per_core} readings a second, fewer than {LEAST_PER_CORE}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--peer", "telegraf"]:
        from bench import peer

        sys.exit(peer.main())
    sys.exit(main())
