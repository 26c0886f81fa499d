"""A payload of Sparkplug B 3.0.0 (section 6.4): its fields as they lie on the wire of protobuf."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.errors import DriverError

if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MOST_VARINT = 10
MOST_METRICS = 10_000

SIGNED_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
UNSIGNED_BITS = {5: 8, 6: 16, 7: 32, 8: 64}
BOOLEAN = 11
"""Section 6.4.16: data types by number."""

TIMESTAMP, METRICS, SEQ = 1, 2, 3
NAME, ALIAS, METRIC_TIMESTAMP, DATATYPE, IS_NULL = 1, 2, 3, 4, 7
INT, LONG, FLOAT, DOUBLE, BOOL = 10, 11, 12, 13, 14
"""Fields of a payload and of a metric, by number."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a message; ``raw`` is as it came, and ``field`` says how. Without ``raw`` it has no value."""

    name: str = ""
    alias: int | None = None
    t_ms: int | None = None
    datatype: int = 0
    field: int = 0
    raw: float | None = None

    def value(self, datatype: int) -> float | None:
        """Its number. ``datatype``: as it was introduced. Raises ``DriverError`` for what is none."""
        if self.raw is None or self.field in {FLOAT, DOUBLE, BOOL}:
            return self.raw
        whole = int(self.raw)
        if datatype in UNSIGNED_BITS:
            return float(whole & ((1 << UNSIGNED_BITS[datatype]) - 1))
        if datatype in SIGNED_BITS:
            bits = SIGNED_BITS[datatype]
            low = whole & ((1 << bits) - 1)
            return float(low - (1 << bits) if low >> (bits - 1) else low)
        raise DriverError(f"its data type is {datatype or 'not said'}, which is no number")


@dataclass(frozen=True, slots=True)
class Payload:
    """A message; ``seq`` counts a gateway's messages from 0 to 255 and round again."""

    t_ms: int | None
    seq: int | None
    metrics: tuple[Metric, ...]


def read_payload(message: bytes) -> Payload:
    """What a message holds; fields that we do not know are passed over. Raises ``DriverError`` for what is none."""
    t_ms, seq, metrics = None, None, list[Metric]()
    for number, kind, value in _fields(message):
        if (number, kind) == (TIMESTAMP, VARINT):
            t_ms = _whole(value)
        elif (number, kind) == (SEQ, VARINT):
            seq = _whole(value)
        elif number == METRICS and isinstance(value, bytes) and kind == BYTES:
            metrics.append(_metric(value))
            if len(metrics) > MOST_METRICS:
                raise DriverError(f"has more than {MOST_METRICS} metrics")
    return Payload(t_ms, seq, tuple(metrics))


def _metric(message: bytes) -> Metric:
    found = {number: value for number, kind, value in _fields(message) if _KINDS.get(number) == kind}
    name = found.get(NAME, b"")
    assert isinstance(name, bytes)
    field, raw = _raw(found)
    has_none = bool(found.get(IS_NULL))
    alias, t_ms = found.get(ALIAS), found.get(METRIC_TIMESTAMP)
    return Metric(
        name.decode("utf-8", "replace"),
        None if alias is None else _whole(alias),
        None if t_ms is None else _whole(t_ms),
        _whole(found.get(DATATYPE, 0)),
        field,
        None if has_none else raw,
    )


_KINDS = {
    NAME: BYTES, ALIAS: VARINT, METRIC_TIMESTAMP: VARINT, DATATYPE: VARINT, IS_NULL: VARINT,
    INT: VARINT, LONG: VARINT, FLOAT: FIXED32, DOUBLE: FIXED64, BOOL: VARINT,
}  # fmt: skip


def _raw(found: dict[int, int | bytes]) -> tuple[int, float | None]:
    """Which field holds the value, and the value."""
    for field in (INT, LONG, FLOAT, DOUBLE, BOOL):
        value = found.get(field)
        if isinstance(value, bytes):
            return field, float(struct.unpack("<f" if field == FLOAT else "<d", value)[0])
        if value is not None:
            return field, value if field != BOOL else float(bool(value))
    return 0, None


def _whole(value: int | bytes) -> int:
    assert isinstance(value, int)
    return value


def _fields(message: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Number, wire type and value of each field. Raises ``DriverError`` where a message is none, or ends early."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = _varint(message, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, at = _varint(message, at)
        else:
            size = {FIXED64: 8, FIXED32: 4}.get(kind, 0)
        if not size and kind != BYTES:
            raise DriverError("is no payload of Sparkplug B")
        if size > len(message) - at:
            raise DriverError("ends too early")
        yield number, kind, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for i, byte in enumerate(message[at : at + MOST_VARINT]):
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:  # noqa: PLR2004
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + i + 1
    raise DriverError("ends too early")


def rebirth(t_ms: int) -> bytes:
    """The one command that is ever sent: that a gateway introduces its metrics anew (section 6.4.20, NCMD)."""
    name = b"Node Control/Rebirth"
    metric = bytes((NAME << 3 | BYTES, len(name))) + name + bytes((DATATYPE << 3, BOOLEAN, BOOL << 3, 1))
    return bytes((TIMESTAMP << 3,)) + _as_varint(t_ms) + bytes((METRICS << 3 | BYTES, len(metric))) + metric


def _as_varint(value: int) -> bytes:
    said = bytearray()
    while value > 0x7F:  # noqa: PLR2004
        said.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*said, value))
