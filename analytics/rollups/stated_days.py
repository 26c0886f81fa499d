"""What days tell by what is stated of buildings: how many people there were, and how much of a quota is spent.

Rows are compared with those that stand, and only what differs is written: most hours change a day of each building.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from accounting.local_time import rows_among
from accounting.quotas import MONTHS, STANDARD_COAL, allowed_in_year, counted_by_quotas, spent, weights_of_year
from accounting.standard_coal import factor_on
from accounting.stated_figures import daily_figure
from analytics.rollups.days_of_total import is_whole
from facility.factors import Carrier, kgce_factors
from facility.quantities import Utility
from facility.stated import FigureKind
from stores.readings.port import RollupSeries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from accounting.calendars import SiteCalendar
    from accounting.quotas import Allowed
    from analytics.rollups.totals import Total
    from facility.catalogue import Catalogue
    from facility.stated import Quota
    from stores.readings.port import ReadingStore, Times, Values

_One = TypeVar("_One")
EVER_MS = 2**52
AT_ONCE = 50
"""Buildings that are read together."""

_USE = ("qty", "completeness", "estimated")
_SPENT = ("quota", "due", "used", "projected")


class StatedDays:
    """Rows of ``quota``, and the field ``persons`` of ``building_1d``."""

    def __init__(self, store: ReadingStore, catalogue: Catalogue, calendar: SiteCalendar) -> None:
        self._store, self._catalogue, self._calendar = store, catalogue, calendar
        self._site = catalogue.site.id
        self._limited = {
            one.id: counted for one in catalogue.buildings if (counted := counted_by_quotas(catalogue.stated, one.id))
        }

    def persons(self, total: Total, days: Times) -> Values:
        """How many people used a utility on days (d,) that begin at these instants."""
        kind = FigureKind.WATER_PERSONS if total[1] is Utility.WATER else FigureKind.PERSONS
        return daily_figure(self._catalogue, kind, self._calendar.local_days(days), total[0])

    def catch_up(self, totals: Iterable[Total]) -> None:
        """The estate may state something else than when rows were made: make all that differs anew."""
        for some in _some([*totals]):
            tags = [self._tags(*total) for total in some]
            found = self._store.read_rollups("building_1d", tags, 0, EVER_MS, ["heads", "persons"])
            fresh = [self._with_persons(one) for one in found]
            self._store.write_rollup("building_1d", [rows for one, old in fresh if len(rows := _changed(one, old))])
        self.update(dict.fromkeys(self._catalogue.building, 0))
        self._drop_unlimited()

    def update(self, since_ms: Mapping[str, int]) -> None:
        """Days of these buildings were made from an instant on: make what is spent since then anew."""
        limited = [(name, t_ms) for name, t_ms in since_ms.items() if name in self._limited]
        for some in _some(limited):
            starts = [self._begin(t_ms) for _, t_ms in some]
            used = self._used([name for name, _ in some], min(starts))
            fresh = [one for (name, t_ms) in some for one in self._of_building(name, t_ms, used.get(name, {}))]
            if fresh:
                first = min(int(one.t_ms[0]) for one in fresh)
                stood = self._store.read_rollups("quota", [one.tags for one in fresh], first, EVER_MS, _SPENT)
                old = {tuple(sorted(one.tags.items())): one for one in stood}
                changed = [_changed(one, old.get(tuple(sorted(one.tags.items())))) for one in fresh]
                self._store.write_rollup("quota", [one for one in changed if len(one)])

    def _with_persons(self, old: RollupSeries) -> tuple[RollupSeries, RollupSeries]:
        total = old.tags["building"], Utility(old.tags["utility"])
        return RollupSeries(old.tags, old.t_ms, {"persons": self.persons(total, old.t_ms)}), old

    def _drop_unlimited(self) -> None:
        """Rows of what no quota limits any more."""
        for building in self._catalogue.building:
            gone = {STANDARD_COAL, *Utility} - self._limited.get(building, frozenset())
            for one in self._store.read_rollup(
                "quota", {"site": self._site, "building": building}, 0, EVER_MS, ["due"]
            ):
                if one.tags["utility"] in gone:
                    self._store.delete_rollup("quota", one.tags, 0, EVER_MS)

    def _begin(self, t_ms: int) -> int:
        """Where the year before that of an instant begins: how a year was used tells how the next one is shared."""
        year = self._calendar.local_date(t_ms).year
        return self._calendar.month_edges(f"{year - 1}-01")[0] if year > 1970 else 0  # noqa: PLR2004 - time begins

    def _used(self, buildings: Iterable[str], start_ms: int) -> dict[str, dict[Utility, RollupSeries]]:
        """The stored days of each building, by utility."""
        tags = [
            self._tags(name, one) for name in buildings for one in Utility if self._catalogue.head_counters(name, one)
        ]
        found: dict[str, dict[Utility, RollupSeries]] = {}
        for one in self._store.read_rollups("building_1d", tags, start_ms, EVER_MS, _USE) if tags else []:
            found.setdefault(one.tags["building"], {})[Utility(one.tags["utility"])] = one
        return found

    def _of_building(self, name: str, since_ms: int, used: Mapping[Utility, RollupSeries]) -> Iterator[RollupSeries]:
        if not used:
            return
        first = min(int(one.t_ms[0]) for one in used.values())
        edges = self._calendar.day_edges(first, max(int(one.t_ms[-1]) for one in used.values()) + 1)
        grid = _Days(edges, self._calendar.local_days(edges[:-1]))
        use = {utility: grid.placed(one) for utility, one in used.items()}
        begun = min(max(int(np.searchsorted(edges, since_ms, side="right")) - 1, 0), len(edges) - 2)
        for year in range(int(grid.year[begun]), int(grid.year[-1]) + 1):
            ends = (f"{year:04}-01", f"{year:04}-12")
            begin, end = self._calendar.month_edges(ends[0])[0], self._calendar.month_edges(ends[1])[1]
            days = self._calendar.day_edges(begin, end)
            whole = _Days(days, self._calendar.local_days(days[:-1]))
            dates = self._calendar.local_date(begin), self._calendar.local_date(end)
            for utility, allowed in allowed_in_year(self._catalogue, name, *dates).items():
                qty = use.get(Utility(utility)) if utility else self._coal(use, grid, allowed.quota)
                if qty is not None:
                    yield from self._spent(name, utility, allowed, grid, qty, whole, since_ms)

    def _spent(
        self, name: str, utility: str, allowed: Allowed, grid: _Days, qty: Values, year: _Days, since_ms: int
    ) -> Iterator[RollupSeries]:
        """The rows of a year and of its months, of days that have begun."""
        before = grid.year == year.year[0] - 1
        weights = weights_of_year(year.month, qty[before], grid.month[before])
        use = np.full(len(weights), np.nan)
        rows, there = rows_among(year.edges, grid.edges[:-1])
        use[rows] = qty[there]
        spans = [("year", np.ones(len(use), np.bool_))]
        spans += [("month", year.month == k) for k in range(MONTHS)]
        stands = np.zeros(len(use), np.bool_)
        stands[rows] = True
        stands &= year.edges[1:] > since_ms
        for period, within in spans:
            kept = stands[within]
            if kept.any():
                amount = allowed.amount * float(weights[within].sum() / weights.sum())
                columns = spent(amount, weights[within], use[within])
                tags = {**self._tags(name, utility), "period": period}
                t_ms = year.edges[:-1][within][kept]
                yield RollupSeries(tags, t_ms, {key: column[kept] for key, column in columns.items()})

    def _coal(self, use: Mapping[Utility, Values], grid: _Days, quota: Quota) -> Values | None:
        """Standard coal (d,) of all energy by the factors of the quota's set; NaN where one of them is not stated."""
        sets = self._catalogue.site.factor_sets
        own = kgce_factors(tuple(one for one in sets if one.id == quota.factor_set))
        dates = grid.dates
        total: Values | None = None
        for utility, qty in use.items():
            if utility is not Utility.WATER:
                factors = [factor_on(own, Carrier(utility.value), day) for day in dates]
                coal = qty * np.array([one.per_unit if one else np.nan for one in factors])
                total = coal if total is None else total + coal
        return total

    def _tags(self, building: str, utility: str) -> dict[str, str]:
        return {"site": self._site, "building": building, "utility": str(utility)}


class _Days:
    """Local days between edges (d + 1,), ms UTC: their years and months, (d,)."""

    def __init__(self, edges: Times, numbers: Times) -> None:
        self.edges, self._numbers = edges, numbers
        months = numbers.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        self.year, self.month = 1970 + months // MONTHS, months % MONTHS

    @property
    def dates(self) -> list[date]:
        """The days themselves."""
        found: list[date] = self._numbers.astype("datetime64[D]").tolist()
        return found

    def placed(self, days: RollupSeries) -> Values:
        """Use of the days that are wholly known, (d,), NaN elsewhere."""
        use = np.full(len(self._numbers), np.nan)
        rows, there = rows_among(self.edges, days.t_ms)
        use[rows] = np.where(is_whole(days), days.fields["qty"], np.nan)[there]
        return use


def _some(many: Sequence[_One]) -> Iterator[Sequence[_One]]:
    """A few after the other, so that years of all buildings are never held at once."""
    return (many[k : k + AT_ONCE] for k in range(0, len(many), AT_ONCE))


def _changed(fresh: RollupSeries, old: RollupSeries | None) -> RollupSeries:
    """The rows in which a field is another than what stands."""
    if old is None:
        return fresh
    differs = np.zeros(len(fresh.t_ms), np.bool_)
    rows, there = rows_among(np.append(fresh.t_ms, fresh.t_ms[-1:] + 1), old.t_ms)
    for name, column in fresh.fields.items():
        stood = np.full(len(fresh.t_ms), np.nan)
        stood[rows] = old.fields[name][there]
        differs |= ~((stood == column) | (np.isnan(stood) & np.isnan(column)))
    return RollupSeries(fresh.tags, fresh.t_ms[differs], {key: one[differs] for key, one in fresh.fields.items()})
