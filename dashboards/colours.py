"""The few colours that dashboards use, each for one meaning everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, WATCH, ACT, UNKNOWN = "#1A9850", "#FDAE61", "#D73027", "#8C8C8C"
"""Status; never without the figure or a word beside it."""

ACTUAL, EXPECTED, BAND = "#3274D9", "#8C8C8C", "#B7B7B7"
LESS, MORE = "#2B83BA", "#FDAE61"
"""Less and more than expected."""

TARIFF = {"sharp": "#B2182B", "peak": "#EF8A62", "flat": "#FDDBC7", "valley": "#67A9CF", "deep": "#2166AC"}
OCCUPANCY = {"work": "#3274D9", "off": "#8AB8FF", "night": "#5C4D9A", "weekend": "#C4A5DE", "holiday": "#8C8C8C"}
UTILITY = {
    "electricity": "#3274D9",
    "water": "#35A7C4",
    "gas": "#E0B400",
    "heat": "#E24D42",
    "cooling": "#56A64B",
}
EVENT = {"alert": ACT, "config": "#8F3BB8", "holiday": UNKNOWN, "swap": "#8F3BB8"}

WHEEL = (
    "#3274D9", "#E0B400", "#56A64B", "#E24D42", "#8F3BB8", "#35A7C4", "#FF780A", "#5C4D9A", "#C4A5DE", "#8AB8FF",
    "#806000", "#2F7D6D", "#A31545", "#B6D957", "#F2A6C4", "#7A7A7A",
)  # fmt: skip
"""For end uses and kinds of alerts: as many as there are known words of either."""

SCHEME = "Viridis"
DIVERGING = "PuOr"

KNOWN = frozenset(
    {OK, WATCH, ACT, UNKNOWN, ACTUAL, EXPECTED, BAND, LESS, MORE, "transparent", "text"}
    | {*TARIFF.values(), *OCCUPANCY.values(), *UTILITY.values(), *EVENT.values(), *WHEEL}
)
"""What the check lets a panel hold."""


def of_word(word: str, known: Sequence[str]) -> str:
    """The colour of a word: of known ones each its own; of others always the same, whatever other words there are."""
    return WHEEL[(known.index(word) if word in known else crc32(word.encode())) % len(WHEEL)]
