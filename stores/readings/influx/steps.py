"""When each step of time has its newest reading, as an InfluxDB can tell that without giving out all readings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import DAY_MS
from facility.model import Quality
from stores.readings.columns import last_of_steps
from stores.readings.influx.answers import newest_in
from stores.readings.influx.conditions import among
from stores.readings.influx.layout import RAW, source
from stores.readings.influx.points import BY_POINT, POINT_TAGS, point_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stores.readings.influx.wire import InfluxWire
    from stores.readings.port import Latest, Series, Times


def newest_of_steps(
    wire: InfluxWire, points: Sequence[str], first: Mapping[str, Times], when: str, step_ms: int
) -> dict[str, Times]:
    """Of each point the time of its newest reading in each step; ``first`` has the time of each one's first reading.

    InfluxDB tells when steps begin, not that: it is the first reading's time and all that has passed between two
    readings since, which the server adds up.
    """
    readings = source(wire, RAW, "reading")
    passed = f"SELECT elapsed(value, 1ms) AS passed FROM {readings} WHERE {among(points)} AND {when}{BY_POINT}"
    steps = f"SELECT sum(passed) FROM ({passed}) WHERE {when} GROUP BY time({step_ms}ms), {POINT_TAGS} fill(none)"
    sums = {point_of(one.tags): one.columns["sum"] for one in wire.ask(steps)}
    found = {}
    for point, t_ms in first.items():
        since = np.concatenate((t_ms, t_ms + np.cumsum(sums.get(point, ()))))
        found[point] = last_of_steps(since.astype(np.int64), step_ms)
    return found


def points_with_retracted(wire: InfluxWire, points: Sequence[str], when: str) -> list[str]:
    """Which of the points have readings there that were retracted: only what is not good says how it is."""
    where = f"{among(points)} AND {when} AND q = {Quality.RETRACTED:d}"
    query = f"SELECT count(q) FROM {source(wire, RAW, 'reading')} WHERE {where}{BY_POINT}"
    return [point_of(one.tags) for one in wire.ask(query)]


def newest_standing(
    read: Callable[[Sequence[str], int, int], Mapping[str, Series]], point: str, start_ms: int, end_ms: int
) -> dict[str, Latest]:
    """The newest reading of a point in a range that stands, looked for ever further back; nothing where none does."""
    width_ms = 2 * DAY_MS
    while True:
        series = read([point], max(start_ms, end_ms - width_ms), end_ms)[point]
        if len(series):
            return {point: newest_in(series)}
        if end_ms - width_ms <= start_ms:
            return {}
        width_ms *= 4
