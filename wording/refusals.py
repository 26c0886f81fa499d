"""Why something was refused and is in quarantine, in words: what it is, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wording.texts import Texts

REFUSALS = (
    "beyond_retention",
    "bad_epoch",
    "bad_sequence",
    "before_2000",
    "crashed_worker",
    "crc_mismatch",
    "empty_batch",
    "foreign_point",
    "in_future",
    "index_out_of_range",
    "malformed",
    "no_crc",
    "no_level",
    "not_finite",
    "out_of_range",
    "too_large",
    "unequal_columns",
    "unexpected_error",
    "unknown_agent",
    "unknown_point",
    "unknown_quality",
    "unknown_version",
    "wrong_sender",
)
"""Reasons that have words in every language; of another one the slug is shown."""


def refusal(texts: Texts, reason: str) -> str:
    """A reason in a few words."""
    return texts.text_or(f"refusal.{reason}", reason)


def advice(texts: Texts, reason: str) -> str:
    """What to do about a reason; empty for one without words."""
    return texts.text_or(f"refusal.{reason}.long", "")


def held(texts: Texts, readings: int) -> str:
    """What an item holds: so many readings, or a message of which nobody knows how many it held."""
    return texts.counted("quarantine.readings", readings) if readings else texts("quarantine.message")
