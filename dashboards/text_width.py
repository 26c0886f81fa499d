"""How wide a text is on a page and how wide Grafana draws a panel: what does not fit is found before it is seen."""

from __future__ import annotations

import unicodedata

_ASCII = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
"""Thousandths of the size for the characters from the space to the tilde: Helvetica (Adobe Core 14 AFM, 1997)."""

_WIDER = 1.08
"""Grafana's Inter, set semi-bold in titles, is about so much wider than Helvetica."""

_FIRST = ord(" ")
_FULL, _OTHER = 1000, 600

COLUMNS, GUTTER = 24, 8
PADDING, ICON, CELL = 16, 24, 16
MENU, EDGES = 300, 48
"""Of a page: its menu, which stands open at the side on wide screens, and what is left free at both edges."""

SCREENS = (1440, 1920)


def text_width(text: str, size_px: float) -> float:
    """Pixels of a line of text; a Chinese character is as wide as it is high."""
    return sum(_thousandths(one) for one in text) * size_px / 1000


def _thousandths(one: str) -> float:
    if unicodedata.east_asian_width(one) in "WF":
        return _FULL
    k = ord(one) - _FIRST
    return (_ASCII[k] if 0 <= k < len(_ASCII) else _OTHER) * _WIDER


def panel_width(columns: int, screen: int) -> float:
    """Pixels of a panel of so many columns on a screen so wide."""
    one = (screen - MENU - EDGES - (COLUMNS - 1) * GUTTER) / COLUMNS
    return one * columns + (columns - 1) * GUTTER
