"""Seals: a checksum beside each row of the file, by which a bit that the disk has changed is found.

SQLite checks how its pages hang together and nothing of what rows say: of 300 flipped bits its own check finds 25. A
seal is over everything that a row says, and over the name of whose row it is. A row without one is of before.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from stores.readings.rollup_columns import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stores.readings.port import Times, Values
    from stores.readings.rollup_columns import Column

Seals = npt.NDArray[np.int64]

UNSEALED = 2**40
"""What stands for no seal where rows become arrays; a seal has 32 bits, its sign among them: four bytes in the file."""

SPOILT = 2**41
"""The seal of what cannot be a row at all; no row has it."""

_MIX = tuple(np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_OF_BYTES = np.array([zlib.crc32(bytes([one]), 0xFFFFFFFF) ^ 0xFFFFFFFF for one in range(256)], np.uint32)
"""What each byte makes of a checksum that is nothing (RFC 1952, 8)."""

_PAIRS = np.arange(2**16, dtype=np.uint32)
_AFTER_ONE = _OF_BYTES[_PAIRS & 0xFF] ^ (_PAIRS >> np.uint32(8))
_OF_PAIRS = _OF_BYTES[_AFTER_ONE & 0xFF] ^ (_AFTER_ONE >> np.uint32(8))
"""What each two bytes make of it: half as many steps over columns."""

_FLOAT, _WHOLE, _KEY = struct.Struct("<d"), struct.Struct("<q"), struct.Struct("<qq")


def name_seal(number: int, *words: str) -> int:
    """The seal of what a number stands for: a point, or a rollup and its tags."""
    return _signed(zlib.crc32("\0".join((str(number), *words)).encode("utf-8", "replace")))


def reading_seals(point: str, t_ms: Times, x: Values, q: npt.NDArray[np.integer[Any]]) -> Seals:
    """The seal of each reading of a point, columns (n,). Steps that lose no bit, so that no flip of one is missed."""
    mixed = t_ms.astype(np.uint64) * _MIX[0]
    mixed ^= (x + 0.0).view(np.uint64)  # SQLite keeps no sign of zero
    mixed *= _MIX[1]
    mixed ^= mixed >> np.uint64(31)
    mixed += (q.astype(np.uint64) << np.uint64(32)) + np.uint64(zlib.crc32(point.encode("utf-8", "replace")))
    mixed *= _MIX[2]
    mixed ^= mixed >> np.uint64(29)
    mixed *= _MIX[1]
    return (mixed >> np.uint64(32)).astype(np.uint32).view(np.int32).astype(np.int64)


def row_seal_of(types: Mapping[str, FieldType]) -> Callable[..., int]:
    """What seals a rollup's row: of series, time and its fields in the order of ``types``, None where absent.

    Each field is sealed with its name, so that fields may be added, and their order may change.
    """
    fields = [(zlib.crc32(name.encode()), _TO_BYTES[kind]) for name, kind in types.items()]

    def seal(series: Any, t_ms: Any, *values: Any) -> int:
        try:
            total = zlib.crc32(_KEY.pack(series, t_ms))
            for (name, to_bytes), value in zip(fields, values, strict=True):
                if value is not None:
                    total += zlib.crc32(to_bytes(value), name)
        except (struct.error, TypeError, ValueError, AttributeError):  # the disk made it another type
            return SPOILT
        return _signed(total & 0xFFFFFFFF)

    return seal


def row_seals(types: Mapping[str, FieldType], series: Times, t_ms: Times, fields: Mapping[str, Column]) -> Seals:
    """The seals of many rows, (n,), that have these fields alone: as ``row_seal_of`` seals one."""
    total = _crc32(_crc32(0, series.astype("<i8")), t_ms.astype("<i8")).astype(np.int64)
    for name, column in fields.items():
        begun, kind = zlib.crc32(name.encode()), types[name]
        if kind is FieldType.FLOAT:
            values = column.astype("<f8") + 0.0
            total += np.where(np.isnan(values), 0, _crc32(begun, values))
        else:
            to_bytes = _TO_BYTES[kind]
            total += [0 if one is None else zlib.crc32(to_bytes(one), begun) for one in column.tolist()]
    return (total & 0xFFFFFFFF).astype(np.uint32).view(np.int32).astype(np.int64)


def _crc32(begun: int | npt.NDArray[np.uint32], values: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    """``zlib.crc32`` of each of some values of eight bytes, (n,), after what has ``begun``, one or (n,)."""
    crc = np.full(len(values), begun, np.uint32) ^ np.uint32(0xFFFFFFFF)
    for pair in values.view("<u2").reshape(-1, 4).T:
        crc = _OF_PAIRS[(crc ^ pair) & 0xFFFF] ^ (crc >> np.uint32(16))
    return crc ^ np.uint32(0xFFFFFFFF)


def _signed(seal: int) -> int:
    return seal - 2**32 if seal >= 2**31 else seal


def _float(value: float) -> bytes:
    return _FLOAT.pack(value + 0.0)


def _text(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


_TO_BYTES: dict[FieldType, Callable[[Any], bytes]] = {
    FieldType.FLOAT: _float,
    FieldType.INTEGER: _WHOLE.pack,
    FieldType.TEXT: _text,
}
