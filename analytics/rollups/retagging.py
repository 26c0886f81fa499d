"""Brings the rollup rows of a counter under the tags that the registry has now, after it changed one.

A row under older tags beside the one computed anew would be counted twice by every panel that sums over a tag.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.rollups.strays import ENDS_LATE_MS
from facility.model import MeterRole
from stores.readings import rollup_fields as of
from stores.readings.rollup_columns import absent
from stores.readings.rollups import ROLLUPS

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from accounting.calendars import SiteCalendar
    from stores.readings.port import ReadingStore, RollupSeries, Times

_HANDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "baseline_1h": (tuple(of.BAND),),
    "usage_1h": (("completeness", *(one for one in (*of.USE, *of.HOUR) if one != "completeness")), tuple(of.QUALITY)),
    "usage_1d": (("completeness", *(one for one in of.USE if one != "completeness")),),
}
"""Rollups of counters, and the fields of a row that are written together: where the first is known, all are."""


class Retagging:
    """Brings rows of counters from older tags under those of the registry. Doing it again changes nothing."""

    def __init__(self, store: ReadingStore, calendar: SiteCalendar, totals: Container[tuple[str, str]]) -> None:
        """``totals`` are the buildings and utilities that have head meters."""
        self._store, self._calendar, self._totals = store, calendar, totals

    def bring(self, tags: Mapping[str, str], start_ms: int, end_ms: int, closed: Container[tuple[str, str]]) -> None:
        """Leave no row of the counter under other tags, save in months that are closed for either building.

        A row that was computed anew stands already; one that was not is taken along as it is. It stands under both
        before it goes, so that a crash in between loses nothing.
        """
        counter = {"meter": tags["meter"], "quantity": tags["quantity"]}
        for name, hands in _HANDS.items():
            some = self._store.read_rollup(name, counter, start_ms, end_ms, [fields[0] for fields in hands])
            there = {fields: _known(fields[0], [one for one in some if one.tags == tags]) for fields in hands}
            for older in [one.tags for one in some if one.tags != tags]:
                for rows in self._store.read_rollup(name, older, start_ms, end_ms):
                    self._bring(name, rows, tags, there, end_ms, closed)

    def _bring(
        self, name: str, rows: RollupSeries, tags: Mapping[str, str], there: Mapping[tuple[str, ...], Times],
        end_ms: int, closed: Container[tuple[str, str]],
    ) -> None:  # fmt: skip
        for run in self._open_runs(rows, tags, closed):
            first, last = int(run.t_ms[0]), int(run.t_ms[-1])
            end = end_ms if last == rows.t_ms[-1] else last + 1
            for fields, known in there.items():
                missing = ~np.isin(run.t_ms, known)
                if missing.any():
                    self._store.write_rollup(name, [replace(_rows(run, missing, fields), tags=tags)])
            self._forget_total(name, rows.tags, first, end)
            self._store.delete_rollup(name, rows.tags, first, end)

    def _open_runs(
        self, rows: RollupSeries, tags: Mapping[str, str], closed: Container[tuple[str, str]]
    ) -> Iterator[RollupSeries]:
        """The rows of each month that is open, in time order."""
        months = self._calendar.local_months(rows.t_ms)
        for month in np.unique(months).tolist():
            if not any((building, month) in closed for building in (rows.tags["building"], tags["building"])):
                yield _rows(rows, months == month)

    def _forget_total(self, name: str, older: Mapping[str, str], start_ms: int, end_ms: int) -> None:
        """Delete the total of a building that has lost its last head meter of a utility: nobody computes it now."""
        is_lost = older["role"] == MeterRole.HEAD and (older["building"], older["utility"]) not in self._totals
        sums = ROLLUPS[name].total
        if sums and is_lost:
            total = {tag: older[tag] for tag in ROLLUPS[sums].tags}
            for rollup in (sums, "profile_day") if sums == "building_1d" else (sums,):
                late_ms = ENDS_LATE_MS.get(rollup, 0)
                self._store.delete_rollup(rollup, total, start_ms + late_ms, end_ms + late_ms)


def _known(field: str, some: Sequence[RollupSeries]) -> Times:
    """The times of rows that have a field."""
    return np.concatenate([np.empty(0, np.int64), *(one.t_ms[~absent(one.fields[field])] for one in some)])


def _rows(
    series: RollupSeries, chosen: np.typing.NDArray[np.bool_], names: Sequence[str] | None = None
) -> RollupSeries:
    """Some rows, of all fields or some."""
    fields = {field: series.fields[field][chosen] for field in (series.fields if names is None else names)}
    return replace(series, t_ms=series.t_ms[chosen], fields=fields)
