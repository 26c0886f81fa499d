"""A bill for a terminal: its parts as tables, in the reader's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meterhouse.table import GAP, plain, render_facts, render_table, wrapped
from reports.bill_files import SHARES_OF_TIME
from reports.bill_words import BillWords
from reports.proof_rows import PROOF, REGISTERS, SHARES
from reports.table_rows import ADJUSTMENTS, LINES, NOTHING, TARIFFS
from wording.texts import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reports.bill import Bill, UtilityBill
    from reports.table_rows import Part
    from stores.access.exports import Taken
    from wording.formats import Formats

_NUMBERS = frozenset(
    {
        "quantity", "price", "amount", "measured h", "estimated h", "missing h", "measured", "estimated", "missing",
        "estimated quantity", "opening", "closing", "ratio", "roll-overs, resets", "counted",
        "closing - opening", "sum of intervals", "difference", "days", "of days", "peak kW",
    }
)  # fmt: skip
_LEFT_OUT = frozenset({"meters", "basis", "peak kW", "peak at", "measured"})
"""Columns of lines that stand in the sums and among the tariffs."""


def bill_text(bill: Bill, formats: Formats, width: int | None = None, taken: Taken | None = None) -> str:
    """The whole bill, ending with a new line; tables that are wider than ``width`` are wrapped.

    ``taken`` is the export that it is, where it is one.
    """
    words = BillWords(formats)
    texts = words.texts
    parts = [_facts(bill, words, width, taken), _table(LINES, bill, words, width), _fitted(_sums(bill, words), width)]
    titles = {
        "bill.title.tariffs": TARIFFS if any(one.tariffs for one in bill.utilities) else None,
        "bill.title.adjustments": ADJUSTMENTS if bill.adjustments else None,
        "bill.title.shares": SHARES,
        "bill.title.registers": REGISTERS,
        "bill.title.proof": PROOF,
    }
    parts += [f"{texts(title)}\n{_table(part, bill, words, width)}" for title, part in titles.items() if part]
    if bill.notes:
        parts.append(_fitted((texts("bill.noted", note=words.note(note)) for note in bill.notes), width))
    return "\n\n".join(parts) + "\n"


def _facts(bill: Bill, words: BillWords, width: int | None, taken: Taken | None) -> str:
    texts, name = words.texts, bill.name.in_language(words.formats.language)
    facts = [
        (texts("bill.column.building"), f"{name} ({bill.building})"),
        (texts("bill.column.month"), texts("bill.month", month=bill.month, zone=bill.timezone)),
        (texts("bill.column.closed"), words.closed(bill.closed)),
        (texts("bill.column.total"), words.formats.billed(bill.due)),
    ]
    if bill.accepted_missing:
        facts.append((texts("bill.column.accepted_missing"), bill.accepted_missing))
    if taken:
        facts.append((texts("bill.column.level"), words.level(taken.level)))
        facts.append((texts("bill.column.export"), taken.id))
    return render_facts(facts, width)


def _fitted(sentences: Iterable[str], width: int | None) -> str:
    """Sentences below each other; what of one does not fit goes on below it, indented."""
    if width is None:
        return "\n".join(sentences)
    lines = []
    for sentence in map(plain, sentences):
        indent = sentence[: len(sentence) - len(sentence.lstrip())]
        first, *others = wrapped(sentence.lstrip(), width - len(indent + GAP))
        lines += [indent + first, *(f"{indent}{GAP}{other}" for other in others)]
    return "\n".join(lines)


def _sums(bill: Bill, words: BillWords) -> Iterator[str]:
    """A line for each utility: what was used, what it costs, and whose registers say so."""
    return (line for one in bill.utilities for line in (_sum(one, words), *_peaks(one, words)))


def _peaks(one: UtilityBill, words: BillWords) -> Iterator[str]:
    """What demand was charged by, once: the highest quarter-hour, when it was, and how much was measured."""
    charged = {line.peak: line for line in reversed(one.lines) if line.peak}
    for peak, line in reversed(charged.items()):
        at, kw, measured = words.formats.written_minute(peak.at), words.formats.exact(peak.kw), _percent(peak.measured)
        yield words.texts("bill.peak", charge=words.charge(line, one), kw=kw, at=at, measured=measured)


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _sum(one: UtilityBill, words: BillWords) -> str:
    formats, texts = words.formats, words.texts
    utility, meters = words.utility(one.utility), texts("cli.between").join(one.meters)
    if one.quantity is None:
        amount = formats.billed(one.amount) if one.lines else ABSENT
        return texts("bill.sum_unknown", utility=utility, amount=amount, meters=meters)
    quantity, unit = formats.exact(one.quantity), words.unit(one.unit)
    return texts(
        "bill.sum", utility=utility, quantity=quantity, unit=unit, amount=formats.billed(one.amount), meters=meters
    )


def _cell(field: str, cell: object) -> object:
    return _percent(cell) if field in SHARES_OF_TIME and isinstance(cell, float) else cell


def _table(part: Part, bill: Bill, words: BillWords, width: int | None) -> str:
    whole, fields = part.rows(bill, words), list(part.columns)
    empty = {field for i, field in enumerate(fields) if all(row[i] == NOTHING for row in whole)}
    left_out = _LEFT_OUT | (empty & part.optional) if part is LINES else empty & part.optional
    kept = [i for i, field in enumerate(fields) if field not in left_out]
    headings = part.headings(words)
    rows = [[_cell(fields[i], row[i]) for i in kept] for row in whole]
    right = [place for place, i in enumerate(kept) if fields[i] in _NUMBERS]
    return render_table([headings[i] for i in kept], rows, right=right, width=width)
