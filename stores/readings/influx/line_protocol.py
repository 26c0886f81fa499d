"""Readings as InfluxDB line protocol: tags from the registry alone, times in milliseconds.

A line's tags are made once per point; numbers are written by the JSON encoder, many at a time, since that is the
fastest shortest-round-trip formatter at hand (InfluxDB line protocol reference: floats may be ``1e+16``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from facility.errors import Rejected

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.model import Point, ReadingBatch

Stretches = Mapping[str, tuple[int, int]]
"""First and last time, both included, by point."""

NO_STRETCHES: Stretches = {}

_encode = msgspec.json.Encoder().encode
_ESCAPED = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\="})


class ReadingLines:
    """Turns columns of readings into lines of the measurement ``reading``."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._heads = {
            point.id: b"\n" + line_head("reading", tags).encode() + b" value=" for point, tags in _tagged(catalogue)
        }

    def encode(self, batch: ReadingBatch, doubtful: Stretches = NO_STRETCHES) -> bytes:
        """One line a reading; ``q`` is written only where it is not good.

        A good reading says so within a stretch that may hold doubtful ones: a field is erased only by another value.
        Raises ``KeyError`` for an unknown point, ``Rejected`` for a number that is not finite.
        """
        if not len(batch):
            return b""
        heads = [self._heads[point] for point in batch.points]
        parts = [b" "] * (4 * len(batch))
        parts[0::4] = [heads[i] for i in batch.p]
        parts[1::4] = _texts(batch.x)
        parts[3::4] = _texts(batch.t_ms)
        if any(batch.q) or not doubtful.keys().isdisjoint(batch.points):
            parts[2::4] = _qualities(batch, doubtful)
        return b"".join(parts)[1:]


def line_head(measurement: str, tags: Mapping[str, str]) -> str:
    """Measurement and tags of a line, escaped; empty tags are left out.

    Raises ``Rejected`` for a value that cannot be escaped: a backslash before a comma, or a line break.
    """
    for name, value in tags.items():
        if "\\" in value or not value.isprintable():
            raise Rejected("bad_tag", f"{name} {value!r} cannot stand in line protocol")
    return ",".join([measurement, *(f"{name}={value.translate(_ESCAPED)}" for name, value in tags.items() if value)])


def quoted_text(value: str) -> str:
    """A text as the value of a field; it may break lines."""
    return '"' + value.replace("\\", r"\\").replace('"', r"\"") + '"'


def _qualities(batch: ReadingBatch, doubtful: Stretches) -> list[bytes]:
    stretches = [doubtful.get(point, (1, 0)) for point in batch.points]
    within = (stretches[p][0] <= t_ms <= stretches[p][1] for p, t_ms in zip(batch.p, batch.t_ms, strict=True))
    codes = batch.q or [0] * len(batch)
    return [b",q=%di " % code if code or said else b" " for code, said in zip(codes, within, strict=True)]


def _texts(numbers: list[int] | list[float]) -> list[bytes]:
    text = _encode(numbers)[1:-1]
    if b"n" in text:  # the encoder writes null for what is no finite number
        raise Rejected("not_finite", "a reading holds a number that is not finite")
    return text.split(b",")


def _tagged(catalogue: Catalogue) -> list[tuple[Point, dict[str, str]]]:
    return [
        (
            point,
            {
                "site": catalogue.site.id,
                "building": catalogue.meter[point.meter].building,
                "meter": point.meter,
                "quantity": point.quantity.word,
                "channel": point.channel,
            },
        )
        for point in catalogue.points
    ]
