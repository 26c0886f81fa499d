"""Tells agents how far their streams are done: the only word on which they free what they keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from facility import wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility.wire import Range
    from ingest.entry import Stream
    from ingest.streams import Streams
    from ingest.watermarks import Watermarks

MOST_RANGES = 500
"""An acknowledgement stays far below the payload limit; the ranges it leaves out come with a later one.

It tells the lowest and the highest ones: with the lowest alone, live readings above a long, parted backlog would
never be acknowledged and would fill the agent's window.
"""


class Publish(Protocol):
    """Hands a payload to the broker."""

    def __call__(self, topic: str, payload: bytes, qos: int) -> None:
        """Publish once, without waiting."""


class Acknowledger:
    """Answers with both marks: the journal's stops resending, the store's frees rows. Any thread may ask it to."""

    def __init__(self, streams: Streams, watermarks: Watermarks, publish: Publish) -> None:
        self._streams, self._watermarks, self._publish = streams, watermarks, publish

    def acknowledge(self, stream: Stream, nack: Sequence[Range] = ()) -> None:
        """Send the application acknowledgement of a stream. Not retained: an old one could free unsaved rows."""
        agent, epoch = stream
        done = self._streams.of(stream)
        ack = wire.Ack(
            v=wire.VERSION,
            store_id=self._watermarks.store_id,
            epoch=epoch,
            journal_hw=done.watermark,
            store_hw=min(self._watermarks.stored(stream).watermark, done.watermark),
            ranges=_some(done.above),
            nack=list(nack),
        )
        self._publish(wire.ack_topic(agent), wire.encode(ack), 1)


def _some(ranges: list[Range]) -> list[Range]:
    if len(ranges) <= MOST_RANGES:
        return ranges
    return ranges[: MOST_RANGES // 2] + ranges[-MOST_RANGES // 2 :]
