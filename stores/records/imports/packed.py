"""Readings of an import as one row of the records keeps them: columns, little-endian, compressed."""

from __future__ import annotations

import zlib
from array import array

import msgspec

from facility.model import Quality, ReadingBatch

FASTEST = 1


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    points: list[str]
    p: bytes
    t: bytes
    x: bytes


def packed(batch: ReadingBatch) -> bytes:
    """The columns of a batch; qualities are left out, for all are entered by hand."""
    columns = (array("H", batch.p).tobytes(), array("q", batch.t_ms).tobytes(), array("d", batch.x).tobytes())
    return zlib.compress(msgspec.msgpack.encode(_Packed(batch.points, *columns)), FASTEST)


def unpacked(kept: bytes, quality: Quality) -> ReadingBatch:
    """The batch again, all of one quality."""
    said = msgspec.msgpack.decode(zlib.decompress(kept), type=_Packed)
    p, t, x = array("H", said.p), array("q", said.t), array("d", said.x)
    return ReadingBatch(said.points, p.tolist(), t.tolist(), x.tolist(), [quality.value] * len(x))
