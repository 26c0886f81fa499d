"""What the commands of the quarantine answer to a program."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the answers' shapes are read by their types
from typing import TYPE_CHECKING, Annotated

from meterhouse.answers.errands import ErrandAnswer  # noqa: TC001 - as above
from stores.records.quarantine.item import ItemState  # noqa: TC001 - as above

if TYPE_CHECKING:
    from stores.records.quarantine.item import QuarantineItem, QuarantineSize


@dataclass(frozen=True, slots=True)
class ItemAnswer:
    """Something that could not be stored."""

    id: int
    state: ItemState
    received_at: datetime
    stage: Annotated[str, "where it was refused"]
    kind: Annotated[str, "`message` or `reading`"]
    reason: Annotated[str, "why, as one word"]
    detail: Annotated[str, "why, for people"]
    topic: str
    agent: str
    epoch: str
    first_seq: int | None
    last_seq: int | None
    readings: Annotated[int | None, "how many it holds; absent where nobody could read it"]
    payload_bytes: int
    payload_dropped: Annotated[bool, "there was no room for it"]
    outcome: Annotated[str | None, "what came of its replay, in ingest's words"]
    discarded_at: datetime | None
    discarded_by: str | None
    discard_reason: str | None


@dataclass(frozen=True, slots=True)
class Fullness:
    """How much waits, and how much may."""

    items: int
    bytes: int
    bound_bytes: int
    dropped: Annotated[int, "items kept without payload, for want of room"]


@dataclass(frozen=True, slots=True)
class ItemsAnswer:
    """Items, newest first."""

    items: list[ItemAnswer]
    size: Fullness


@dataclass(frozen=True, slots=True)
class ShownItem:
    """One item."""

    item: ItemAnswer
    errands: Annotated[list[ErrandAnswer], "replays that were asked for, oldest first"]
    payload: Annotated[str | None, "its start, without what a terminal would obey"]


@dataclass(frozen=True, slots=True)
class Replays:
    """What was asked for, item by item."""

    errands: list[ErrandAnswer]


def fullness(size: QuarantineSize) -> Fullness:
    """How full the quarantine is, as an answer."""
    return Fullness(size.items, size.bytes, size.bound_bytes, size.dropped)


def item_answer(item: QuarantineItem) -> ItemAnswer:
    """An item as an answer."""
    return ItemAnswer(
        id=item.id,
        state=item.state,
        received_at=item.received_at,
        stage=item.stage,
        kind=item.kind,
        reason=item.reason,
        detail=item.detail,
        topic=item.topic,
        agent=item.agent,
        epoch=item.epoch,
        first_seq=item.first_seq,
        last_seq=item.last_seq,
        readings=item.count or None,
        payload_bytes=len(item.payload),
        payload_dropped=item.payload_dropped,
        outcome=item.outcome or None,
        discarded_at=item.discarded_at,
        discarded_by=item.discarded_by or None,
        discard_reason=item.discard_reason or None,
    )
