"""Plain text tables that read well in a terminal, in a file and in a log; wide Chinese characters count double."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

GAP = "  "
NARROWEST = 8
"""No column is made narrower, however much is too wide."""

_PIECES = re.compile(r"\s*(?:[\u2e80-\uffef][，。：；、）！？]*|[^\s/_\u2e80-\uffef]+[/_]*[，。：；、）！？]*|[/_]+)")
"""What a line is broken between: words, parts of an id, and Chinese characters, but not before their punctuation."""

_OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that a terminal obeys instead of showing them; a line feed is ours to lay out."""


_NO_WIDTH = frozenset({"Mn", "Me", "Cf"})
"""Kinds of characters that stand on the one before, such as accents, or are not seen at all."""


def text_width(text: str) -> int:
    """Columns a terminal needs for ``text``."""
    return sum(0 if unicodedata.category(char) in _NO_WIDTH else _columns(char) for char in text)


def _columns(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def plain(cell: object) -> str:
    """A cell as text that no terminal obeys: it may come from whoever sent a message."""
    return _OBEYED.sub("\N{REPLACEMENT CHARACTER}", str(cell))


def render_table(
    header: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[int] = (), width: int | None = None
) -> str:
    """Rows under a header, columns two spaces apart; the columns numbered in ``right`` are right-aligned.

    A table wider than ``width`` has its other columns and its headings wrapped; one that is too wide all the same has
    each row told as names and values. Without a width, every row is one line.
    """
    lines = [list(header), *([plain(cell) for cell in row] for row in rows)]
    columns = [[line[i] for line in lines] for i in range(len(header))]
    widths = _fitting(columns, right, width)
    if width and sum(widths) + len(GAP) * (len(widths) - 1) > width and len(lines) > 1:
        return _row_by_row(lines, right, width)
    title, *others = [list(_rendered(line, widths, right)) for line in lines]
    rule = GAP.join("─" * size for size in widths)
    return "\n".join([*title, rule, *(text for rendered in others for text in rendered)])


def _row_by_row(lines: Sequence[Sequence[str]], right: Sequence[int], width: int) -> str:
    """Each row under the one before, its cells below each other beside their headings; no figure is cut."""
    header, *rows = lines
    names = max(text_width(name) for name in header)
    figures = max((text_width(row[i]) for row in rows for i in right), default=0)
    most = max(width, names + figures + 2 * len(GAP))
    facts = [[(name, cell) for name, cell in zip(header, row, strict=True) if cell] for row in rows]
    return "\n\n".join(render_facts(pairs, most) for pairs in facts if pairs)


def _fitting(columns: Sequence[Sequence[str]], right: Sequence[int], width: int | None) -> list[int]:
    """Widths of columns that fit: the widest give first, as long as no word is cut; then the last ones do."""
    widths = [max(text_width(part) for cell in column for part in cell.split("\n")) for column in columns]
    spare = (width or 0) - sum(widths) - len(GAP) * (len(widths) - 1)
    if width is None or spare >= 0:
        return widths
    whole = [_whole(column, i in right) for i, column in enumerate(columns)]
    for _ in range(-spare):
        wide = [i for i in range(len(columns)) if widths[i] > whole[i]]
        cut = [i for i in range(len(columns)) if i not in right and widths[i] > NARROWEST]
        if not wide and not cut:
            break
        widths[max(wide, key=lambda i: widths[i]) if wide else cut[-1]] -= 1
    return widths


def _whole(column: Sequence[str], is_right: bool) -> int:
    """What a column needs to have no word cut; of figures, which are not broken, only the heading gives."""
    if not is_right:
        return max(NARROWEST, *(text_width(word) for cell in column for word in _words(cell)))
    heading, *figures = column
    return max(text_width(part) for part in (*_words(heading), *figures))


def _words(text: str) -> Iterator[str]:
    """What is better not cut; at least the empty word."""
    yield ""
    yield from (piece.strip() for piece in _PIECES.findall(text))


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
    return [line for part in text.split("\n") for line in _wrapped_line(part, width)]


def _wrapped_line(text: str, width: int) -> list[str]:
    if text_width(text) <= width:
        return [text]
    lines = [""]
    for piece in _PIECES.findall(text):
        if lines[-1] and text_width(lines[-1] + piece) > width:
            lines.append("")
        for char in piece if lines[-1] else piece.lstrip():
            if text_width(lines[-1] + char) > width and lines[-1]:
                lines.append("")
            lines[-1] += char
    return lines


def render_facts(facts: Iterable[tuple[str, str]], width: int | None = None) -> str:
    """Names and values in two columns, without a header; values are wrapped where they are wider than ``width``."""
    pairs = [(plain(name), plain(value)) for name, value in facts]
    names = max(text_width(name) for name, _ in pairs)
    most = max(width - names - 2 * len(GAP), NARROWEST) if width else None
    lines = []
    for name, value in pairs:
        parts = wrapped(value, most) if most else value.split("\n")
        for k, part in enumerate(parts):
            said = name if k == 0 else ""
            lines.append(f"{GAP}{said}{' ' * (names - text_width(said))}{GAP}{part}".rstrip())
    return "\n".join(lines)
