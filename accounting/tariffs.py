"""What use costs: the period of every minute by a tariff's rules, exact to the minute, for arrays of intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from accounting.local_time import MINUTE_MS, day_number, midnight_ms
from facility.tariff import DAY_KINDS, MINUTES, PERIODS, RANK, WEEKDAYS, Period, Tariff

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from accounting.arrays import Bools, Floats
    from accounting.calendars import DayKinds, SiteCalendar
    from accounting.local_time import Times
    from facility.model import Price, Site
    from facility.quantities import Utility

Codes = npt.NDArray[np.int64]

NO_PERIOD = len(PERIODS)
"""The code of a minute for which a tariff says nothing."""


@dataclass(frozen=True, slots=True)
class Pricing:
    """Of intervals: the share of each period's minutes (n, 5), what a unit costs in it (n, 5), and the tariff (n,).

    ``tariff`` are positions in ``tariffs``, -1 where no price is in force. Periods stand in the order of ``PERIODS``;
    prices are NaN where there is none.
    """

    shares: Floats
    prices: Floats
    tariff: Codes
    tariffs: tuple[Tariff, ...]

    @property
    def unit_prices(self) -> Floats:
        """Mean price per unit of each interval, (n,); NaN where no price is in force."""
        paid = np.where(self.shares > 0, self.shares * self.prices, 0.0).sum(axis=1)
        return np.where(self.tariff < 0, np.nan, paid)

    def cost(self, qty: Floats) -> Floats:
        """Cost of each interval's use (n,), in the site's currency; NaN where use is missing or no price in force."""
        return qty * self.unit_prices

    def by_period(self, qty: Floats) -> tuple[Floats, Floats]:
        """Use and cost of each interval in each period, (n, 5) both; use lies evenly over an interval's minutes."""
        parts = qty[:, None] * self.shares
        return parts, np.where(self.shares > 0, parts * self.prices, 0.0 * parts)


class Tariffs:
    """The tariffs of one site: which is in force where and when, and what a minute of it costs."""

    def __init__(self, site: Site, calendar: SiteCalendar) -> None:
        self._calendar = calendar
        self._all = tuple(sorted((*site.tariffs, *map(flat_tariff, site.prices)), key=lambda one: one.valid_from))
        self._tables: dict[Tariff, _Minutes] = {one: _Minutes(one, calendar) for one in self._all}

    def in_force(self, utility: Utility, building: str) -> tuple[Tariff, ...]:
        """Tariffs that a building has ever paid for a utility, oldest first; its own go before the estate's."""
        found = [
            one for one in self._all if one.utility is utility and (not one.buildings or building in one.buildings)
        ]
        return tuple(sorted(found, key=lambda one: (one.valid_from, bool(one.buildings))))

    def valid_until(self, utility: Utility, building: str, tariff: Tariff) -> date | None:
        """The last local day on which a tariff of a building holds; None until further notice.

        The next of its kind ends it; one of the estate is also ended by the first of the building's own.
        """
        later = [
            one.valid_from
            for one in self.in_force(utility, building)
            if one.valid_from > tariff.valid_from and bool(one.buildings) >= bool(tariff.buildings)
        ]
        if not later:
            return None
        ends_ms = midnight_ms(day_number(min(later)), self._calendar.zone)
        return self._calendar.local_date(ends_ms - 1)  # the day before may be one that the clocks skip

    def price(self, utility: Utility, building: str, edges_ms: Times) -> Pricing:
        """Pricing of the intervals between edges (n + 1,); no interval may reach over a local midnight."""
        tariffs = self.in_force(utility, building)
        starts, days = edges_ms[:-1], self._calendar.local_days(edges_ms[:-1])
        first_minute = self._calendar.local_minutes(starts)
        minutes = -(-np.diff(edges_ms) // MINUTE_MS)  # clocks of old changed by odd seconds
        chosen = _chosen(tariffs, days)
        shares, prices = np.zeros((len(starts), NO_PERIOD)), np.full((len(starts), NO_PERIOD), np.nan)
        for k, one in enumerate(tariffs):
            rows = np.flatnonzero(chosen == k)
            if len(rows):
                shares[rows] = self._tables[one].shares(days[rows], first_minute[rows], minutes[rows])
                prices[rows] = [one.price.get(period, np.nan) for period in PERIODS]
        return Pricing(shares, prices, chosen, tariffs)

    def has_periods(self, utility: Utility, building: str) -> bool:
        """Whether any tariff of a building has more than one price a day."""
        return any(not one.is_flat for one in self.in_force(utility, building))


def minute_periods(tariff: Tariff, kinds: DayKinds) -> tuple[Codes, Codes]:
    """Period codes of all minutes of each distinct kind of day (k, 1440), and the kind of each day (n,)."""
    patterns, which = _patterns(tariff, kinds)
    return np.array([_minutes_of(tariff, pattern) for pattern in patterns]), which


def _patterns(tariff: Tariff, kinds: DayKinds) -> tuple[Bools, Codes]:
    """The distinct sets of rules that hold together on a day (k, rules), and which one holds on each day (n,)."""
    active = np.array([_is_active(tariff, i, kinds) for i in range(len(tariff.rules))]).reshape(-1, len(kinds.weekday))
    patterns, which = np.unique(active.T, axis=0, return_inverse=True)
    return patterns.astype(np.bool_), which.reshape(-1)


class _Minutes:
    """Running minutes per period of one tariff's days; each kind of day is worked out once."""

    def __init__(self, tariff: Tariff, calendar: SiteCalendar) -> None:
        self._tariff, self._calendar = tariff, calendar
        self._running: dict[bytes, Floats] = {}

    def shares(self, days: Times, first_minute: Times, minutes: Times) -> Floats:
        """Share of each period in intervals that begin at a local minute of a day, (n, 5)."""
        distinct, rows = np.unique(days, return_inverse=True)
        patterns, which = _patterns(self._tariff, self._calendar.day_kinds(distinct))
        running = np.array([self._of_kind(pattern) for pattern in patterns])
        kind = which[rows.reshape(-1)]
        grown: Floats = running[kind, np.minimum(first_minute + minutes, MINUTES)] - running[kind, first_minute]
        return grown / np.maximum(minutes, 1)[:, None]

    def _of_kind(self, pattern: Bools) -> Floats:
        """Minutes of each period from midnight up to each minute, (1441, 5)."""
        key = pattern.tobytes()
        if key not in self._running:
            one_hot = _minutes_of(self._tariff, pattern)[:, None] == np.arange(NO_PERIOD)
            self._running[key] = np.concatenate((np.zeros((1, NO_PERIOD)), np.cumsum(one_hot, axis=0)))
        return self._running[key]


def flat_tariff(price: Price) -> Tariff:
    """A flat price as a tariff of one period."""
    return Tariff(
        id=f"flat-{price.utility}",
        utility=price.utility,
        valid_from=price.valid_from,
        basis=price.basis,
        prices=((Period.FLAT, price.per_unit),),
        otherwise=Period.FLAT,
    )


def _chosen(tariffs: tuple[Tariff, ...], days: Times) -> Codes:
    """Position of the tariff in force on each day: the newest of the building's own, else of the estate's; -1: none."""
    chosen = np.full(len(days), -1, np.int64)
    for own in (False, True):
        for k, one in enumerate(tariffs):
            if bool(one.buildings) is own:
                chosen[days >= day_number(one.valid_from)] = k
    return chosen


def _is_active(tariff: Tariff, i: int, kinds: DayKinds) -> Bools:
    """On which days a rule holds."""
    rule = tariff.rules[i]
    at = kinds.month * 100 + kinds.day
    season = np.ones(len(at), np.bool_) if not rule.dates else np.zeros(len(at), np.bool_)
    for (first_month, first_day), (last_month, last_day) in rule.dates:
        first, last = first_month * 100 + first_day, last_month * 100 + last_day
        season |= ((at >= first) & (at <= last)) if first <= last else ((at >= first) | (at <= last))
    return season & (_days_named(rule.days, kinds) if rule.days else np.ones(len(at), np.bool_))


def _days_named(words: Iterable[str], kinds: DayKinds) -> Bools:
    masks = {word: kinds.weekday == number for number, word in enumerate(WEEKDAYS)}
    named = (kinds.workday, ~kinds.workday & ~kinds.holiday, kinds.holiday, kinds.long_holiday)
    masks |= dict(zip(DAY_KINDS, named, strict=True))
    found: Bools = np.logical_or.reduce([masks[word] for word in words])
    return found


def _minutes_of(tariff: Tariff, active: Bools) -> Codes:
    """The period code of each minute of a day on which these rules hold."""
    codes = np.full(MINUTES, NO_PERIOD if tariff.otherwise is None else PERIODS.index(tariff.otherwise), np.int64)
    rules = [rule for rule, holds in zip(tariff.rules, active.tolist(), strict=True) if holds]
    for rule in sorted(rules, key=lambda one: RANK[one.period]):
        for start, end in rule.spans():
            codes[start:end] = PERIODS.index(rule.period)
    return codes
