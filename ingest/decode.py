"""From a message to what an agent said; refuses what is malformed, damaged or said in another's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import msgspec

from facility import wire
from facility.errors import Rejected

if TYPE_CHECKING:
    from ingest.subscriber import Inbound

Said: TypeAlias = wire.Batch | wire.Tombstones | wire.Hello | wire.Status
What: TypeAlias = Literal["live", "backlog", "hello", "status"]

MAX_SEQ = 2**62
"""No agent counts this far; a larger number would not fit the stores."""

MAX_EPOCH_CHARS = 64

_UNREADABLE = float("nan")


class LooseBatch(wire.Batch, forbid_unknown_fields=True, frozen=True):
    """A batch whose values may be anything: to save the good readings beside a value that is no number."""

    x: list[msgspec.Raw]  # type: ignore[assignment]


_loose_decoder = msgspec.json.Decoder(LooseBatch)


class BatchIdentity(msgspec.Struct, frozen=True):
    """The little that must be readable for a batch to be set aside as a whole and yet be accounted for."""

    dev: str
    ep: str
    first: int
    x: list[msgspec.Raw]


_identity_decoder = msgspec.json.Decoder(BatchIdentity)


def sender(topic: str) -> tuple[str, What]:
    """Agent and kind of an up topic, e.g. ``("edge-1", "live")``."""
    *_, agent, what = topic.split("/")
    return agent, cast("What", what)


def decode(message: Inbound) -> Said:
    """What the message says. Raises ``Rejected`` for a message that must be refused as a whole."""
    agent, what = sender(message.topic)
    said = _decode(what, message)
    if said.dev != agent:
        raise Rejected("wrong_sender", f"'{agent}' speaks in the name of '{said.dev}'")
    if not isinstance(said, wire.Status):
        _check_epoch(said.ep)
    if isinstance(said, wire.Tombstones) and not all(1 <= s.start <= s.end <= MAX_SEQ for s in said.tomb):
        raise Rejected("bad_sequence", "a tombstone's range is empty or beyond all numbers")
    if isinstance(said, wire.Batch) and said.first + len(said.x) > MAX_SEQ:
        raise Rejected("bad_sequence", f"first is {said.first}")
    if isinstance(said, wire.Hello) and not (1 <= said.oldest <= MAX_SEQ and 0 <= said.newest <= MAX_SEQ):
        raise Rejected("bad_sequence", f"oldest is {said.oldest}, newest is {said.newest}")
    return said


def numbers_of(message: Inbound) -> tuple[str, int, int] | None:
    """Epoch, first and last number of a batch that cannot be taken in although it came as its agent made it.

    None where even that is unknown, or where the message was damaged on its way: then the agent sends it again.
    """
    agent, what = sender(message.topic)
    if what not in {"live", "backlog"} or message.crc is None or message.crc.lower() != wire.crc(message.payload):
        return None
    try:
        said = _identity_decoder.decode(message.payload)
        _check_epoch(said.ep)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, MemoryError, Rejected):
        return None
    last = said.first + len(said.x) - 1
    return (said.ep, said.first, last) if said.dev == agent and 1 <= said.first <= last <= MAX_SEQ else None


def _decode(what: What, message: Inbound) -> Said:
    if what == "status":  # health, no readings: a last will may carry no checksum
        if message.crc is None:
            return wire.decode(wire.Status, message.payload)
        return wire.decode_checked(wire.Status, message.payload, message.crc)
    if what == "hello":
        return wire.decode_checked(wire.Hello, message.payload, message.crc)
    if b'"tomb":' in message.payload:  # a point id holds no quotation mark
        return wire.decode_checked(wire.Tombstones, message.payload, message.crc)
    try:
        return wire.decode_checked(wire.Batch, message.payload, message.crc)
    except Rejected as error:
        if error.reason not in {"malformed", "not_finite"} or (batch := _salvage(message.payload)) is None:
            raise
        return batch


def _salvage(payload: bytes) -> wire.Batch | None:
    """The batch with NaN where a value is no finite number, if all else is as it should be."""
    try:
        loose = _loose_decoder.decode(payload)
        sound = wire.decode(wire.Batch, msgspec.json.encode(msgspec.structs.replace(loose, x=[0.0] * len(loose.x))))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Rejected):
        return None
    return msgspec.structs.replace(sound, x=[_number(raw) for raw in loose.x])


def _number(raw: msgspec.Raw) -> float:
    try:
        return msgspec.json.decode(raw, type=float)
    except msgspec.DecodeError:
        return _UNREADABLE


def _check_epoch(epoch: str) -> None:
    if not 1 <= len(epoch) <= MAX_EPOCH_CHARS:
        raise Rejected("bad_epoch", f"an epoch has 1 to {MAX_EPOCH_CHARS} characters, this one has {len(epoch)}")
    if not epoch.isprintable():
        raise Rejected("bad_epoch", "an epoch holds printable characters only")
