"""One rule for every Chinese text: a space between a Chinese character and a Latin letter, a digit or a sign.

Catalogues write that space inside their own words and none beside a place, for nobody knows there whether a name or a
figure will stand in it; where the place is filled, the rule puts the space. Dates as CLDR writes them (11月30日周一)
keep their form, and what people wrote themselves, a name or a path, is never changed inside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_CHINESE = "\u3400-\u4dbf\u4e00-\u9fff"
_CLOSE_BY = r"\s\u3000-\u303f\uff00-\uffef“”‘’…—·"
"""What keeps a distance of its own: white space and Chinese punctuation."""

_APART = re.compile(
    rf"(?<=[{_CHINESE}])(?=[^{_CHINESE}{_CLOSE_BY},.;:!?)\]}}])|(?<=[^{_CHINESE}{_CLOSE_BY}(\[{{])(?=[{_CHINESE}])"
)
"""Between two characters that a space belongs between."""

_DATE = re.compile(r"\d+(?=[年月日])|(?<=[年月日])\d+")
_WITHIN = re.compile(rf"(?<=[{_CHINESE}])(?=[0-9A-Za-z])|(?<=[0-9A-Za-z])(?=[{_CHINESE}])")


def spaced(text: str) -> str:
    """A whole text by the rule: ``14小时`` → ``14 小时``."""
    return _WITHIN.sub(" ", text)


def joined(pieces: Iterable[str]) -> str:
    """Words of a catalogue and what fills their places, in turn, with a space where two that meet need one."""
    whole = ""
    for piece in pieces:
        if whole and piece and _APART.match(whole[-1] + piece[0], 1):
            whole += " "
        whole += piece
    return whole


def unspaced_in(text: str) -> list[str]:
    """Pairs of characters in a catalogue's own words that lack their space, dates aside."""
    bare = _DATE.sub("", text)
    return [bare[found.start() - 1 : found.start() + 1] for found in _WITHIN.finditer(bare)]
