"""One refused thing as quarantine keeps it: what came, why it was refused, and what became of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - msgspec reads it, in the journal
from enum import StrEnum, unique
from typing import Literal

NEAR_SHARE = 0.8
"""Used part of the bound from which on people are told."""


@unique
class ItemState(StrEnum):
    """How an item stands. The first two wait; the last two are closed."""

    WAITING = "waiting"
    ASKED = "asked"  # somebody asked for its replay, ingest has not answered yet
    REPLAYED = "replayed"
    DISCARDED = "discarded"

    @property
    def is_closed(self) -> bool:
        """Whether nothing is left to do."""
        return self in {ItemState.REPLAYED, ItemState.DISCARDED}


@dataclass(frozen=True, slots=True)
class QuarantineItem:
    """A whole message or some readings of one, as they came, and why they were not stored.

    ``count`` is how many readings it holds, 0 where a message could not be read. What follows ``payload`` is known
    once it is kept; ``payload_dropped`` says that there was no room for the payload.
    """

    received_at: datetime
    stage: str
    kind: Literal["message", "reading"]
    reason: str
    detail: str
    topic: str
    agent: str
    epoch: str
    first_seq: int | None
    last_seq: int | None
    count: int
    payload: bytes
    id: int = 0
    state: ItemState = ItemState.WAITING
    payload_dropped: bool = False
    replayed_at: datetime | None = None
    outcome: str = ""
    discarded_at: datetime | None = None
    discarded_by: str = ""
    discard_reason: str = ""

    @property
    def digest(self) -> str:
        """What makes it the same item when it is sent again."""
        named = json.dumps([self.agent, self.epoch, self.first_seq, self.last_seq, self.reason])
        return hashlib.sha256(named.encode() + b"\n" + self.payload).hexdigest()

    def excerpt(self, most_bytes: int) -> str:
        """The start of the payload as text that neither a terminal nor a page obeys."""
        text = self.payload[:most_bytes].decode("utf-8", "backslashreplace")
        return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


@dataclass(frozen=True, slots=True)
class Tally:
    """What waits for one reason: items, the readings in them, and messages of which nobody knows how many they hold."""

    reason: str
    items: int
    readings: int
    unread: int


@dataclass(frozen=True, slots=True)
class QuarantineSize:
    """How much waits, and how much may."""

    items: int
    bytes: int
    dropped: int
    bound_bytes: int

    @property
    def share(self) -> float:
        """Used part of the bound."""
        return self.bytes / self.bound_bytes

    @property
    def is_over(self) -> bool:
        """Whether payloads could not be kept, or the next one cannot."""
        return self.dropped > 0 or self.share >= 1

    @property
    def is_near(self) -> bool:
        """Whether somebody should replay or discard soon."""
        return self.is_over or self.share >= NEAR_SHARE
