"""What a department bears of a building's bill: its parts of the lines, and of what adjusts earlier months."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal  # noqa: TC003 - pydantic reads the annotations

from facility.model import Name  # noqa: TC001 - pydantic reads the annotations
from reports.adjusting import AdjustingLine  # noqa: TC001 - the same
from reports.lines import BillLine  # noqa: TC001 - the same


@dataclass(frozen=True, slots=True)
class DepartmentLine:
    """A department's part of a line of the bill; ``by`` says how it came to it, such as meters, owner or area.

    ``meters`` are the department's own, or else the building's head meters.
    """

    utility: str
    meters: tuple[str, ...]
    by: str
    allocation: str
    line: BillLine


@dataclass(frozen=True, slots=True)
class DepartmentBill:
    """What a department bears of a building's month; those of all departments add up to the building's bill."""

    department: str
    name: Name
    cost_centre: str
    lines: tuple[DepartmentLine, ...]
    adjustments: tuple[AdjustingLine, ...]
    amount: Decimal
