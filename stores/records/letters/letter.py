"""What a letter and a contact are: who is told of which steps of which cases, by which courier, and how soon."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from facility.errors import Rejected
from facility.work import Severity

if TYPE_CHECKING:
    from datetime import datetime

    from facility.work import Alert

LETTER_NAMESPACE = UUID("0d0a3f0e-52a7-5c1b-8f6e-3b9f3c6f7a21")
"""Namespace of letters' ids: who reads the same timeline again writes the same letters."""

TOLD = frozenset({"opened", "reopened", "flapped", "rose", "woke", "not_saved"})
"""The steps of a case that somebody is told of; what people do themselves they know."""


@unique
class Haste(StrEnum):
    """How soon a letter leaves."""

    URGENT = "urgent"  # at once, at night too
    SOON = "soon"  # with what else is found within two minutes, but not in quiet hours
    DAILY = "daily"  # once a day, all in one


@unique
class LetterState(StrEnum):
    """Where a letter stands."""

    WAITING = "waiting"
    UNDER_WAY = "under_way"  # an attempt has begun, and nobody has said how it ended
    SENT = "sent"
    GIVEN_UP = "given_up"  # tried until it was too old
    DROPPED = "dropped"  # when it was to leave nothing was left to say, or not to them


UNSENT = frozenset({LetterState.WAITING, LetterState.UNDER_WAY})


@dataclass(frozen=True, slots=True)
class Contact:
    """One way to reach somebody: a courier by its name in the settings, and the address there, if it needs one."""

    name: str
    courier: str
    address: str = ""
    quiet: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class CaseStep:
    """A step of a case, with the case as it stands."""

    id: int
    at: datetime
    what: str
    alert: Alert


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to one person. Its words are made when it leaves."""

    id: UUID
    name: str
    courier: str
    address: str
    haste: Haste
    agent: str
    created_at: datetime
    due_at: datetime
    state: LetterState
    attempts: int
    may_have_arrived: bool
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    why: str = ""


def haste_of(severity: Severity) -> Haste:
    """How soon somebody is told of a case: waste can wait for the morning."""
    if severity is Severity.URGENT:
        return Haste.URGENT
    return Haste.SOON if severity is Severity.ACT else Haste.DAILY


def letter_id(step: CaseStep, contact: Contact) -> UUID:
    """The id of the letter that begins with a step: permanent, and the same whenever the step is read."""
    what = f"{step.alert.id}/{step.what}/{step.at.isoformat()}"
    return uuid5(LETTER_NAMESPACE, f"{what}/{contact.name}/{contact.courier}/{contact.address}")


def offer_letter_id(offer: int, at: datetime, contact: Contact) -> UUID:
    """The same of a letter that tells somebody that a work order is theirs."""
    what = f"offer/{offer}/{at.isoformat()}"
    return uuid5(LETTER_NAMESPACE, f"{what}/{contact.name}/{contact.courier}/{contact.address}")


def waiting_letter_id(order: int, at: datetime, contact: Contact) -> UUID:
    """The same of a digest of work orders that wait, of which this one is the first."""
    what = f"waiting/{order}/{at.isoformat()}"
    return uuid5(LETTER_NAMESPACE, f"{what}/{contact.name}/{contact.courier}/{contact.address}")


def unknown_letter(letter: object) -> Rejected:
    """For an id that no letter has."""
    return Rejected("unknown_letter", f"there is no letter {letter}")
