"""How old something is, in a word: for tables, where a sentence has no room."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wording.texts import Texts

_UNITS = ((120, "age.seconds", 1), (7_200, "age.minutes", 60), (172_800, "age.hours", 3_600))
"""Below so many seconds: text and how many seconds each counts."""

DAY_S = 86_400


def age(texts: Texts, age_ms: float) -> str:
    """``950`` → ``1 s``, ``7_200_000`` → ``2 h``: the largest unit that keeps two digits."""
    seconds = max(age_ms, 0) / 1000
    for limit, text_id, length in _UNITS:
        if seconds < limit:
            return texts(text_id, n=f"{seconds / length:.0f}")
    return texts("age.days", n=f"{seconds / DAY_S:.0f}")
