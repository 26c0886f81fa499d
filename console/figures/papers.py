"""What the page of a building says of a month in money and by department, and of twelve months in indicators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.billing import make_bill
from reports.indicators import make_indicators

if TYPE_CHECKING:
    from console.visit import Visit
    from facility.catalogue import Catalogue
    from facility.model import Building, Name
    from reports.bill import Bill
    from reports.indicators import IndicatorReport
    from stores.access import ClosedMonths, ReadingStore, Spells

YEAR, FIRST_YEAR, LAST_YEAR = 12, 2000, 2100


@dataclass(frozen=True, slots=True)
class Papers:
    """A building's bill of a month with what each department bears, and its indicators of the year up to then."""

    month: str
    before: str
    after: str
    """The next month; empty where that has not begun."""
    bill: Bill
    indicators: IndicatorReport
    by_department: tuple[tuple[Name, IndicatorReport], ...]
    """The same of each department that bears a part of the building; none where one bears all of it."""


def papers_of(visit: Visit, building: Building, month: str) -> Papers:
    """The papers of a month. Raises ``ConfigError`` where a figure that a rule needs is not stated."""

    def make(store: ReadingStore, estate: Catalogue, closed: ClosedMonths, spells: Spells) -> Papers:
        bill = make_bill(store, estate, closed, spells, building.id, month, now=visit.now)
        report = make_indicators(store, estate, moved(month, 1 - YEAR), YEAR, building=building.id)
        after = moved(month, 1)
        first, home = moved(month, 1 - YEAR), building.id
        shared = bill.departments if len(bill.departments) > 1 else ()
        parts = tuple(
            (one.name, make_indicators(store, estate, first, YEAR, building=home, department=one.department))
            for one in shared
        )
        return Papers(month, moved(month, -1), after if after <= this_month(visit) else "", bill, report, parts)

    return visit.view.papers.made(building.id, make)


def this_month(visit: Visit) -> str:
    """The month of now on the site's clock."""
    return f"{visit.formats.local(visit.now):%Y-%m}"


def is_month(text: str) -> bool:
    """Whether a text is a month such as ``2026-11``."""
    year, sign, month = text.partition("-")
    is_written = sign and len(year) == 4 and len(month) == 2 and (year + month).isascii() and (year + month).isdecimal()  # noqa: PLR2004
    return bool(is_written) and FIRST_YEAR <= int(year) <= LAST_YEAR and 1 <= int(month) <= YEAR


def moved(month: str, by: int) -> str:
    """A month some months later, or earlier."""
    count = int(month[:4]) * YEAR + int(month[5:]) - 1 + by
    return f"{count // YEAR:04}-{count % YEAR + 1:02}"
