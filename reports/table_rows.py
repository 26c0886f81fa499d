"""What a bill charges as rows of plain cells: its lines, subtotals, tariffs and adjustments."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from facility.quantities import Utility

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reports.bill import Bill
    from reports.bill_words import BillCodes
    from reports.lines import BillLine
    from stores.access.exports import Taken

Rows = list[list[object]]
NOTHING = ""
"""The cell of what does not apply or is not known."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bill: a block of the CSV, a sheet of the XLSX. ``columns``: field for programs → text id.

    At a terminal the ``optional`` columns stand only where some row has something in them.
    """

    field: str
    text_id: str
    columns: Mapping[str, str]
    rows: Callable[[Bill, BillCodes], Rows]
    optional: frozenset[str] = frozenset()

    def headings(self, words: BillCodes) -> list[str]:
        """What the columns are called."""
        return [words.heading(field, text_id) for field, text_id in self.columns.items()]


def head_rows(bill: Bill, words: BillCodes, taken: Taken | None = None) -> Rows:
    """What bill it is, and which export: a fact and its value."""
    facts = [
        ("building", "bill.column.building", words.building(bill)),
        ("month", "bill.column.month", bill.month),
        ("time zone", "bill.column.time_zone", bill.timezone),
        ("currency", "bill.column.currency", bill.currency),
        ("closed", "bill.column.closed", words.closed(bill.closed)),
        ("total", "bill.column.total", NOTHING if bill.due is None else bill.due),
    ]
    if bill.accepted_missing:
        facts.append(("accepted missing", "bill.column.accepted_missing", bill.accepted_missing))
    if taken:
        facts.append(("level", "bill.column.level", words.level(taken.level)))
        facts.append(("export", "bill.column.export", taken.id))
    return [[words.heading(field, text_id), value] for field, text_id, value in facts]


def _line_rows(bill: Bill, words: BillCodes) -> Rows:
    return [
        [
            words.utility(u.utility),
            " ".join(u.meters),
            x.tariff,
            words.charge(x, u),
            x.quantity,
            words.unit(x.unit),
            x.price,
            x.amount,
            x.basis,
            *_part_and_peak(x, words),
        ]
        for u in bill.utilities
        for x in u.lines
    ]


def _part_and_peak(line: BillLine, words: BillCodes) -> list[object]:
    part = [line.part.days, line.part.of] if line.part else [NOTHING, NOTHING]
    peak = line.peak
    return [*part, *([peak.kw, words.formats.written_minute(peak.at), peak.measured] if peak else [NOTHING] * 3)]


def _subtotal_rows(bill: Bill, words: BillCodes) -> Rows:
    """A row for each utility: its lines and what earlier months are adjusted by; the rows add up to the total."""
    adjusted: dict[str, Decimal] = defaultdict(Decimal)
    for one in bill.adjustments:
        adjusted[one.utility] += one.amount
    rows: Rows = []
    for u in bill.utilities:
        more = adjusted.pop(u.utility, NOTHING)
        amount = u.amount if u.lines else NOTHING
        parts = [one for one in (amount, more) if isinstance(one, Decimal)]
        subtotal = sum(parts, Decimal(0)) if parts else NOTHING
        name, meters, unit = words.utility(u.utility), " ".join(u.meters), words.unit(u.unit)
        rows.append([name, meters, NOTHING if u.quantity is None else u.quantity, unit, amount, more, subtotal])
    return rows + [
        [words.utility(utility), NOTHING, NOTHING, NOTHING, NOTHING, amount, amount]
        for utility, amount in adjusted.items()
    ]


def _tariff_rows(bill: Bill, words: BillCodes) -> Rows:
    return [
        [words.utility(u.utility), t.tariff, t.basis, t.valid_from.isoformat(), words.valid_until(t.valid_until)]
        for u in bill.utilities
        for t in u.tariffs
    ]


def _adjustment_rows(bill: Bill, words: BillCodes) -> Rows:
    return [
        [
            a.month,
            words.utility(a.utility),
            a.meter,
            a.quantity,
            a.amount,
            words.reason(a.reason),
            words.unit(Utility(a.utility).unit),
        ]
        for a in bill.adjustments
    ]


def _department_rows(bill: Bill, words: BillCodes) -> Rows:
    """Every part of a line, then of adjusting lines; the amounts add up to the total."""
    beside = {u.utility: u for u in bill.utilities}
    rows: Rows = []
    for one in bill.departments:
        who = [one.department, one.name.in_language(words.formats.language), one.cost_centre]
        for part in one.lines:
            x = part.line
            what = [x.tariff, words.charge(x, beside[part.utility]), x.quantity, words.unit(x.unit), x.price, x.amount]
            rows.append(
                [
                    *who,
                    words.utility(part.utility),
                    words.shared_by(part.by),
                    " ".join(part.meters),
                    *what,
                    part.allocation,
                ]
            )
        for a in one.adjustments:
            more = [
                NOTHING,
                a.month,
                a.quantity,
                words.unit(Utility(a.utility).unit),
                NOTHING,
                a.amount,
                words.reason(a.reason),
            ]
            rows.append([*who, words.utility(a.utility), words.shared_by("adjusting"), a.meter, *more])
    return rows


LINES = Part(
    "lines",
    "bill.part.lines",
    {
        "utility": "bill.column.utility",
        "meters": "bill.column.meters",
        "tariff": "bill.column.tariff",
        "period or charge": "bill.column.charge",
        "quantity": "bill.column.quantity",
        "unit": "bill.column.unit",
        "price": "bill.column.price",
        "amount": "bill.column.amount",
        "basis": "bill.column.basis",
        "days": "bill.column.days",
        "of days": "bill.column.of_days",
        "peak kW": "bill.column.peak_kw",
        "peak at": "bill.column.peak_at",
        "measured": "bill.column.measured",
    },
    _line_rows,
    optional=frozenset({"days", "of days", "peak kW", "peak at", "measured"}),
)
SUBTOTALS = Part(
    "subtotals",
    "bill.part.subtotals",
    {
        "utility": "bill.column.utility",
        "meters": "bill.column.meters",
        "quantity": "bill.column.quantity",
        "unit": "bill.column.unit",
        "amount": "bill.column.amount",
        "adjustments": "bill.part.adjustments",
        "subtotal": "bill.column.subtotal",
    },
    _subtotal_rows,
)
TARIFFS = Part(
    "tariffs",
    "bill.part.tariffs",
    {
        "utility": "bill.column.utility",
        "tariff": "bill.column.tariff",
        "basis": "bill.column.basis",
        "valid from": "bill.column.valid_from",
        "valid until": "bill.column.valid_until",
    },
    _tariff_rows,
)
ADJUSTMENTS = Part(
    "adjustments",
    "bill.part.adjustments",
    {
        "month": "bill.column.month",
        "utility": "bill.column.utility",
        "meter": "bill.column.meter",
        "quantity": "bill.column.quantity",
        "amount": "bill.column.amount",
        "reason": "bill.column.reason",
        "unit": "bill.column.unit",
    },
    _adjustment_rows,
)
DEPARTMENTS = Part(
    "departments",
    "bill.part.departments",
    {
        "department": "bill.column.department",
        "name": "bill.column.name",
        "cost centre": "bill.column.cost_centre",
        "utility": "bill.column.utility",
        "shared by": "bill.column.shared_by",
        "meters": "bill.column.meters",
        "tariff": "bill.column.tariff",
        "period or charge": "bill.column.charge",
        "quantity": "bill.column.quantity",
        "unit": "bill.column.unit",
        "price": "bill.column.price",
        "amount": "bill.column.amount",
        "allocation": "bill.column.allocation",
    },
    _department_rows,
)
