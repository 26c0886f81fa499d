"""What one journal entry says: readings let in and refused, numbers that are done with it, tombstones, reopened ranges.

Columns are kept as they will be computed with: little-endian arrays, about 19 bytes a reading.
"""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from facility.model import ReadingBatch
from facility.wire import Range
from stores.records.quarantine.quarantine import QuarantineItem

if TYPE_CHECKING:
    from collections.abc import Sequence

Stream = tuple[str, str]
"""Agent and its stream epoch."""

assert sys.byteorder == "little", "the journal's columns are little-endian"


class Readings(msgspec.Struct, frozen=True, array_like=True):
    """Accepted readings of one batch: row *i* is ``points[p[i]]`` at ``t[i]`` ms with value ``x[i]``."""

    points: list[str]
    p: bytes
    t: bytes
    x: bytes
    q: bytes
    seq: bytes  # the number of each row; empty: the claimed numbers in order

    def __len__(self) -> int:
        """Number of readings."""
        return len(self.x) // 8

    @property
    def t_ms(self) -> npt.NDArray[np.int64]:
        """Times (n,)."""
        return np.frombuffer(self.t, np.int64)

    def batch(self) -> ReadingBatch:
        """As the stores take them."""
        p, t, x, q = array("H", self.p), array("q", self.t), array("d", self.x), list(self.q)
        return ReadingBatch(self.points, p.tolist(), t.tolist(), x.tolist(), q)


class Entry(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """One thing that happened to a stream. ``claimed`` numbers are done once the entry is on disk."""

    agent: str
    epoch: str
    at_ms: int
    lane: Literal["live", "backlog", "replay"] = "backlog"
    claimed: list[Range] = []
    readings: Readings | None = None
    refused: list[QuarantineItem] = []
    tombs: list[tuple[int, int, str]] = []
    reopened: list[Range] = []
    recounted: list[tuple[int, int]] = []  # hours whose readings are reopened, and before which segment they lay
    replayed: int = 0  # the quarantine's item that is taken in again; ``refused`` then waits on in its place
    batch: str = ""  # its message's name in the logs
    of_import: int = 0  # the import that is done, or undone, with it

    @property
    def stream(self) -> Stream:
        """Whose numbers these are."""
        return self.agent, self.epoch

    def seqs(self) -> npt.NDArray[np.int64]:
        """The number of every accepted reading (n,)."""
        if self.readings is None:
            return np.empty(0, np.int64)
        if self.readings.seq:
            return np.frombuffer(self.readings.seq, np.int64)
        return np.concatenate([np.arange(first, last + 1) for first, last in self.claimed])


def readings_of(batch: ReadingBatch, seq: Sequence[int] = ()) -> Readings:
    """A batch as columns of bytes."""
    return Readings(
        batch.points,
        array("H", batch.p).tobytes(),
        array("q", batch.t_ms).tobytes(),
        array("d", batch.x).tobytes(),
        bytes(batch.q),
        array("q", seq).tobytes(),
    )


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Entry)


def encode_entry(entry: Entry) -> bytes:
    """The body of a journal frame."""
    return _encoder.encode(entry)


def decode_entry(body: bytes) -> Entry:
    """The entry of a sound frame."""
    return _decoder.decode(body)
