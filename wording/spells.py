"""A spell of a register in words: what it is, and what each decision about it would mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounting.spells import ASKED, Outcome

if TYPE_CHECKING:
    from wording.texts import Texts

ACTS = ("accept", "reject")
"""What a person can decide."""

OUTCOMES_ASKED = tuple(outcome for outcome in Outcome if outcome in ASKED)
"""Outcomes about which a person is asked, in the order in which they are told."""


def what_it_is(texts: Texts, outcome: Outcome) -> str:
    """The outcome in a sentence."""
    return texts(f"spell.{outcome}.long")


def meaning(texts: Texts, outcome: Outcome, act: str) -> str:
    """What a decision about a spell with an outcome that is asked about would mean."""
    return texts(f"spell.{outcome}.{act}")
