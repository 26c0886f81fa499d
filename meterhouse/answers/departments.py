"""What ``meterhouse account departments`` answers: what each department bears of buildings' bills, and the totals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from facility.quantities import Utility
from meterhouse.output import table, texts
from reports.adjusting import AdjustingLine  # noqa: TC001 - the answer's shape is read by its types
from reports.department_lines import DepartmentLine  # noqa: TC001 - the same
from wording.reasons import reason_text
from wording.units import unit_sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports.bill import Bill
    from wording.formats import Formats

COLUMNS = (
    "departments.department", "bill.column.utility", "departments.by", "bill.column.meters", "bill.column.tariff",
    "bill.column.charge", "bill.column.quantity", "bill.column.unit", "bill.column.price", "bill.column.amount",
)  # fmt: skip
TOTALS = ("cli.column.building", "departments.department", "departments.cost_centre", "bill.column.amount")


@dataclass(frozen=True, slots=True)
class DepartmentAnswer:
    """What a department bears of a building's month."""

    building: Annotated[str, "its id"]
    department: Annotated[str, "its id"]
    name: Annotated[str, "in the reader's language"]
    cost_centre: str
    amount: Annotated[Decimal, "of all departments together the building's total"]
    lines: list[DepartmentLine]
    adjustments: list[AdjustingLine]


@dataclass(frozen=True, slots=True)
class DepartmentTotal:
    """What a department bears of all buildings."""

    department: Annotated[str, "its id"]
    name: Annotated[str, "in the reader's language"]
    cost_centre: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class DepartmentsAnswer:
    """A month by department."""

    month: Annotated[str, "local, such as `2026-10`"]
    currency: str
    bills: list[DepartmentAnswer]
    totals: list[DepartmentTotal]
    total: Annotated[Decimal, "the sum of the buildings' bills that are borne by departments"]
    unborne: Annotated[list[str], "buildings whose bill no department bears"]


def departments_answer(bills: Sequence[Bill], month: str, formats: Formats) -> DepartmentsAnswer:
    """For programs: bill by bill, then what each department bears of all."""
    found = [
        DepartmentAnswer(
            bill.building,
            one.department,
            one.name.in_language(formats.language),
            one.cost_centre,
            one.amount,
            list(one.lines),
            list(one.adjustments),
        )
        for bill in bills
        for one in bill.departments
    ]
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for one in found:
        sums[one.department, one.name, one.cost_centre] += one.amount
    return DepartmentsAnswer(
        month=month,
        currency=formats.currency,
        bills=found,
        totals=[DepartmentTotal(*who, amount) for who, amount in sums.items()],
        total=sum(sums.values(), Decimal(0)),
        unborne=[bill.building for bill in bills if not bill.departments and bill.due is not None],
    )


def departments_text(found: DepartmentsAnswer, formats: Formats) -> str:
    """Lines of one building, or the totals of all."""
    t = texts()
    rows = [
        (one.building, f"{one.name} ({one.department})", one.cost_centre, formats.billed(one.amount))
        for one in found.bills
    ]
    if len({one.building for one in found.bills}) > 1:
        every = t("departments.all")
        rows += [
            (every, f"{one.name} ({one.department})", one.cost_centre, formats.billed(one.amount))
            for one in found.totals
        ]
        parts = []
    else:
        parts = [_lines(found, formats)] if found.bills else []
    parts.append(table(TOTALS, rows, right=(3,)) + f"\n{t('departments.total', total=formats.billed(found.total))}")
    parts += [t("departments.unborne", building=building) for building in found.unborne]
    return "\n\n".join(parts)


def _lines(found: DepartmentsAnswer, formats: Formats) -> str:
    rows = [row for bill in found.bills for row in (*_own(bill, formats), *_adjusting(bill, formats))]
    return table(COLUMNS, rows, right=(6, 8, 9))


def _own(bill: DepartmentAnswer, formats: Formats) -> Iterator[tuple[str, ...]]:
    t = texts()
    for one in bill.lines:
        line = one.line
        tier = line.what.partition("_")[2] if line.what.startswith("tier_") else ""
        charge = t("charge.tier", number=tier) if tier else t(f"charge.{line.what}")
        how = t(f"charged.{one.utility}"), t(f"departments.by.{one.by}"), " ".join(one.meters)
        figures = f"{line.quantity:,}", unit_sign(line.unit), str(line.price), formats.billed(line.amount)
        yield bill.name, *how, line.tariff, charge, *figures


def _adjusting(bill: DepartmentAnswer, formats: Formats) -> Iterator[tuple[str, ...]]:
    t = texts()
    for one in bill.adjustments:
        how = t(f"charged.{one.utility}"), t("departments.by.adjusting", month=one.month), one.meter
        unit = unit_sign(Utility(one.utility).unit)
        figures = f"{one.quantity:,}", unit, "", formats.billed(one.amount)
        yield bill.name, *how, "", reason_text(one.reason, t), *figures
