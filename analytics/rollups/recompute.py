"""Works through the list of recomputations a month at a time; notes what each month was before and after.

A month of many counters is done some counters at a time, so that rollups of what is measured meanwhile come in between.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import structlog

from accounting.calendars import SiteCalendar
from accounting.local_time import DAY_MS
from analytics.scene import instant
from stores.counter_rows import read_counter

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from analytics.rollups.writer import RollupWriter
    from facility.catalogue import Catalogue
    from stores.readings.port import ReadingStore
    from stores.records.accounting.recomputations import Recomputation, Recomputations

Points = tuple[str, ...]

log = structlog.get_logger()

FIGURES = ("qty", "cost")
AHEAD_MS = 7 * DAY_MS
"""More than analytics is ever ahead of time: baselines are, by two days."""

COUNTERS_AT_ONCE = 8
"""A month of so many takes about a second."""


class Recompute:
    """A piece is a month of one recomputation, and some counters of it are done in each ``step``.

    A piece that was cut short is done again whole, with the ``before`` first noted.
    """

    def __init__(
        self,
        store: ReadingStore,
        rollups: RollupWriter,
        catalogue: Catalogue,
        todo: Recomputations,
        is_current: Callable[[], bool] = lambda: True,
    ) -> None:
        """``is_current`` says whether ``catalogue`` still is what the registry holds."""
        self._store, self._rollups, self._catalogue, self._todo = store, rollups, catalogue, todo
        self._calendar, self._is_current = SiteCalendar(catalogue.site), is_current
        self._piece: tuple[int, int] | None = None
        self._steps: Iterator[None] = iter(())

    def step(self, now_ms: int) -> bool:
        """Go on with the oldest recomputation; False when the list is empty or of a newer registry."""
        listed = self._todo.open_ones(limit=1)
        # The list is read first: whoever changes a fact puts it on the list in the same transaction. A catalogue that
        # is current after the list was read has every fact that the list is about.
        if not listed or not self._is_current():
            self._piece = None
            return False
        piece = listed[0].id, listed[0].next_ms
        if self._piece != piece:
            self._piece, self._steps = piece, self._steps_of(listed[0], now_ms)
        self._piece = piece if self._goes_on() else None
        return True

    def _goes_on(self) -> bool:
        """Do some counters; whether there are more. What fails is begun again whole."""
        self._piece = None
        for _ in self._steps:
            return True
        return False

    def _steps_of(self, one: Recomputation, now_ms: int) -> Iterator[None]:
        """One piece; it stops wherever others may come in between."""
        points = tuple(point for point in one.points if point in self._catalogue.point)
        start = self._start(one, points)
        month, first, end = self._calendar.month_of(start)
        last = min(end - 1, one.last_ms)
        months = dict(one.months)
        if start <= one.last_ms:
            some = [points[k : k + COUNTERS_AT_ONCE] for k in range(0, len(points), COUNTERS_AT_ONCE)]
            if month not in months:
                before = yield from self._summed(some, first, end)
                months[month] = {"before": before}
                self._todo.note(one.id, based_on=one.next_ms, next_ms=one.next_ms, months=months)
            yield from _with_pauses(partial(self._update, one, (start, last), now_ms), some)
            span = self._days(one, start, last, now_ms)
            yield from _with_pauses(lambda few: self._rollups.retag(few, *span), some)
            after = yield from self._summed(some, first, end)
            months[month] = {**months[month], "after": after}
        done = last >= one.last_ms or start > one.last_ms
        finished_at = instant(now_ms) if done else None
        self._todo.note(one.id, based_on=one.next_ms, next_ms=last + 1, months=months, finished_at=finished_at)

    def _update(self, one: Recomputation, span: tuple[int, int], now_ms: int, points: Points) -> None:
        start, last = span
        ranges = {
            point: span for point in points if self._reaches(point, start) and not self._has_expired(point, start, last)
        }
        self._rollups.update(ranges, reason=one.reason, now_ms=now_ms)

    def _summed(self, some: Sequence[Points], start_ms: int, end_ms: int) -> Generator[None, None, dict[str, float]]:
        sums = dict.fromkeys(FIGURES, 0.0)

        def add(points: Points) -> None:
            for figure, value in self._sums(points, start_ms, end_ms).items():
                sums[figure] += value

        yield from _with_pauses(add, some)
        return {figure: round(value, 6) for figure, value in sums.items()}

    def _days(self, one: Recomputation, start_ms: int, last_ms: int, now_ms: int) -> tuple[int, int]:
        """The local days of a piece. The last of those that reach up to when they were asked for has no end.

        An analytics that had not yet heard of the change went on under the older tags, and baselines are ahead of time.
        """
        days = self._calendar.day_edges(start_ms, last_ms + 1)
        is_open = last_ms >= one.last_ms and instant(one.last_ms + 1) >= one.asked_at
        return int(days[0]), max(int(days[-1]), now_ms + AHEAD_MS) if is_open else int(days[-1])

    def _reaches(self, point: str, t_ms: int) -> bool:
        """Whether anything is known of a counter from an instant on: a reading, or a read of its ledger."""
        newest = self._store.latest([point]).get(point)
        meter = self._catalogue.point[point].meter
        reads = [one.since for one in self._catalogue.installations_of(meter)]
        return (newest is not None and newest.t_ms >= t_ms) or any(at >= instant(t_ms) for at in reads)

    def _has_expired(self, point: str, start_ms: int, last_ms: int) -> bool:
        """Whether hours of a piece were measured from readings that are no longer kept: then it stays as it is."""
        if self._store.read_before([point], start_ms):
            return False
        t_ms = self._store.read([point], start_ms, last_ms + 1)[point].t_ms
        first_ms = int(t_ms[0]) if len(t_ms) else last_ms + 1
        span = (start_ms, int(self._calendar.hour_edges(first_ms, first_ms)[0]))
        hours = read_counter(
            self._store, self._catalogue, self._catalogue.point[point], "usage_1h", span, ["completeness"]
        )
        has_expired = bool((hours.fields["completeness"] > 0).any())
        if has_expired:
            log.warning("readings_expired", point=point, start=instant(start_ms).isoformat(), kept="as it was computed")
        return has_expired

    def _start(self, one: Recomputation, points: tuple[str, ...]) -> int:
        """Where the next piece begins: of the time before anything was known nothing is to be done."""
        if one.next_ms > one.first_ms or self._store.read_before(points, one.next_ms):
            return one.next_ms
        return max(one.next_ms, self._first_ms(points, one.last_ms))

    def _first_ms(self, points: tuple[str, ...], end_ms: int) -> int:
        """The first day of these counters that has figures; none: nothing is to be done before the end."""
        first = end_ms + 1
        for point in points:
            for rows in self._store.read_rollup("usage_1d", self._tags(point), 0, end_ms + 1, ["qty"]):
                first = min(first, int(rows.t_ms[0]))
        return first

    def _sums(self, points: tuple[str, ...], start_ms: int, end_ms: int) -> dict[str, float]:
        sums, span = dict.fromkeys(FIGURES, 0.0), (start_ms, end_ms)
        for point in points:
            rows = read_counter(self._store, self._catalogue, self._catalogue.point[point], "usage_1d", span, FIGURES)
            for figure in FIGURES:
                sums[figure] += float(np.nansum(rows.fields[figure]))
        return sums

    def _tags(self, point: str) -> dict[str, str]:
        found = self._catalogue.point[point]
        return {"meter": found.meter, "quantity": found.quantity.word}


def _with_pauses(do: Callable[[Points], None], some: Sequence[Points]) -> Iterator[None]:
    """Do one after the other, with a pause between two."""
    for k, points in enumerate(some):
        if k:
            yield
        do(points)
