"""Takes in what people handed in, and takes it back: journal entries of an import, held to the gate as a whole."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from facility import wire
from facility.errors import Rejected
from facility.model import Quality, ReadingBatch
from facility.so_many import so_many
from ingest.entry import Entry, readings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.gate import Gate

EPOCH = "import-"
"""What the epochs of imports begin with: their readings come from no agent, and no agent is asked for them again."""

MOST_ROWS = 10_000
"""Readings of one entry: a frame of the journal holds some 200 kB then."""


def import_of(epoch: str) -> int:
    """The number of the import whose epoch this is; 0 for an agent's."""
    return int(epoch.removeprefix(EPOCH)) if epoch.startswith(EPOCH) else 0


def import_entries(number: int, batch: ReadingBatch, gate: Gate, now_ms: int) -> list[Entry]:
    """The entries that bring an import in. Raises ``Rejected`` where the gate lets one reading not pass: then none."""
    entries: list[Entry] = []
    for agent, part in _by_agent(batch, gate):
        columns = (part.points, part.p, part.t_ms, part.x, part.q)
        said = wire.Batch(wire.VERSION, agent, f"{EPOCH}{number}", 1, "backlog", wire.Clock(), *columns)
        checked = gate.check(said, [(1, len(part))], now_ms)
        if checked.refused:
            refused = checked.refused[0]
            point = refused.readings.points[refused.readings.p[0]]
            raise Rejected(refused.reason, f"{so_many(len(refused.seq), 'reading')}, first of {point}")
        entries += _entries(number, agent, part, now_ms)
    return _last_tells(entries, number)


def undo_entries(number: int, batch: ReadingBatch, gate: Gate, now_ms: int) -> list[Entry]:
    """The entries that retract an import; of points that the estate has no more nothing is left to retract."""
    known = [row for row, p in enumerate(batch.p) if gate.agent_of(batch.points[p]) is not None]
    batch = batch.chosen(known)
    batch = ReadingBatch(batch.points, batch.p, batch.t_ms, batch.x, [Quality.RETRACTED.value] * len(batch))
    entries = [one for agent, part in _by_agent(batch, gate) for one in _entries(number, agent, part, now_ms)]
    return _last_tells(entries, number)


def _by_agent(batch: ReadingBatch, gate: Gate) -> Iterator[tuple[str, ReadingBatch]]:
    """The readings of each agent's points; what nobody reads has no agent."""
    of_point = [gate.agent_of(point) or "" for point in batch.points]
    rows = sorted(range(len(batch)), key=lambda row: of_point[batch.p[row]])
    for agent, some in groupby(rows, key=lambda row: of_point[batch.p[row]]):
        yield agent, batch.chosen(list(some))


def _entries(number: int, agent: str, part: ReadingBatch, now_ms: int) -> Iterator[Entry]:
    """Rows have numbers of their own, and claim none: an agent's stay as they are."""
    for start in range(0, len(part), MOST_ROWS):
        rows = range(start, min(start + MOST_ROWS, len(part)))
        readings = readings_of(part.chosen(list(rows)), [row + 1 for row in rows])
        epoch = f"{EPOCH}{number}"
        yield Entry(agent, epoch, now_ms, "replay", readings=readings, batch=f"{epoch} {rows.start + 1}")


def _last_tells(entries: list[Entry], number: int) -> list[Entry]:
    """With the last of its entries an import is done."""
    return [*entries[:-1], *(_with_import(entry, number) for entry in entries[-1:])]


def _with_import(entry: Entry, number: int) -> Entry:
    return Entry(*entry.stream, entry.at_ms, entry.lane, readings=entry.readings, batch=entry.batch, of_import=number)
