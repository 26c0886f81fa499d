"""Plain text tables that read well in a terminal, in a file and in a log; wide Chinese characters count double."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def text_width(text: str) -> int:
    """Columns a terminal needs for ``text``."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def render_table(header: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> str:
    """Rows under a header, columns two spaces apart; the columns numbered in ``right`` are right-aligned."""
    lines = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(text_width(line[i]) for line in lines) for i in range(len(header))]

    def pad(cell: str, i: int) -> str:
        space = " " * (widths[i] - text_width(cell))
        return space + cell if i in right else cell + space

    rendered = ["  ".join(pad(cell, i) for i, cell in enumerate(line)).rstrip() for line in lines]
    rendered.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(rendered)


def render_facts(facts: Iterable[tuple[str, str]]) -> str:
    """Names and values in two columns, without a header."""
    pairs = list(facts)
    width = max(text_width(name) for name, _ in pairs)
    return "\n".join(f"  {name}{' ' * (width - text_width(name))}  {value}" for name, value in pairs)
