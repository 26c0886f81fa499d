"""A bill as rows of plain cells: what its text, its CSV and its XLSX all show."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.bill import Bill

LINE_HEADINGS = ("utility", "meters", "tariff", "period or charge", "quantity", "unit", "price", "amount", "basis")
SHARE_HEADINGS = (
    "utility", "quantity", "unit", "measured h", "estimated h", "missing h", "measured", "estimated", "missing",
    "estimated quantity", "unpriced days",
)  # fmt: skip
REGISTER_HEADINGS = (
    "utility", "meter", "serial", "from", "to", "opening", "closing", "ratio", "roll-overs, resets", "counted", "ends",
)  # fmt: skip
PROOF_HEADINGS = ("utility", "closing - opening", "sum of intervals", "difference")
NOTE_HEADINGS = ("note",)
ADJUSTMENT_HEADINGS = ("month", "utility", "meter", "quantity", "amount", "reason")


def line_rows(bill: Bill) -> list[list[object]]:
    """Every line of every utility."""
    return [
        [u.utility, " ".join(u.meters), x.tariff, x.what, x.quantity, x.unit, x.price, x.amount, x.basis]
        for u in bill.utilities
        for x in u.lines
    ]


def share_rows(bill: Bill) -> list[list[object]]:
    """Of each utility how much was measured, estimated and missing."""
    return [
        [
            u.utility,
            u.quantity,
            u.unit,
            round(u.shares.measured_h, 2),
            round(u.shares.estimated_h, 2),
            round(u.shares.missing_h, 2),
            *(u.shares.share(hours) for hours in (u.shares.measured_h, u.shares.estimated_h, u.shares.missing_h)),
            u.shares.estimated_quantity,
            " ".join(day.isoformat() for day in u.unpriced_days),
        ]
        for u in bill.utilities
    ]


def register_rows(bill: Bill) -> list[list[object]]:
    """Each device's registers, times in the site's own zone."""
    zone = bill.start.tzinfo
    return [
        [
            u.utility,
            r.meter,
            r.serial or "–",
            f"{r.start.astimezone(zone):%Y-%m-%d %H:%M}",
            f"{r.end.astimezone(zone):%Y-%m-%d %H:%M}",
            round(r.opening, 3),
            round(r.closing, 3),
            r.ratio,
            round(r.events, 3) + 0.0,
            round(r.counted, 3),
            "in a silence" if r.estimated else "read",
        ]
        for u in bill.utilities
        for r in u.registers
    ]


def proof_rows(bill: Bill) -> list[list[object]]:
    """Of each utility the registers' sum, the intervals' sum and what they differ by."""
    return [[u.utility, u.counted, u.quantity, u.residual] for u in bill.utilities]


def note_rows(bill: Bill) -> list[list[object]]:
    """What a person must know before handing it in."""
    return [[note] for note in bill.notes]


def adjustment_rows(bill: Bill) -> list[list[object]]:
    """What closed months turned out to be more or less."""
    return [[a.month, a.utility, a.meter, a.quantity, a.amount, a.reason] for a in bill.adjustments]
