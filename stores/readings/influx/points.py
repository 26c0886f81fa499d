"""How a query names points, and from when to when an InfluxDB has readings of each.

A question over all points and all time opens every series in every file of the server: minutes for a large estate.
So it is asked for some points at a time, each within the time that an answer may take.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stores.readings.influx.conditions import among
from stores.readings.influx.layout import RAW, source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from stores.readings.influx.wire import InfluxWire

AT_ONCE = 50
"""Points that one query names."""

FIRST_MS, END_MS = -9_223_372_036_854, 9_223_372_036_854
"""InfluxDB's times: nanoseconds in 64 bits."""

POINT_TAGS = "meter, quantity, channel"
BY_POINT = f" GROUP BY {POINT_TAGS}"
_MS = 1_000_000
_TAG = re.compile(r"((?:[^\\,=]|\\.)+)=((?:[^\\,]|\\.)*)")
_ESCAPE = re.compile(r"\\(.)")


def point_of(tags: Mapping[str, str]) -> str:
    """The point's id that a reading's tags make."""
    return "/".join(tags.get(tag, "") for tag in ("meter", "quantity", "channel"))


def some_at_once(points: Sequence[str]) -> Iterator[Sequence[str]]:
    """Points in parts that fit a query."""
    return (points[i : i + AT_ONCE] for i in range(0, len(points), AT_ONCE))


def all_series(wire: InfluxWire) -> Iterator[dict[str, str]]:
    """The tags of every series that has readings, or had some: the server's list of series is at hand."""
    for series in wire.ask_json(f"SHOW SERIES FROM {source(wire, RAW, 'reading')}"):
        for (key,) in series.values:
            yield tags_in(str(key))


def tags_in(text: str) -> dict[str, str]:
    """The tags of a series as InfluxDB writes them."""
    return {_ESCAPE.sub(r"\1", tag[1]): _ESCAPE.sub(r"\1", tag[2]) for tag in _TAG.finditer(text)}


def all_points(wire: InfluxWire) -> list[str]:
    """The points that have readings, or had some."""
    return sorted({point_of(tags) for tags in all_series(wire)})


def within(start_ms: int, end_ms: int) -> str:
    """The condition that a time is in the range, as far as InfluxDB's times reach."""
    return f"time >= {max(start_ms, FIRST_MS)}ms AND time < {min(end_ms, END_MS)}ms"


def stretch_ends(
    wire: InfluxWire,
    field: str,
    points: Sequence[str],
    start_ms: int,
    end_ms: int,
    among: Callable[[Sequence[str]], str] = among,
) -> dict[str, tuple[int, int]]:
    """By point, the times in ms of its first and its last reading in the range that has the field."""
    found: dict[str, tuple[int, int]] = {}
    for some in some_at_once(points):
        where = f"{source(wire, RAW, 'reading')} WHERE {among(some)} AND {within(start_ms, end_ms)}{BY_POINT}"
        first, last = (
            {
                point_of(series.tags): int(series.values[0][0]) // _MS
                for series in wire.ask_json(f"SELECT {field} FROM {where} ORDER BY time {order} LIMIT 1")
            }
            for order in ("ASC", "DESC")
        )
        found |= {point: (first[point], last[point]) for point in first if point in last}
    return found
