"""A remark in words: its parameters written as the reader writes figures, days and lists."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from wording.reasons import reason_text
from wording.texts import load_texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from facility.remark import Remark
    from wording.formats import Formats
    from wording.texts import Texts


def remark_text(remark: Remark, formats: Formats) -> str:
    """The sentence of a remark in the language of ``formats``."""
    texts = load_texts(formats.language)
    words = {name: _word(name, value, texts, formats) for name, value in remark.params.items()}
    return texts(f"remark.{remark.kind}", **words)


def _word(name: str, value: object, texts: Texts, formats: Formats) -> str:
    """One parameter: whole numbers are years and counts, so they are written without separators."""
    if isinstance(value, datetime):
        return formats.written_minute(value)
    if isinstance(value, date):
        return formats.written_day(value)
    if isinstance(value, Decimal | float):
        return formats.exact(value)
    if isinstance(value, tuple):
        return texts("cli.between").join(map(str, value))
    return _WORDS[name](str(value), texts) if name in _WORDS else str(value)


_WORDS: dict[str, Callable[[str, Texts], str]] = {
    "reason": reason_text,
    "utility": lambda word, texts: texts(f"utility.{word}").lower(),
    "carrier": lambda word, texts: texts(f"carrier.{word}"),
    "indicator": lambda word, texts: texts(f"indicator.{word}"),
    "figure": lambda word, texts: texts(f"figure.{word}"),
    "unit": lambda unit, texts: texts.text_or(f"unit.{unit}", unit),
}
"""Parameters that are words of ours, by name."""
