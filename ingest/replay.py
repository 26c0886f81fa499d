"""Takes an item of the quarantine in again: what can be stored by now becomes a journal entry, the rest waits on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from facility import wire
from facility.batch_id import batch_id
from facility.errors import Rejected
from ingest.decode import MAX_SEQ, decode, sender
from ingest.entry import Entry, readings_of
from ingest.refusals import SetAside, refused_readings
from ingest.subscriber import Inbound

if TYPE_CHECKING:
    from facility.model import ReadingBatch
    from ingest.gate import Gate
    from ingest.streams import Streams
    from stores.records.quarantine.quarantine import QuarantineItem

SENT_AGAIN = "sent_again"
DAMAGED = frozenset({"crc_mismatch", "no_crc"})


def replayed(item: QuarantineItem, gate: Gate, streams: Streams, now_ms: int) -> Entry:
    """What an item comes to now. Raises ``Rejected`` with the reason if nothing of it can be stored.

    Numbers that were done with its refusal stay so; those of a message that nobody could number are claimed now.
    """
    gate.admit(item.agent)
    batch, seq = _readings(item) if item.kind == "reading" else _message(item)
    stream, whole = (item.agent, batch.ep), [(batch.first, batch.first + len(batch.x) - 1)]
    fresh = whole if item.count else streams.missing(stream, *whole[0])
    if not fresh:
        raise Rejected(SENT_AGAIN, "its agent has sent the same readings again")
    checked = gate.check(batch, fresh, now_ms)
    if checked.accepted is None:
        raise Rejected(checked.refused[0].reason, "as before")
    accepted = [seq[number - batch.first] for number in checked.seq]
    numbered = [replace(part, seq=[seq[number - batch.first] for number in part.seq]) for part in checked.refused]
    return Entry(
        *stream,
        now_ms,
        "replay",
        claimed=[] if item.count else fresh,
        readings=readings_of(checked.accepted, accepted),
        refused=[refused_readings(stream, item.topic, part, now_ms) for part in numbered],
        replayed=item.id,
        batch=batch_id(*stream, seq[0]),
    )


def _message(item: QuarantineItem) -> tuple[wire.Batch, list[int]]:
    """A whole message. It was kept without its checksum: one that was damaged on its way stays refused."""
    if item.reason in DAMAGED:
        raise Rejected(item.reason, "it was damaged on its way, and its agent sends it again")
    said = decode(Inbound(0, 0, item.topic, item.payload, wire.crc(item.payload)))
    if not isinstance(said, wire.Batch):
        raise Rejected("malformed", f"a {sender(item.topic)[1]} message holds no readings")
    return said, list(range(said.first, said.first + len(said.x)))


def _readings(item: QuarantineItem) -> tuple[wire.Batch, list[int]]:
    """Single readings, as a batch of their own whose numbers are looked up."""
    try:
        kept = msgspec.json.decode(item.payload, type=SetAside)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Rejected("malformed", str(error)) from None
    x = [float("nan") if value is None else value for value in kept.x]
    batch = wire.Batch(
        wire.VERSION, item.agent, item.epoch, 1, "backlog", wire.Clock(), kept.points, kept.p, kept.t, x, kept.q
    )
    if not x or not all(1 <= number <= MAX_SEQ for number in kept.seq) or len(kept.seq) != len(x):
        raise Rejected("malformed", "its columns differ in length")
    return batch, kept.seq


def values_of(item: QuarantineItem) -> ReadingBatch | None:
    """The readings that an item holds, as far as they can be read; None where they cannot."""
    try:
        batch, _ = _readings(item) if item.kind == "reading" else _message(item)
    except Rejected:
        return None
    return batch.readings()
