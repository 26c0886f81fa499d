"""What is refused, as quarantine keeps it: with its reason, and with enough to take it in again later."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from ingest.decode import sender
from stores.records.quarantine import QuarantineItem

if TYPE_CHECKING:
    from facility.errors import Rejected
    from facility.wire import Batch
    from ingest.gate import Refused
    from ingest.subscriber import Inbound


MOST_CHARS = 500


def told(text: str) -> str:
    """What a stranger wrote, made fit for tables, terminals and every database; the payload keeps it whole."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:MOST_CHARS])


def refused_message(message: Inbound, error: Rejected, now_ms: int) -> QuarantineItem:
    """A message that was refused whole. Its epoch and numbers are unknown: nothing in it is believed."""
    agent, _ = sender(message.topic)
    return QuarantineItem(
        received_at=instant(now_ms),
        stage="decode",
        kind="message",
        reason=error.reason,
        detail=told(error.detail),
        topic=told(message.topic),
        agent=told(agent),
        epoch="",
        first_seq=None,
        last_seq=None,
        count=0,
        payload=message.payload,
    )


def refused_readings(message: Inbound, batch: Batch, part: Refused, now_ms: int) -> QuarantineItem:
    """Readings of one batch that were refused for one reason. The payload is their columns with ``seq``."""
    readings = part.readings
    first = f"{readings.points[readings.p[0]]} = {readings.x[0]} at {readings.t_ms[0]}"
    columns = {
        "seq": part.seq,
        "points": readings.points,
        "p": readings.p,
        "t": readings.t_ms,
        "x": readings.x,
        "q": readings.q,
    }
    return QuarantineItem(
        received_at=instant(now_ms),
        stage="check",
        kind="reading",
        reason=part.reason,
        detail=told(first) if len(readings) == 1 else f"{told(first)}, and {len(readings) - 1} more",
        topic=message.topic,
        agent=batch.dev,
        epoch=batch.ep,
        first_seq=part.seq[0],
        last_seq=part.seq[-1],
        count=len(readings),
        payload=msgspec.json.encode(columns),
    )


def instant(t_ms: int) -> datetime:
    """Milliseconds since 1970 as an aware time."""
    return datetime.fromtimestamp(t_ms / 1000, UTC)
