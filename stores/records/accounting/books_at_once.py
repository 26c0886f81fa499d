"""The books as they stand when bills of many buildings are begun: what all of them ask is read once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from stores.records.accounting.closed_months import Adjustment, ClosedMonth, ClosedMonths
    from stores.records.accounting.proposals import Proposal
    from stores.records.accounting.recomputations import Recomputation


class BooksAtOnce:
    """Asks for a building's entries only where it has some, and for a bill only where its month is closed."""

    def __init__(self, books: ClosedMonths, buildings: Collection[str], months: Collection[str]) -> None:
        """Of these buildings it reads at once which of the months are closed; of others it asks one by one."""
        self._books, self._months = books, [(name, month) for name in buildings for month in months]

    @cached_property
    def _closed_at(self) -> Mapping[tuple[str, str], datetime | None]:
        return {**dict.fromkeys(self._months), **self._books.closing_times(self._months)}

    @cached_property
    def _entered(self) -> frozenset[str]:
        return self._books.buildings_with_entries()

    @cached_property
    def waiting(self) -> tuple[Recomputation, ...]:
        """What is still to be computed again: figures that it reaches are not fit to be closed."""
        return tuple(self._books.waiting())

    def closed_at(self, building: str, month: str) -> datetime | None:
        """When a month was closed; None where it is open."""
        if (building, month) in self._closed_at:
            return self._closed_at[building, month]
        closed = self._books.closed_month(building, month)
        return closed.closed_at if closed else None

    def closed_month(self, building: str, month: str) -> ClosedMonth | None:
        """A closed month; None where it is open. Raises ``ConfigError`` where it is not as it was handed in."""
        is_open = self._closed_at.get((building, month), month) is None
        return None if is_open else self._books.closed_month(building, month)

    def adjustments(self, building: str, start: datetime, end: datetime) -> list[Adjustment]:
        """Entries of a building made in a time, oldest first."""
        return self._books.adjustments(building, start, end) if building in self._entered else []

    def proposed(self, building: str) -> list[Proposal]:
        """Entries of a building that wait for a person, oldest first."""
        return self._books.proposed(building) if building in self._entered else []
