"""The rising total of a stored counter: its readings, its ledger, its spells, and what its feeder can deliver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.courses import LEAP_MS
from accounting.leads import REMEMBERED_MS
from accounting.ledger import stitched, stretches_of
from accounting.local_time import DAY_MS
from accounting.registers import JUDGED_BY_READINGS, anomalies, first_rise, standstill
from accounting.spells import Outcome
from accounting.walk import HOLD_MS
from facility.model import Quality
from facility.register import most_per_hour, small_step
from stores.readings.neighbours import next_reading_ms, readings_around

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from accounting.arrays import Bools
    from accounting.ledger import Stretch
    from accounting.local_time import Times
    from accounting.registers import Total
    from accounting.spells import Spell, SpellBook
    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import ReadingStore, Series

_STANDSTILL_MS = 40 * DAY_MS
_EVER = 2**62
_ENTERED = (Quality.MANUAL, Quality.SUBSTITUTED)


class _Stretches(dict[str, "tuple[Stretch, ...]"]):
    """The stretches of each counter by its point's id, worked out when they are first asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self._catalogue = catalogue

    def __missing__(self, key: str) -> tuple[Stretch, ...]:
        """Of one counter: a bill needs those of one building."""
        point = self._catalogue.point[key]
        meter = self._catalogue.meter[point.meter]
        self[key] = stretches_of(meter, point, self._catalogue.installations_of(point.meter))
        return self[key]


class Counters:
    """The counters of one estate as totals; no reading is kept between calls."""

    def __init__(self, store: ReadingStore, catalogue: Catalogue, spells: SpellBook) -> None:
        self._store, self.catalogue, self._spells = store, catalogue, spells
        self.stretches = _Stretches(catalogue)

    def most_per_hour(self, point: Point) -> float:
        """The most units an hour that the counter's feeder can deliver."""
        return most_per_hour(self.catalogue.meter[point.meter], point.quantity)

    def around(self, point: Point, start_ms: int, end_ms: int) -> Series:
        """Readings of the range with what is needed to judge them.

        Whole spells that reach into it; what a register showed before a spell, or before a standstill, that ends in it;
        and what came after a spell that begins in it, up to where that is decided.
        """
        known = self._spells.of(point.id)
        span = _with_spells(known, start_ms, end_ms)
        while True:
            series = self._around(point, *span, HOLD_MS)
            wider = self._needed(point, series, known, span, (start_ms, end_ms))
            if wider == span:
                return series
            span = wider

    def total(self, point: Point, series: Series) -> Total:
        """The total over a stretch of readings as ``around`` gives them."""
        stretches = self.stretches[point.id]
        reach = self._reach(point, series) if len(stretches) > 1 or stretches[0].was_read else (0, 0)
        return stitched(
            series.t_ms,
            series.x,
            stretches,
            max_rate=self.most_per_hour(point),
            reach=reach,
            suspect=self._doubted(point, series),
            entered=np.isin(series.q, _ENTERED),
            decided=[one for one in self._spells.of(point.id) if one.accepted is not None],
            is_new=self._is_new(point, series),
            is_limit_known=self.catalogue.meter[point.meter].most_per_hour is not None,
        )

    def judged_until(self, point: Point, t_ms: int) -> int:
        """Up to when known spells were judged by readings up to a time: by the week before each."""
        known = (one.first_ms + 1 for one in self._spells.of(point.id))
        return max((first_ms for first_ms in known if t_ms < first_ms <= t_ms + LEAP_MS), default=t_ms)

    def odd(self, point: Point, series: Series) -> Times:
        """Rows (k,) whose successor may not be ordinary, whatever the ratio was that the agent did not know."""
        least = min([1.0, *(one.stored_per_true for one in self.stretches[point.id])])
        return anomalies(series.t_ms, series.x, self.most_per_hour(point) * least, series.q == Quality.SUSPECT)

    def _doubted(self, point: Point, series: Series) -> Bools:
        """Which readings (n,) the edge doubted and has not got beyond: none where newer ones are not at hand."""
        suspect: Bools = series.q == Quality.SUSPECT
        if len(series) and suspect[-1] and self._store.latest([point.id])[point.id].t_ms > series.t_ms[-1]:
            return np.zeros(len(series), np.bool_)
        return suspect

    def _is_new(self, point: Point, series: Series) -> bool:
        """Whether the readings are a counter's first, and rise as if what they show at first was false."""
        return self._rises_first(point, series) and not self._store.read_before([point.id], int(series.t_ms[0]) - 1)

    def _rises_first(self, point: Point, series: Series) -> bool:
        """Whether readings show one value, then rise fast, and what the feeder can deliver is not known."""
        if self.catalogue.meter[point.meter].most_per_hour is not None:
            return False
        return first_rise(series.t_ms, series.x, self.most_per_hour(point)) > 0

    def _around(self, point: Point, start_ms: int, end_ms: int, context_ms: int) -> Series:
        count = JUDGED_BY_READINGS
        return readings_around(self._store, point.id, start_ms, end_ms, context_ms=context_ms, count=count)

    def _needed(
        self, point: Point, series: Series, known: Sequence[Spell], span: tuple[int, int], asked: tuple[int, int]
    ) -> tuple[int, int]:
        """The time whose readings are needed to judge those of the time that is asked for."""
        low, high = span
        low = min([low, *_began_before(known, series), *_came_back(known, series, asked[0])])
        high = max(high, self.judged_until(point, asked[1]))
        if self._rises_first(point, series):
            low = min(low, int(series.t_ms[0]) - _STANDSTILL_MS)
        odd = self.odd(point, series).tolist()
        if not odd:
            return low, high
        if series.x[odd[0] + 1] > series.x[odd[0]] and standstill(series.x, odd[0]) == 0:
            low = min(low, int(series.t_ms[0]) - _STANDSTILL_MS)
        spells = self.total(point, series).spells
        low = min([low, *_looked_back(series, odd, asked[0])])
        high = max([high, *_may_come_back(spells, known, *asked)])
        if any(spell.until_ms is None for spell in spells):
            last = int(series.t_ms[-1])
            following = next_reading_ms(self._store, point.id, last, near_ms=HOLD_MS)
            if following is not None:
                high = max(high, following + 1, last + (last - low))
        return _with_spells(known, low, high)

    def _reach(self, point: Point, series: Series) -> tuple[int, int]:
        """The time of which all readings are at hand: without end on a side where there are no more."""
        if not len(series):
            return -_EVER, _EVER
        first, last = int(series.t_ms[0]), int(series.t_ms[-1])
        earlier = self._store.read_before([point.id], first - 1)
        later = self._store.latest([point.id])[point.id].t_ms > last
        return (first if earlier else -_EVER), (last if later else _EVER)


def _with_spells(known: Sequence[Spell], low_ms: int, high_ms: int) -> tuple[int, int]:
    """A range and all known spells that reach into it; one in doubt reaches to the newest reading there is."""
    for spell in reversed(known):
        until = _EVER if spell.until_ms is None else spell.until_ms
        if spell.since_ms < high_ms and until >= low_ms:
            low_ms = min(low_ms, spell.since_ms)
            high_ms = max(high_ms, until + 1 if spell.until_ms is not None else high_ms)
    return low_ms, high_ms


def _began_before(known: Iterable[Spell], series: Series) -> list[int]:
    """When spells began that the first of some readings lies in: it must not pass for what the register showed."""
    first_ms = int(series.t_ms[0]) if len(series) else -_EVER
    return [one.since_ms for one in known if one.since_ms < first_ms and (one.until_ms or _EVER) > first_ms]


def _looked_back(series: Series, odd: Iterable[int], start_ms: int) -> list[int]:
    """How far back the register may have risen to where it fell from, after odd rows, with readings since a time."""
    x, t_ms = series.x, series.t_ms
    return [
        int(t_ms[i]) - LEAP_MS for i in odd if t_ms[i + 1] >= start_ms and x[i] - x[i + 1] > small_step(float(x[i]))
    ]


def _may_come_back(spells: Iterable[Spell], known: Iterable[Spell], start_ms: int, end_ms: int) -> list[int]:
    """Up to when the register may come back from spells that nobody knew of, by readings that were there before."""
    named = {(one.first_ms, one.outcome) for one in known}
    return [
        one.first_ms + REMEMBERED_MS
        for one in spells
        if one.until_ms is not None
        and one.outcome is not Outcome.FALSE
        and start_ms <= one.first_ms <= end_ms
        and (one.first_ms, one.outcome) not in named
    ]


def _came_back(known: Sequence[Spell], series: Series, start_ms: int) -> list[int]:
    """Since when there are spells that look decided and to whose former level the register may have come back."""
    found, rows = [], np.flatnonzero(series.t_ms[1:] >= start_ms)
    earlier, later, t_ms = series.x[rows], series.x[rows + 1], series.t_ms[rows + 1]
    for spell in known:
        if spell.outcome is Outcome.FALSE or not len(rows) or spell.since_ms >= series.t_ms[0]:
            continue
        level = spell.before - small_step(spell.before)
        crossed = (later >= level) & ((earlier < level) | (later < earlier))
        if (crossed & (t_ms <= spell.since_ms + REMEMBERED_MS)).any():
            found.append(spell.since_ms)
    return found
