"""Keeps closed months as they were handed in: what turns out otherwise becomes an adjusting entry, day by day."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from accounting.intervals import MAX_GAP_MS
from accounting.local_time import rows_among
from stores.records.accounting.closed_months import ADJUSTED, Adjustment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from accounting.calendars import SiteCalendar
    from stores.readings.port import ReadingStore, Times, Values
    from stores.records.accounting.closed_months import Days

_NOISE = 1e-6  # what two ways to add the same hours may differ by


class Books(Protocol):
    """What is closed (``stores.records.accounting.closed_months.ClosedMonths``)."""

    def closed(self) -> frozenset[tuple[str, str]]:
        """Building and month of everything closed."""

    def closing_times(self) -> Mapping[tuple[str, str], datetime]:
        """When each was closed."""

    def handed_in(self, building: str, month: str, counter: str) -> Days | None:
        """A counter's days in a closed month; None where its bill was not made from them."""

    def adjusted(self, meter: str, quantity: str, month: str) -> Days:
        """What has been entered so far."""

    def newest_entry(self) -> int:
        """The number of the newest adjusting entry."""

    def adjust(self, found: Sequence[Adjustment], *, based_on: int) -> None:
        """Enter differences to what was entered up to ``based_on``."""


class OpenBooks:
    """Books in which nothing was ever closed."""

    def closed(self) -> frozenset[tuple[str, str]]:
        """Nothing."""
        return frozenset()

    def closing_times(self) -> Mapping[tuple[str, str], datetime]:
        """Nothing."""
        return {}

    def handed_in(self, building: str, month: str, counter: str) -> Days | None:  # noqa: ARG002 - as the port says
        """Nothing."""
        return None

    def adjusted(self, meter: str, quantity: str, month: str) -> Days:  # noqa: ARG002 - as the port says
        """Nothing."""
        return {}

    def newest_entry(self) -> int:
        """None yet."""
        return 0

    def adjust(self, found: Sequence[Adjustment], *, based_on: int) -> None:
        """Nothing to adjust."""


def open_runs(
    calendar: SiteCalendar, closed: frozenset[tuple[str, str]], building: str, edges_ms: Times
) -> tuple[list[slice], list[str]]:
    """Of the hours between edges (n + 1,), ms UTC: runs of rows in open months, and the closed months among them."""
    months = calendar.local_months(edges_ms[:-1])
    starts = [0, *(np.flatnonzero(months[1:] != months[:-1]) + 1).tolist(), len(months)]
    runs: list[slice] = []
    shut: list[str] = []
    for a, b in pairwise(starts):
        if a < b and (building, str(months[a])) in closed:
            shut.append(str(months[a]))
        elif runs and runs[-1].stop == a:
            runs[-1] = slice(runs[-1].start, b)
        elif a < b:
            runs.append(slice(a, b))
    return runs, shut


def difference(
    store: ReadingStore, books: Books, tags: dict[str, str], month: str, day_edges_ms: Times, fresh: dict[str, Values],
    calendar: SiteCalendar,
) -> Days:  # fmt: skip
    """What days of a closed month are more or less than handed in and adjusted so far, by field; empty: nothing.

    ``fresh`` are the days computed anew, (n,) each, between the first instants ``day_edges_ms`` (n + 1,), ms UTC.
    """
    known = books.adjusted(tags["meter"], tags["quantity"], month)
    first = books.handed_in(tags["building"], month, f"{tags['meter']}/{tags['quantity']}")
    dates = [calendar.local_date(t_ms).isoformat() for t_ms in day_edges_ms[:-1].tolist()]
    if first is None:
        first = _stored_days(store, tags, day_edges_ms, dates)
    found: Days = {}
    for k, day in enumerate(dates):
        for field in [field for field in ADJUSTED if field in fresh]:
            handed_in = first.get(day, {}).get(field, 0.0) + known.get(day, {}).get(field, 0.0)
            more = float(np.nan_to_num(fresh[field][k]) - handed_in)
            if abs(more) > _NOISE:
                found.setdefault(day, {})[field] = more
    return found


def _stored_days(store: ReadingStore, tags: dict[str, str], day_edges_ms: Times, dates: list[str]) -> Days:
    """The days of a counter that no bill was made from: those stored, which nobody writes once the month is closed."""
    days: Days = {}
    here = {tag: tags[tag] for tag in ("building", "meter", "quantity")}  # whatever it was for when it was written
    for rows in store.read_rollup("usage_1d", here, int(day_edges_ms[0]), int(day_edges_ms[-1]), ADJUSTED):
        where, known = rows_among(day_edges_ms, rows.t_ms)
        for row, k in zip(where.tolist(), np.flatnonzero(known).tolist(), strict=True):
            days[dates[row]] = {name: float(np.nan_to_num(column[k])) for name, column in rows.fields.items()}
    return days


class Unfinished:
    """Closed months that are not over yet: what is found out of one is entered once, when it is over.

    Before, each pass would enter what a running month has come to since the pass before it.
    """

    def __init__(self, books: Books, calendar: SiteCalendar) -> None:
        self._books, self._calendar = books, calendar
        self._times = books.closing_times()
        self._known = self._seen = frozenset(self._times)
        self._waiting = {one for one in self._times if self._is_early(one)}
        self._due = frozenset[tuple[str, str]]()

    def waits(self, building: str, month: str, at: datetime) -> bool:
        """Whether a closed month is not to be compared yet: it was closed early, and its last hour is not measured."""
        if (building, month) not in self._times:
            self._times = self._books.closing_times()
        if not self._is_early((building, month)) or self._is_over(month, at, MAX_GAP_MS):
            return False
        self._waiting.add((building, month))
        return True

    def just_closed(self) -> list[tuple[str, str]]:
        """Months that were closed since the last pass: a bill may have been made before what was then written."""
        self._seen = self._books.closed()
        return sorted(self._seen - self._known)

    def just_over(self, at: datetime) -> list[tuple[str, str]]:
        """Months that were closed before their end, and are over by now."""
        self._due = frozenset(one for one in self._waiting if self._is_over(one[1], at, MAX_GAP_MS))
        return sorted(self._due)

    def settle(self) -> None:
        """What these turned out to be is in the books."""
        self._known = self._seen
        self._waiting -= self._due

    def _is_early(self, one: tuple[str, str]) -> bool:
        return one in self._times and not self._is_over(one[1], self._times[one])

    def _is_over(self, month: str, at: datetime, since_ms: int = 0) -> bool:
        return at.timestamp() * 1000 >= self._calendar.month_edges(month)[1] + since_ms


class Adjusting:
    """What one pass over changed readings finds out about closed months, entered once at its end."""

    def __init__(self, books: Books, at: datetime, reason: str) -> None:
        self._books, self.at, self._reason = books, at, reason
        self._based_on = books.newest_entry()
        self.closed = books.closed()
        self._found: dict[tuple[str, str, str, str, str], Days] = {}

    def note(self, tags: dict[str, str], month: str, differences: Days) -> None:
        """Take a counter's month; one that is computed twice in a pass counts once."""
        self._found[tags["building"], tags["utility"], tags["meter"], tags["quantity"], month] = differences

    def enter(self) -> None:
        """Put what was found into the books. Raises ``Stale`` where somebody else has entered the same meanwhile."""
        entries = [Adjustment(*key, self.at, self._reason, days) for key, days in self._found.items() if days]
        self._books.adjust(entries, based_on=self._based_on)
