"""The wire: batches, tombstones, greetings, acknowledgements and notices as strict JSON (version 1).

Columns, not rows: 500 readings are half as long and decode several times faster. Numbers must be finite;
unknown fields are refused; every payload carries a CRC-32 (zlib) of its bytes as MQTT user property ``crc``.
"""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from facility.errors import Rejected
from facility.model import ReadingBatch
from facility.so_many import so_many

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = 1
PREFIX = "meterhouse/1"
MAX_PAYLOAD_BYTES = 240 * 1024
MAX_POINTS = 2**16
"""Points are numbered in two bytes wherever batches are kept."""

CRC_PROPERTY = "crc"

Range = tuple[int, int]


class Clock(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """State of the agent's clock when it sent: synchronised, by what, and how far off."""

    synced: bool = True
    src: str = "system"
    off_ms: float = 0.0


class Batch(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Readings of one agent; reading *i* has sequence number ``first + i`` within stream epoch ``ep``."""

    v: int
    dev: str
    ep: str
    first: int
    lane: Literal["live", "backlog"]
    clk: Clock
    points: list[str]
    p: list[int]
    t: list[int]
    x: list[float]
    q: list[int] = []

    def readings(self) -> ReadingBatch:
        """The same columns without the envelope."""
        return ReadingBatch(points=self.points, p=self.p, t_ms=self.t, x=self.x, q=self.q)


class Tombstone(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"start": "from", "end": "to"}):
    """Sequence numbers ``start … end`` (both included) that were dropped on purpose, and why."""

    start: int
    end: int
    reason: str


class Tombstones(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Dropped ranges travel like data."""

    v: int
    dev: str
    ep: str
    tomb: list[Tombstone]


class Hello(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Greeting on connect, with every tenth batch, and now and then while anything is not stored.

    It tells what the outbox holds and what is still to come.
    """

    v: int
    dev: str
    ep: str
    oldest: int
    newest: int
    pending: list[Range]
    version: str = ""
    points: int = 0


class Status(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Health of an agent; ``offline`` is its last will."""

    v: int
    dev: str
    state: Literal["online", "offline"]
    at_ms: int = 0
    figures: dict[str, float] = {}
    buses: dict[str, str] = {}


class Ack(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Application acknowledgement: ``journal_hw`` stops resending, only ``store_hw`` frees rows."""

    v: int
    store_id: str
    epoch: str
    journal_hw: int
    store_hw: int
    ranges: list[Range] = []
    nack: list[Range] = []


class Command(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the server asks of an agent."""

    v: int
    do: Literal["replay", "pause", "resume"]
    ranges: list[Range] = []


class Accepted(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What has just been stored, for live pages and fast rules; may be lost."""

    v: int
    site: str
    lane: Literal["live", "backlog"]
    points: list[str]
    p: list[int]
    t: list[int]
    x: list[float]


Message = Batch | Tombstones | Hello | Status | Ack | Command | Accepted

M = TypeVar("M", bound=msgspec.Struct)

_encoder = msgspec.json.Encoder()
_decoders: dict[type, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in (Batch, Tombstones, Hello, Status, Ack, Command, Accepted)
}


def up_topic(agent: str, what: Literal["live", "backlog", "hello", "status"]) -> str:
    """Topic on which an agent speaks."""
    return f"{PREFIX}/up/{agent}/{what}"


def ack_topic(agent: str) -> str:
    """Topic on which ingest acknowledges to an agent."""
    return f"{PREFIX}/ack/{agent}"


def command_topic(agent: str) -> str:
    """Topic on which the server commands an agent."""
    return f"{PREFIX}/cmd/{agent}"


def accepted_topic(site: str) -> str:
    """Topic on which ingest tells what was stored."""
    return f"{PREFIX}/accepted/{site}"


def crc(payload: bytes) -> str:
    """CRC-32 (zlib) of the payload as eight hexadecimal digits."""
    return f"{zlib.crc32(payload):08x}"


def stated_crc(user_properties: Iterable[tuple[str, str]]) -> str | None:
    """The checksum that a message's MQTT user properties state, if any."""
    return next((value for name, value in user_properties if name == CRC_PROPERTY), None)


def encode(message: Message) -> bytes:
    """Payload of a message. Raises ``Rejected`` if it is larger than a broker may carry."""
    payload = _encoder.encode(message)
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise Rejected("too_large", f"{len(payload)} bytes, at most {MAX_PAYLOAD_BYTES}")
    return payload


def decode(kind: type[M], payload: bytes) -> M:
    """Decode one kind of message; raise ``Rejected`` with a reason for anything that is not exactly it."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise Rejected("too_large", f"{len(payload)} bytes, at most {MAX_PAYLOAD_BYTES}")
    try:
        message: M = _decoders[kind].decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Rejected("malformed", str(error)) from None
    except (RecursionError, MemoryError) as error:
        raise Rejected("malformed", type(error).__name__) from None
    version = getattr(message, "v", VERSION)
    if version != VERSION:
        raise Rejected("unknown_version", f"envelope version {version}, this server reads {VERSION}")
    if isinstance(message, Batch):
        _check_columns(message)
    return message


def decode_checked(kind: type[M], payload: bytes, stated_crc: str | None) -> M:
    """Decode after checking the stated CRC-32; raise ``Rejected`` where it is absent or differs."""
    if stated_crc is None:
        raise Rejected("no_crc", "the message carries no checksum")
    if stated_crc.lower() != crc(payload):
        raise Rejected("crc_mismatch", f"stated {stated_crc}, computed {crc(payload)}")
    return decode(kind, payload)


def _check_columns(batch: Batch) -> None:
    """Refuse unequal columns, indices out of range, empty batches and numbers that are not finite."""
    rows = len(batch.x)
    if len(batch.points) > MAX_POINTS:
        raise Rejected("malformed", f"{len(batch.points)} points, at most {MAX_POINTS}")
    if not rows:
        raise Rejected("empty_batch", "a batch holds at least one reading")
    if len(batch.p) != rows or len(batch.t) != rows or (batch.q and len(batch.q) != rows):
        raise Rejected("unequal_columns", f"p {len(batch.p)}, t {len(batch.t)}, x {rows}, q {len(batch.q)}")
    if min(batch.p) < 0 or max(batch.p) >= len(batch.points):
        raise Rejected(
            "index_out_of_range", f"p holds {min(batch.p)} … {max(batch.p)} for {so_many(len(batch.points), 'point')}"
        )
    if batch.first < 1:
        raise Rejected("bad_sequence", f"first is {batch.first}, sequence numbers start at 1")
    if not all(map(math.isfinite, batch.x)):
        raise Rejected("not_finite", "x holds a number that is not finite")
