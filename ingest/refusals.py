"""What is refused, as quarantine keeps it: with its reason, and with enough to take it in again later."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from facility.batch_id import batch_id
from ingest.decode import numbers_of, sender
from stores.records.quarantine.quarantine import QuarantineItem

if TYPE_CHECKING:
    from facility.errors import Rejected
    from ingest.entry import Stream
    from ingest.gate import Refused
    from ingest.subscriber import Inbound


MOST_CHARS = 500


def printable(text: str) -> str:
    """What a stranger wrote, made fit for tables, terminals and every database; the payload keeps it whole."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:MOST_CHARS])


def name_of(message: Inbound) -> str:
    """The message's name in the logs: its batch id, or what its topic says where its numbers are not known."""
    return name_by(message, numbers_of(message))


def name_by(message: Inbound, numbers: tuple[str, int, int] | None) -> str:
    """The same for whoever has read the numbers already."""
    agent, what = sender(message.topic)
    return printable(batch_id(agent, *numbers[:2]) if numbers else f"{agent}/{what}")


def refused_message(
    message: Inbound, error: Rejected, now_ms: int, numbers: tuple[str, int, int] | None = None
) -> QuarantineItem:
    """A message that was refused whole; ``numbers`` are its epoch, first and last number where they are believed."""
    agent, _ = sender(message.topic)
    epoch, first, last = numbers or ("", None, None)
    return QuarantineItem(
        received_at=instant(now_ms),
        stage="decode",
        kind="message",
        reason=error.reason,
        detail=printable(error.detail),
        topic=printable(message.topic),
        agent=printable(agent),
        epoch=epoch,
        first_seq=first,
        last_seq=last,
        count=0 if first is None or last is None else last - first + 1,
        payload=message.payload,
    )


class SetAside(msgspec.Struct, frozen=True):
    """Readings as quarantine keeps them: the columns of a batch with the number of each."""

    seq: list[int]
    points: list[str]
    p: list[int]
    t: list[int]
    x: list[float | None]  # null: what came was no finite number
    q: list[int]


def refused_readings(
    stream: Stream, topic: str, part: Refused, now_ms: int, stage: Literal["check", "store"] = "check"
) -> QuarantineItem:
    """Readings of one stream that were refused for one reason."""
    readings = part.readings
    first = f"{readings.points[readings.p[0]]} = {readings.x[0]} at {readings.t_ms[0]}"
    return QuarantineItem(
        received_at=instant(now_ms),
        stage=stage,
        kind="reading",
        reason=part.reason,
        detail=printable(first) if len(readings) == 1 else f"{printable(first)}, and {len(readings) - 1} more",
        topic=topic,
        agent=stream[0],
        epoch=stream[1],
        first_seq=part.seq[0],
        last_seq=part.seq[-1],
        count=len(readings),
        payload=msgspec.json.encode(
            SetAside(part.seq, readings.points, readings.p, readings.t_ms, list(readings.x), readings.q)
        ),
    )


def instant(t_ms: int) -> datetime:
    """Milliseconds since 1970 as an aware time."""
    return datetime.fromtimestamp(t_ms / 1000, UTC)
