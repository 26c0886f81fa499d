"""Which numbers of each stream are in the journal: folded from it at the start, and carried on in memory."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from facility.ranges import RangeSet
from ingest.entry import decode_entry
from ingest.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facility.wire import Range
    from ingest.entry import Entry, Stream
    from ingest.journal import Journal

MOST_RANGES = 10_000
"""Beyond this many the highest ranges of a stream are forgotten, which only a stranger's stream can reach.

An agent that plays recordings while it reads live has a range for each second or two until the backlog is brought.
"""

MOST_EPOCHS = 16
"""An agent has a new epoch only when its outbox was lost; of more, those unheard for longest are forgotten."""

State = list[tuple[str, str, list[tuple[int, int]]]]

_decoder = msgspec.msgpack.Decoder(State)


class Streams:
    """Numbers done, per stream. A group's claims count at once within the group, and for good when it is settled.

    What ``of`` returns is never changed afterwards, so other threads may look at it.
    """

    def __init__(self, done: Mapping[Stream, RangeSet]) -> None:
        self._done: dict[Stream, RangeSet] = dict(done)
        self._claimed: dict[Stream, RangeSet] = {}

    def missing(self, stream: Stream, first: int, last: int) -> list[Range]:
        """The parts of ``first … last`` that are not done."""
        return self._claimed.get(stream, self.of(stream)).missing(first, last)

    def apply(self, entry: Entry) -> None:
        """Take up what an entry claims and reopens."""
        if not (entry.claimed or entry.reopened):
            return
        if entry.stream not in self._claimed:
            self._claimed[entry.stream] = self.of(entry.stream).copy()
        _apply(self._claimed[entry.stream], entry)

    def settle(self) -> None:
        """The group is on disk."""
        self._done, _ = heard_last(self._done, self._claimed)
        self._claimed = {}

    def forget(self) -> None:
        """The group came to nothing."""
        self._claimed = {}

    def of(self, stream: Stream) -> RangeSet:
        """What is done of a stream, on disk."""
        return self._done.get(stream, _NOTHING)

    def all(self) -> list[Stream]:
        """Every stream that was ever heard."""
        return list(self._done)

    def state(self) -> bytes:
        """Everything, to open a segment with."""
        return state_of(self._done)


_NOTHING = RangeSet()


def heard_last(
    known: dict[Stream, RangeSet], changed: dict[Stream, RangeSet]
) -> tuple[dict[Stream, RangeSet], list[Stream]]:
    """The streams with those that changed at their end, and which of a changed agent's are forgotten.

    ``known`` begins with those unheard for longest; it stays as it is, for other threads may look at it.
    """
    streams = {stream: done for stream, done in known.items() if stream not in changed} | changed
    agents, newer = {agent for agent, _ in changed}, Counter[str]()
    forgotten: list[Stream] = []
    for stream in reversed(streams):
        newer[stream[0]] += 1
        if newer[stream[0]] > MOST_EPOCHS and stream[0] in agents:
            forgotten.append(stream)
    for stream in forgotten:
        del streams[stream]
    return streams, forgotten


def state_of(streams: Mapping[Stream, RangeSet]) -> bytes:
    """Streams as a segment is opened with."""
    state: State = [(*stream, list(done)) for stream, done in streams.items()]
    return msgspec.msgpack.encode(state)


def streams_of(journal: Journal, stored: Mapping[Stream, RangeSet] = MappingProxyType({})) -> Streams:
    """What the journal says: the newest readable state, or else what is ``stored``, and every entry since."""
    for segment in reversed(journal.segments):
        body = journal.state(segment)
        if body:
            done = {(agent, epoch): RangeSet(ranges) for agent, epoch, ranges in _decoder.decode(body)}
            return Streams(_folded(journal, segment, done))
    known = {stream: ranges.copy() for stream, ranges in stored.items()}
    return Streams(_folded(journal, journal.begin, known))


def _folded(journal: Journal, segment: int, done: dict[Stream, RangeSet]) -> dict[Stream, RangeSet]:
    for frame in journal.frames(segment):
        if isinstance(frame, Frame):
            entry = decode_entry(frame.body)
            _apply(done.setdefault(entry.stream, RangeSet()), entry)
    return done


def _apply(done: RangeSet, entry: Entry) -> None:
    for first, last in entry.claimed:
        done.add(first, last)
    for first, last in entry.reopened:
        done.remove(first, last)
    done.keep_lowest(MOST_RANGES)
