"""What a tariff is: periods of the day with their prices, tiers, capacity or demand, from a day on, by a document."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import date

    from facility.quantities import Utility

MINUTES = 24 * 60


@unique
class Period(StrEnum):
    """Tariff periods, dearest first: 尖峰, 高峰, 平段, 低谷, 深谷."""

    SHARP = "sharp"
    PEAK = "peak"
    FLAT = "flat"
    VALLEY = "valley"
    DEEP = "deep"


RANK: dict[Period, int] = {Period.SHARP: 3, Period.DEEP: 2, Period.PEAK: 1, Period.VALLEY: 1, Period.FLAT: 0}
"""Where slots overlap the higher rank holds; two periods of one rank may not overlap."""

PERIODS: tuple[Period, ...] = tuple(Period)
"""In the order of columns."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_KINDS = ("workday", "restday", "holiday", "long_holiday")
"""A worked day (make-up days too); a day off that is no holiday; a public holiday; one of three days off or more."""

MonthDay: TypeAlias = tuple[int, int]
Slot: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TariffRule:
    """In these slots of these days it is ``period``.

    ``slots`` are minutes of the local day, end excluded; a slot that ends before it starts runs over midnight and
    belongs, before and after midnight, to every day of the rule. ``dates`` are (month, day) ranges, both ends
    included, over the year's end where they wrap; none: all year. ``days`` are words of ``WEEKDAYS`` and
    ``DAY_KINDS``; none: every day.
    """

    period: Period
    slots: tuple[Slot, ...]
    dates: tuple[tuple[MonthDay, MonthDay], ...] = ()
    days: frozenset[str] = frozenset()

    def is_in_season(self, at: MonthDay) -> bool:
        """Whether the rule's dates hold that day of the year."""
        return not self.dates or any(
            first <= at <= last if first <= last else (at >= first or at <= last) for first, last in self.dates
        )

    def spans(self) -> tuple[Slot, ...]:
        """The slots cut at midnight, start before end."""
        found: list[Slot] = []
        for start, end in self.slots:
            found += [(start, end)] if start < end else [(start, MINUTES), (0, end)]
        return tuple((start, end) for start, end in found if start < end)


@dataclass(frozen=True, slots=True)
class Step:
    """What a unit costs more once use of the cycle has passed ``above``."""

    above: float
    plus: float


@dataclass(frozen=True, slots=True)
class Tiers:
    """Tiered prices (阶梯): the cycle in which use is counted, and its steps in rising order."""

    cycle: str  # month | year
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Capacity:
    """A charge for what may be drawn: money per kVA and month."""

    kva: float
    per_kva_month: float


@dataclass(frozen=True, slots=True)
class Demand:
    """A charge for the month's highest quarter-hour: per kW, by what was declared or else by what was measured.

    Above the declared demand and its tolerance (a share), each kW costs ``penalty_factor`` times as much.
    """

    per_kw_month: float
    declared_kw: float | None = None
    tolerance: float = 0.05
    penalty_factor: float = 2.0


@dataclass(frozen=True, slots=True)
class Tariff:
    """A utility's price for these buildings (none named: all) from a local day on, until the next one begins."""

    id: str
    utility: Utility
    valid_from: date
    basis: str
    prices: tuple[tuple[Period, float], ...]
    rules: tuple[TariffRule, ...] = ()
    otherwise: Period | None = None
    buildings: tuple[str, ...] = ()
    tiers: Tiers | None = None
    capacity: Capacity | None = None
    demand: Demand | None = None
    fixed_per_month: float = 0.0

    @property
    def price(self) -> dict[Period, float]:
        """Price per unit of each period."""
        return dict(self.prices)

    @property
    def is_flat(self) -> bool:
        """Whether every minute costs the same."""
        return not self.rules


@dataclass(frozen=True, slots=True)
class TariffFault:
    """A stretch of some day in which a tariff says nothing (no rules) or two things at once (the rules' positions)."""

    at: MonthDay
    day: tuple[str, str]  # weekday, day kind
    start: int
    end: int
    rules: tuple[int, ...] = ()

    @property
    def span(self) -> str:
        """``12:00-13:00``."""
        return f"{self.start // 60:02}:{self.start % 60:02}-{self.end // 60:02}:{self.end % 60:02}"


def faults_of(tariff: Tariff) -> list[TariffFault]:
    """The first hole and overlap of every kind of day that can be, over all dates, weekdays and day kinds."""
    found: list[TariffFault] = []
    seen: set[tuple[int, ...]] = set()
    for at in _days_of_a_year():
        in_season = [i for i, rule in enumerate(tariff.rules) if rule.is_in_season(at)]
        for weekday in WEEKDAYS:
            for kind in DAY_KINDS:
                words = {weekday, kind, "holiday"} if kind == "long_holiday" else {weekday, kind}
                active = tuple(i for i in in_season if not tariff.rules[i].days or tariff.rules[i].days & words)
                if active not in seen and not _impossible(weekday, kind):
                    seen.add(active)
                    found += _faults_of_day(tariff, active, at, (weekday, kind))
    return found


def _impossible(weekday: str, kind: str) -> bool:
    """A weekday without work that is no holiday does not exist."""
    return kind == "restday" and weekday not in {"sat", "sun"}


def _days_of_a_year() -> list[MonthDay]:
    lengths = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return [(month, day) for month, length in enumerate(lengths, 1) for day in range(1, length + 1)]


def _faults_of_day(tariff: Tariff, active: tuple[int, ...], at: MonthDay, day: tuple[str, str]) -> list[TariffFault]:
    """Holes and overlaps of a day on which these rules hold, each stretch once."""
    edges = sorted({0, MINUTES, *(edge for i in active for span in tariff.rules[i].spans() for edge in span)})
    found = []
    for start, end in pairwise(edges):
        covering = [i for i in active if any(a <= start and end <= b for a, b in tariff.rules[i].spans())]
        top = max((RANK[tariff.rules[i].period] for i in covering), default=-1)
        highest = tuple(i for i in covering if RANK[tariff.rules[i].period] == top)
        if not covering and tariff.otherwise is None:
            found.append(TariffFault(at, day, start, end))
        elif len({tariff.rules[i].period for i in highest}) > 1:
            found.append(TariffFault(at, day, start, end, highest))
    return found[:1]
