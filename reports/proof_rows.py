"""How a bill's figures are known as rows of plain cells: shares of time, registers, the proof, notes."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from reports.table_rows import ADJUSTMENTS, DEPARTMENTS, LINES, NOTHING, SUBTOTALS, TARIFFS, Part

if TYPE_CHECKING:
    from reports.bill import Bill
    from reports.bill_words import BillCodes
    from reports.table_rows import Rows


def _share_rows(bill: Bill, words: BillCodes) -> Rows:
    """The meter is named where there are several: it is the one that is known worst."""
    return [
        [
            words.utility(u.utility),
            NOTHING if u.quantity is None else u.quantity,
            words.unit(u.unit),
            round(u.shares.measured_h, 2),
            round(u.shares.estimated_h, 2),
            round(u.shares.missing_h, 2),
            *(u.shares.share(hours) for hours in (u.shares.measured_h, u.shares.estimated_h, u.shares.missing_h)),
            u.shares.estimated_quantity,
            " ".join(day.isoformat() for day in u.unpriced_days),
            u.shares.meter if len(u.heads) > 1 else NOTHING,
        ]
        for u in bill.utilities
    ]


def _register_rows(bill: Bill, words: BillCodes) -> Rows:
    """Times on the clocks of the site: a bill that was kept knows of its instants no more than their offsets."""
    written = words.formats.written_minute
    return [
        [
            words.utility(u.utility),
            r.meter,
            r.serial or "–",
            written(r.start),
            written(r.end),
            _face(r.opening),
            _face(r.closing),
            r.ratio,
            _face(r.events),
            round(r.counted, 3),
            words.ends(r),
            words.unit(u.unit),
        ]
        for u in bill.utilities
        for r in u.registers
    ]


def _face(figure: float | None) -> object:
    """What a register shows, or differs by; nothing where nobody has read it (NaN on bills of before 2026-12)."""
    return NOTHING if figure is None or isnan(figure) else round(figure, 3) + 0.0


def _proof_rows(bill: Bill, words: BillCodes) -> Rows:
    return [
        [
            words.utility(u.utility),
            u.counted,
            NOTHING if u.quantity is None else u.quantity,
            u.residual,
            words.unit(u.unit),
        ]
        for u in bill.utilities
        if u.quantity is not None or u.registers
    ]


def _note_rows(bill: Bill, words: BillCodes) -> Rows:
    return [[words.note(note)] for note in bill.notes]


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
        "worst meter": "bill.column.worst_meter",
    },
    _share_rows,
    optional=frozenset({"worst meter", "unpriced days"}),
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
        "unit": "bill.column.unit",
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
        "unit": "bill.column.unit",
    },
    _proof_rows,
)
NOTES = Part("notes", "bill.part.notes", {"note": "bill.column.note"}, _note_rows)

PARTS = (LINES, SUBTOTALS, TARIFFS, ADJUSTMENTS, SHARES, REGISTERS, PROOF, NOTES)
"""In the order in which files show them; what departments bear comes last."""


def parts_of(bill: Bill) -> tuple[Part, ...]:
    """The parts of a bill: departments only where some bear it."""
    return (*PARTS, DEPARTMENTS) if bill.departments else PARTS
