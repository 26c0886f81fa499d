"""Holes in a stream that its agent believes are done: asked for again, until they come as data or as a tombstone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import structlog

from facility.ranges import RangeSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility.wire import Hello, Range
    from ingest.entry import Stream
    from ingest.streams import Streams

PATIENCE_S = 30.0
"""What is on its way may take this long, and a repeated question is no more frequent."""

OPEN_S = 24 * 3600.0
"""A hole that is open for longer is told to people."""

MOST_NACKS = 100

log = structlog.get_logger()


@dataclass(slots=True)
class Hole:
    """A range that is missing, since when it is known, and when it was last asked for (monotonic seconds)."""

    first: int
    last: int
    seen_s: float
    asked_s: float


class Gaps:
    """Compares each greeting with what is done. Only holes outside the agent's own ``pending`` ranges are gaps."""

    def __init__(self, streams: Streams, patience_s: float = PATIENCE_S) -> None:
        self._streams, self._patience_s = streams, patience_s
        self._holes: dict[Stream, list[Hole]] = {}

    def note(self, hello: Hello, now_s: float) -> None:
        """An agent says what it holds and what is still to come: what is in neither is a hole.

        Of an epoch that it had before it holds nothing any more.
        """
        stream = (hello.dev, hello.ep)
        for other in [one for one in self._holes if one[0] == hello.dev and one != stream]:
            del self._holes[other]
        absent = RangeSet(self._streams.missing(stream, max(hello.oldest, 1), hello.newest))
        for first, last in hello.pending:
            absent.remove(first, last)
        known = self._holes.get(stream, [])
        holes = [_seen_before(known, first, last, now_s) for first, last in absent]
        if holes and not known:
            log.warning("gap_seen", agent=hello.dev, epoch=hello.ep, holes=len(holes), first=holes[0].first)
        self._keep(stream, holes)

    def due(self, now_s: float) -> dict[Stream, list[Range]]:
        """Holes to ask for now, by stream; those that were filled meanwhile are forgotten."""
        asked: dict[Stream, list[Range]] = {}
        for stream, holes in list(self._holes.items()):
            done = self._streams.of(stream)
            still = [hole for hole in holes if not done.covers(hole.first, hole.last)]
            ready = [hole for hole in still if now_s - hole.asked_s >= self._patience_s][:MOST_NACKS]
            for hole in ready:
                hole.asked_s = now_s
            if ready:
                parts = (part for hole in ready for part in done.missing(hole.first, hole.last))
                asked[stream] = list(islice(parts, MOST_NACKS))
            self._keep(stream, still)
        return asked

    def open_for_long(self, now_s: float) -> list[tuple[Stream, Range]]:
        """Holes that a person should know of."""
        return [
            (stream, (hole.first, hole.last))
            for stream, holes in self._holes.items()
            for hole in holes
            if now_s - hole.seen_s >= OPEN_S
        ]

    def _keep(self, stream: Stream, holes: list[Hole]) -> None:
        if holes:
            self._holes[stream] = holes
        else:
            self._holes.pop(stream, None)


def _seen_before(known: Sequence[Hole], first: int, last: int, now_s: float) -> Hole:
    """The hole, as old as the oldest known one that it meets: holes grow, shrink and part while they are open."""
    met = known[bisect_left(known, first, key=lambda h: h.last) : bisect_right(known, last, key=lambda h: h.first)]
    return Hole(
        first,
        last,
        min((hole.seen_s for hole in met), default=now_s),
        min((hole.asked_s for hole in met), default=now_s),
    )
