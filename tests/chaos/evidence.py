"""Collects what a run left behind, through the reading interfaces that the product itself offers."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
from chaos.meters import answer_number
from chaos.readings import POINTS, Issued
from chaos.reckoning import Aside, Found

from edge_agent.outbox.outbox import LIVE, Outbox
from facility import wire
from facility.errors import Rejected
from ingest.watermarks import Watermarks
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.quarantine.quarantine import Quarantine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from chaos.meters import Gateway
    from chaos.topology import Topology

    from edge_agent.outbox.file import Row
    from stores.records.quarantine.quarantine import QuarantineItem

FOR_EVER = 2**53
CHUNK = 10_000
MOST_ITEMS = 10_000_000


def live_readings(outbox: Path) -> list[Issued]:
    """What the meters said and the agent committed: the part of the truth that no seed foretells."""
    return [reading for reading, is_live in held_readings(outbox) if is_live]


def held_readings(outbox: Path) -> list[tuple[Issued, bool]]:
    """Every reading in the file of an agent that has ended, and whether it is live."""
    with closing(Outbox(outbox, _now_ms())) as opened:
        return [(Issued(opened.name(row[2]), row[3], row[4]), row[1] == LIVE) for row in _rows(opened)]


def invented(live: list[Issued], gateway: Gateway) -> int:
    """How many live readings no meter ever said, or were taken twice."""
    numbered = ((reading.point, answer_number(reading.point, reading.x)) for reading in live)
    said = {(point, k) for point, k in numbered if k and k <= gateway.answers[POINTS.index(point)]}
    return len(live) - len(said)


def collect(topology: Topology, spoilt: Mapping[int, tuple[str, int]], again: Iterable[tuple[str, int]]) -> Found:
    """Store, quarantine, tombstones and ledger, once the parts have ended.

    ``spoilt``: what the rig has damaged; ``again``: readings that may have come under two numbers.
    """
    with closing(open_readings(topology.store_url)) as store:
        stored = {}
        for point in store.totals():
            series = store.read([point], 0, FOR_EVER)[point]
            stored[point] = list(zip(series.t_ms.tolist(), series.x.tolist(), strict=True))
    with closing(Watermarks(topology.ingest / "ingest.db")) as watermarks:
        totals = watermarks.totals()
        dead = {seq for *_, first, last, _ in watermarks.tombstones() for seq in range(first, last + 1)}
    ledger = totals["stored"] + totals["quarantined"] - totals["reopened"]  # what was reopened counts again
    return Found(stored, _aside(topology.records_url), _buried(topology.outbox, dead, spoilt), ledger, set(again))


def _aside(records: str) -> list[Aside]:
    engine = open_records(records)
    try:
        return [copy for item in Quarantine(engine).items(limit=MOST_ITEMS) for copy in _copies(item)]
    finally:
        engine.dispose()


def _copies(item: QuarantineItem) -> list[Aside]:
    """The readings of an item; a message that cannot be read holds none that could be named."""
    if item.kind == "message":
        try:
            batch = wire.decode(wire.Batch, item.payload)
        except Rejected:
            return []
        columns = msgspec.to_builtins(batch)
    else:
        columns = msgspec.json.decode(item.payload)
    points = [columns["points"][p] for p in columns["p"]]
    rows = zip(points, columns["t"], columns["x"], strict=True)
    return [Aside(point, t_ms, x, item.reason, item.kind) for point, t_ms, x in rows]


def _buried(outbox: Path, dead: set[int], spoilt: Mapping[int, tuple[str, int]]) -> list[tuple[str, int]]:
    """Point and time behind each tombstoned number; a number that nobody knows names no point."""
    known = dict(spoilt)
    with closing(Outbox(outbox, _now_ms())) as opened:
        for seq in dead - known.keys():
            known |= {row[0]: (opened.name(row[2]), row[3]) for row in opened.rows(seq, seq, 1)}
    return [known.get(seq, ("", 0)) for seq in sorted(dead)]


def _rows(outbox: Outbox) -> Iterator[Row]:
    first = outbox.reader.next_row(1)
    while first is not None:
        rows = outbox.rows(first, outbox.newest, CHUNK)
        yield from rows
        first = outbox.reader.next_row(rows[-1][0] + 1 if rows else first + 1)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
