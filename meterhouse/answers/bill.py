"""A bill for a terminal: its parts as tables, in the reader's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meterhouse.table import render_facts, render_table
from reports.bill_words import BillWords
from reports.table_rows import ADJUSTMENTS, LINES, PROOF, REGISTERS, SHARES

if TYPE_CHECKING:
    from collections.abc import Collection

    from reports.bill import Bill
    from reports.table_rows import Part
    from wording.formats import Formats

_NUMBERS = frozenset(
    {
        "quantity", "price", "amount", "measured h", "estimated h", "missing h", "measured", "estimated", "missing",
        "estimated quantity", "opening", "closing", "ratio", "roll-overs, resets", "counted",
        "closing - opening", "sum of intervals", "difference",
    }
)  # fmt: skip


def bill_text(bill: Bill, formats: Formats) -> str:
    """The whole bill, ending with a new line."""
    words = BillWords(formats)
    texts = words.texts
    parts = [_facts(bill, words), _table(LINES, bill, words, leave_out={"meters", "basis"}), _sums(bill, words)]
    if bill.adjustments:
        parts.append(f"{texts('bill.title.adjustments')}\n{_table(ADJUSTMENTS, bill, words)}")
    parts.append(f"{texts('bill.title.shares')}\n{_table(SHARES, bill, words)}")
    parts.append(f"{texts('bill.title.registers')}\n{_table(REGISTERS, bill, words)}")
    parts.append(f"{texts('bill.title.proof')}\n{_table(PROOF, bill, words)}")
    if bill.notes:
        parts.append("\n".join(texts("bill.noted", note=words.note(note)) for note in bill.notes))
    return "\n\n".join(parts) + "\n"


def _facts(bill: Bill, words: BillWords) -> str:
    texts, name = words.texts, bill.name.in_language(words.formats.language)
    return render_facts(
        [
            (texts("bill.column.building"), f"{name} ({bill.building})"),
            (texts("bill.column.month"), texts("bill.month", month=bill.month, zone=bill.timezone)),
            (texts("bill.column.closed"), words.closed(bill.closed)),
            (texts("bill.column.total"), words.formats.billed(bill.total)),
        ]
    )


def _sums(bill: Bill, words: BillWords) -> str:
    """A line for each utility: what was used, what it costs, and whose registers say so."""
    formats, texts = words.formats, words.texts
    return "\n".join(
        texts(
            "bill.sum",
            utility=words.utility(one.utility),
            quantity=formats.exact(one.quantity),
            unit=words.unit(one.unit),
            amount=formats.billed(one.amount),
            meters=texts("cli.between").join(one.meters),
        )
        for one in bill.utilities
    )


def _table(part: Part, bill: Bill, words: BillWords, leave_out: Collection[str] = ()) -> str:
    kept = [i for i, field in enumerate(part.columns) if field not in leave_out]
    headings, fields = part.headings(words), list(part.columns)
    rows = [[row[i] for i in kept] for row in part.rows(bill, words)]
    right = [place for place, i in enumerate(kept) if fields[i] in _NUMBERS]
    return render_table([headings[i] for i in kept], rows, right=right)
