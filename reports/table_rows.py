"""A bill as rows of plain cells: what its text, its CSV and its XLSX all show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reports.bill import Bill
    from reports.bill_words import BillCodes

Rows = list[list[object]]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bill: a block of the CSV, a sheet of the XLSX. ``columns``: field for programs → text id."""

    field: str
    text_id: str
    columns: Mapping[str, str]
    rows: Callable[[Bill, BillCodes], Rows]

    def headings(self, words: BillCodes) -> list[str]:
        """What the columns are called."""
        return [words.heading(field, text_id) for field, text_id in self.columns.items()]


def head_rows(bill: Bill, words: BillCodes) -> Rows:
    """What bill it is: a fact and its value."""
    facts = (
        ("building", "bill.column.building", words.building(bill)),
        ("month", "bill.column.month", bill.month),
        ("time zone", "bill.column.time_zone", bill.timezone),
        ("currency", "bill.column.currency", bill.currency),
        ("closed", "bill.column.closed", words.closed(bill.closed)),
        ("total", "bill.column.total", bill.total),
    )
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
        ]
        for u in bill.utilities
        for x in u.lines
    ]


def _share_rows(bill: Bill, words: BillCodes) -> Rows:
    return [
        [
            words.utility(u.utility),
            u.quantity,
            words.unit(u.unit),
            round(u.shares.measured_h, 2),
            round(u.shares.estimated_h, 2),
            round(u.shares.missing_h, 2),
            *(u.shares.share(hours) for hours in (u.shares.measured_h, u.shares.estimated_h, u.shares.missing_h)),
            u.shares.estimated_quantity,
            " ".join(day.isoformat() for day in u.unpriced_days),
        ]
        for u in bill.utilities
    ]


def _register_rows(bill: Bill, words: BillCodes) -> Rows:
    """Times in the site's own zone."""
    zone = bill.start.tzinfo
    return [
        [
            words.utility(u.utility),
            r.meter,
            r.serial or "–",
            f"{r.start.astimezone(zone):%Y-%m-%d %H:%M}",
            f"{r.end.astimezone(zone):%Y-%m-%d %H:%M}",
            round(r.opening, 3),
            round(r.closing, 3),
            r.ratio,
            round(r.events, 3) + 0.0,
            round(r.counted, 3),
            words.ends(r.estimated),
        ]
        for u in bill.utilities
        for r in u.registers
    ]


def _proof_rows(bill: Bill, words: BillCodes) -> Rows:
    return [[words.utility(u.utility), u.counted, u.quantity, u.residual] for u in bill.utilities]


def _note_rows(bill: Bill, words: BillCodes) -> Rows:
    return [[words.note(note)] for note in bill.notes]


def _adjustment_rows(bill: Bill, words: BillCodes) -> Rows:
    return [
        [a.month, words.utility(a.utility), a.meter, a.quantity, a.amount, words.reason(a.reason)]
        for a in bill.adjustments
    ]


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
    },
    _line_rows,
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
    },
    _adjustment_rows,
)
SHARES = Part(
    "shares",
    "bill.part.shares",
    {
        "utility": "bill.column.utility",
        "quantity": "bill.column.quantity",
        "unit": "bill.column.unit",
        "measured h": "bill.column.measured_h",
        "estimated h": "bill.column.estimated_h",
        "missing h": "bill.column.missing_h",
        "measured": "bill.column.measured",
        "estimated": "bill.column.estimated",
        "missing": "bill.column.missing",
        "estimated quantity": "bill.column.estimated_quantity",
        "unpriced days": "bill.column.unpriced_days",
    },
    _share_rows,
)
REGISTERS = Part(
    "registers",
    "bill.part.registers",
    {
        "utility": "bill.column.utility",
        "meter": "bill.column.meter",
        "serial": "bill.column.serial",
        "from": "bill.column.from",
        "to": "bill.column.to",
        "opening": "bill.column.opening",
        "closing": "bill.column.closing",
        "ratio": "bill.column.ratio",
        "roll-overs, resets": "bill.column.events",
        "counted": "bill.column.counted",
        "ends": "bill.column.ends",
    },
    _register_rows,
)
PROOF = Part(
    "proof",
    "bill.part.proof",
    {
        "utility": "bill.column.utility",
        "closing - opening": "bill.column.by_registers",
        "sum of intervals": "bill.column.by_intervals",
        "difference": "bill.column.difference",
    },
    _proof_rows,
)
NOTES = Part("notes", "bill.part.notes", {"note": "bill.column.note"}, _note_rows)

PARTS = (LINES, ADJUSTMENTS, SHARES, REGISTERS, PROOF, NOTES)
"""In the order in which files show them."""
