"""What every reading store can do; the contract suite in tests/contracts holds them all to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from facility.model import ReadingBatch
    from stores.readings.rollup_columns import Column

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Series:
    """Readings of one point in time order: ``t_ms``, ``x``, ``q``, each (n,). Empty arrays where there are none."""

    t_ms: Times
    x: Values
    q: Codes

    def __len__(self) -> int:
        """Number of readings."""
        return len(self.t_ms)


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest reading of a point."""

    t_ms: int
    x: float
    q: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """Which stretch of each point was written since a cursor: point → (first, last) time in ms, both included."""

    cursor: int
    ranges: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PointTotal:
    """How many readings of a point are stored and their exact sum (``math.fsum``)."""

    count: int
    total: float


@dataclass(frozen=True, slots=True)
class RollupSeries:
    """One series of a rollup: its tags, times (n,) in ms and a column (n,) per field.

    Figures are float64, NaN where absent; whole numbers and texts are objects (int or str), None where absent.
    """

    tags: Mapping[str, str]
    t_ms: Times
    fields: Mapping[str, Column] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.t_ms)


class ReadingStore(Protocol):
    """Readings and rollups. All ranges are half-open ``start_ms <= t < end_ms``, times are ms since 1970 UTC.

    A reading is retracted by writing its point and time again with ``Quality.RETRACTED``: from then on none of these
    methods tells it, but for ``read_rows`` and ``hour_counts``. A later reading of that time stands again.

    Every method raises ``StoreUnavailable`` when the store cannot be reached, and then has stored nothing
    that it does not store again: writes are idempotent, so the caller repeats them.
    """

    def write(self, batch: ReadingBatch) -> None:
        """Store readings durably. The same point and time again overwrites: (series, time) is the effect.

        Raises ``Rejected`` and stores nothing where columns differ in length or hold a number that is not finite.
        """

    def write_many(self, batches: Sequence[ReadingBatch]) -> None:
        """Store several batches in one durable step, all or none of them; a later batch overwrites an earlier one."""

    def read(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Readings of each point in the range; a point without readings has an empty series."""

    def read_rows(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """The same and what was retracted: what is kept, for who copies it or holds it to what was taken in."""

    def read_switches(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Of each point the first reading of the range, those that show another value than the one before, the last.

        What lies between is not read where a store can find that without: a door says for weeks that it is shut.
        """

    def read_before(self, points: Sequence[str], t_ms: int) -> dict[str, Latest]:
        """The newest reading of each point at or before ``t_ms``; points without one are left out."""

    def latest(self, points: Sequence[str] | None = None) -> dict[str, Latest]:
        """The newest reading of each point (of all points if None)."""

    def changes(self, cursor: int) -> Changes:
        """What was written after ``cursor`` (0: everything). Written by any process, seen by every process.

        Ranges may be wider than what was written, never narrower. A cursor that the store has not reached
        (it was created anew) counts as 0.
        """

    def cursor(self) -> int:
        """Where ``changes`` stands now (0: nothing was written yet), at once: from there on it tells what comes."""

    def totals(self) -> dict[str, PointTotal]:
        """Count and exact sum of every point: the conservation proof."""

    def hour_counts(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[int, int]:
        """How many rows of these points each UTC hour holds, by its start in ms; empty hours are left out.

        Retracted ones are counted: they are held to what was taken in.
        """

    def newest_times(self, points: Sequence[str], start_ms: int, end_ms: int, step_ms: int) -> dict[str, Times]:
        """Of each point the time of its newest reading in each step that has one, in time order; none: an empty array.

        Steps begin at whole multiples of ``step_ms`` since 1970 and are cut to the range. What lies between is not read
        where a store can find it without.
        """

    def write_rollup(self, name: str, series: Iterable[RollupSeries]) -> None:
        """Store rows of a rollup of ``stores.readings.rollups.ROLLUPS``; the same tags and time overwrite.

        Only the fields given are written (NaN or None erases); other fields of the row stay as they are, so use and
        band of an hour may be written by two hands. Raises ``Rejected`` for a rollup, tag or field that
        is not in ``ROLLUPS``, and for what is not of the field's type.
        """

    def write_rollups(self, rollups: Sequence[tuple[str, Sequence[RollupSeries]]]) -> None:
        """The same of several rollups in one step. A server may keep a part of it: whoever repeats it changes nothing.

        What is wrong is refused before anything is written.
        """

    def read_rollup(
        self, name: str, tags: Mapping[str, str], start_ms: int, end_ms: int, fields: Sequence[str] | None = None
    ) -> list[RollupSeries]:
        """Series of a rollup whose tags include ``tags``, cut to the range; series without rows there are left out."""

    def read_rollups(
        self,
        name: str,
        some: Sequence[Mapping[str, str]],
        start_ms: int,
        end_ms: int,
        fields: Sequence[str] | None = None,
    ) -> list[RollupSeries]:
        """The same of series whose tags include one of ``some``, each once: many counters by one question."""

    def rollup_stretch(self, name: str) -> tuple[int, int] | None:
        """The times of the first and the last row of a rollup; None where it has no rows."""

    def delete_rollup(self, name: str, tags: Mapping[str, str], start_ms: int, end_ms: int) -> None:
        """Delete rows of the matching series in the range."""

    def probe(self) -> None:
        """Reach the store and see whose it is, in one cheap question, and store no reading.

        Raises ``StoreUnavailable`` for a store that would take none: of another site, or of a newer Meterhouse.
        """

    def close(self) -> None:
        """Release files and connections."""
