"""Plain text tables that read well in a terminal, in a file and in a log; wide Chinese characters count double."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

GAP = "  "
NARROWEST = 8
"""No column is wrapped to less: words would fall apart."""

_PIECES = re.compile(r"\s*(?:[\u2e80-\uffef][，。：；、）！？]*|[^\s\u2e80-\uffef]+)")
"""What a line is broken between: words, and any two Chinese characters, but not before their punctuation."""


def text_width(text: str) -> int:
    """Columns a terminal needs for ``text``."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def render_table(
    header: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[int] = (), width: int | None = None
) -> str:
    """Rows under a header, columns two spaces apart; the columns numbered in ``right`` are right-aligned.

    Where a table is wider than ``width``, the widest of the others are wrapped; without one every row is one line.
    """
    lines = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = _fitting([max(text_width(line[i]) for line in lines) for i in range(len(header))], right, width)
    rendered = [text for line in lines for text in _rendered(line, widths, right)]
    title = len(list(_rendered(lines[0], widths, right)))
    rendered.insert(title, GAP.join("─" * size for size in widths))
    return "\n".join(rendered)


def _fitting(widths: list[int], right: Sequence[int], width: int | None) -> list[int]:
    """Widths of columns that fit: what is too much is taken from the widest, a column at a time."""
    fitting = list(widths)
    too_much = sum(fitting) + len(GAP) * (len(fitting) - 1) - width if width else 0
    while too_much > 0:
        wide = [i for i, size in enumerate(fitting) if i not in right and size > NARROWEST]
        if not wide:
            break
        fitting[max(wide, key=lambda i: fitting[i])] -= 1
        too_much -= 1
    return fitting


def _rendered(line: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> Iterator[str]:
    """The one or more lines of text that a row needs."""
    cells = [wrapped(cell, widths[i]) for i, cell in enumerate(line)]
    for k in range(max(map(len, cells))):
        padded = []
        for i, parts in enumerate(cells):
            part = parts[k] if k < len(parts) else ""
            space = " " * (widths[i] - text_width(part))
            padded.append(space + part if i in right else part + space)
        yield GAP.join(padded).rstrip()


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of ``width`` columns at most, broken between words; a longer word is cut."""
    if text_width(text) <= width:
        return [text]
    lines = [""]
    for piece in _PIECES.findall(text):
        if lines[-1] and text_width(lines[-1] + piece) > width:
            lines.append("")
        word = piece if lines[-1] else piece.lstrip()
        for char in word:
            if text_width(lines[-1] + char) > width and text_width(lines[-1]) > 1:
                lines.append("")
            lines[-1] += char
    return lines


def render_facts(facts: Iterable[tuple[str, str]]) -> str:
    """Names and values in two columns, without a header."""
    pairs = list(facts)
    width = max(text_width(name) for name, _ in pairs)
    return "\n".join(f"  {name}{' ' * (width - text_width(name))}  {value}" for name, value in pairs)
