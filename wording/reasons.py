"""Why figures are computed again or adjusted: what a person wrote as it is, what Meterhouse adds in the reader's words.

Reasons are kept as they were made, in English: the catalogue's English text is the pattern by which each is known.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from wording.texts import DEFAULT_LANGUAGE, load_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wording.texts import Texts

_MADE: Mapping[str, Mapping[str, str]] = {
    "reason.late": {},
    "reason.judged_anew": {"building": r"\S+"},
    "reason.calendar": {},
    "reason.feeder": {"meter": "[^:]+"},
    "reason.ledger": {"meter": "[^:]+"},
    "reason.end_use": {"meter": "[^:]+"},
    "reason.place": {"meter": "[^:]+"},
    "reason.notice": {"year": r"\d{4}"},
    "reason.closure": {"first": r"\d{4}-\d\d-\d\d"},
    "reason.tariff": {"tariff": r"\S+", "first": r"\d{4}-\d\d-\d\d"},
    "reason.utility_price": {"utility": r"\S+", "first": r"\d{4}-\d\d-\d\d"},
    "reason.accepted": {"number": r"\d+"},
    "reason.rejected": {"number": r"\d+"},
    "reason.asked_again": {"number": r"\d+"},
    "reason.asked": {"meter": r"\S+", "since": r"\d{4}-\d\d-\d\d \S+"},
}
"""Text id → what may stand in its places; the more special before the more general."""


def reason_text(reason: str, texts: Texts) -> str:
    """A kept reason in the language of ``texts``."""
    if texts.language == DEFAULT_LANGUAGE:
        return reason
    for text_id, pattern in _patterns():
        if found := pattern.search(reason):
            return reason[: found.start("made")] + texts(text_id, **_places(found, texts))
    return reason


def _places(found: re.Match[str], texts: Texts) -> dict[str, str]:
    places = {name: value for name, value in found.groupdict().items() if name != "made"}
    return {name: texts(f"utility.{value}") if name == "utility" else value for name, value in places.items()}


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """What ends a reason, alone or after a person's words and a colon."""
    english = load_texts(DEFAULT_LANGUAGE)
    return [(text_id, _pattern(english(text_id), places)) for text_id, places in _MADE.items()]


def _pattern(text: str, places: Mapping[str, str]) -> re.Pattern[str]:
    made = re.escape(text)
    for name, allowed in places.items():
        made = made.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>{allowed})")
    return re.compile(f"(?:^|: )(?P<made>{made})$")
