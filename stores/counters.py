"""The rising total of a stored counter: its readings, its ledger, and what its feeder can deliver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounting.ledger import stitched, stretches_of
from accounting.local_time import DAY_MS
from accounting.registers import HOLD_MS, JUDGED_BY_READINGS, anomalies, standstill
from facility.model import Quality
from facility.register import most_per_hour
from stores.readings.neighbours import readings_around

if TYPE_CHECKING:
    from accounting.ledger import Stretch
    from accounting.registers import Total
    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import ReadingStore, Series

_STANDSTILL_MS = 40 * DAY_MS
_EVER = 2**62


class Counters:
    """The counters of one estate as totals; nothing is kept between calls."""

    def __init__(self, store: ReadingStore, catalogue: Catalogue) -> None:
        self._store, self.catalogue = store, catalogue
        self.stretches: dict[str, tuple[Stretch, ...]] = {
            point.id: stretches_of(catalogue.meter[point.meter], point, catalogue.installations_of(point.meter))
            for point in catalogue.counters
        }

    def most_per_hour(self, point: Point) -> float:
        """The most units an hour that the counter's feeder can deliver."""
        return most_per_hour(self.catalogue.meter[point.meter], point.quantity)

    def around(self, point: Point, start_ms: int, end_ms: int) -> Series:
        """Readings of the range with what is needed to judge them: a register that leaps may have stood for long."""
        series = self._around(point, start_ms, end_ms, HOLD_MS)
        odd = anomalies(series.t_ms, series.x, self.most_per_hour(point)).tolist()
        if odd and odd[0] > 0 and series.x[odd[0] + 1] > series.x[odd[0]] and standstill(series.x, odd[0]) == 0:
            return self._around(point, start_ms, end_ms, _STANDSTILL_MS)
        return series

    def _around(self, point: Point, start_ms: int, end_ms: int, context_ms: int) -> Series:
        count = JUDGED_BY_READINGS
        return readings_around(self._store, point.id, start_ms, end_ms, context_ms=context_ms, count=count)

    def total(self, point: Point, series: Series) -> Total:
        """The total over a stretch of readings as ``around`` gives them; suspect ones stay out."""
        good = series.q != Quality.SUSPECT
        stretches = self.stretches[point.id]
        reach = self._reach(point, series) if len(stretches) > 1 or stretches[0].was_read else (0, 0)
        limit = self.most_per_hour(point)
        return stitched(series.t_ms[good], series.x[good], stretches, max_rate=limit, reach=reach)

    def _reach(self, point: Point, series: Series) -> tuple[int, int]:
        """The time of which all readings are at hand: without end on a side where there are no more."""
        if not len(series):
            return -_EVER, _EVER
        first, last = int(series.t_ms[0]), int(series.t_ms[-1])
        earlier = self._store.read_before([point.id], first - 1)
        later = self._store.latest([point.id])[point.id].t_ms > last
        return (first if earlier else -_EVER), (last if later else _EVER)
