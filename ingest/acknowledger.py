"""Tells agents how far their streams are done: the only word on which they free what they keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from facility import wire

if TYPE_CHECKING:
    from ingest.watermarks import Stream, Watermarks

MOST_RANGES = 500
"""An acknowledgement stays far below the payload limit; the ranges it leaves out come with a later one."""


class Publish(Protocol):
    """Hands a payload to the broker."""

    def __call__(self, topic: str, payload: bytes, qos: int) -> None:
        """Publish once, without waiting."""


class Acknowledger:
    """Answers with the watermark: what is stored is on disk, so ``journal_hw`` and ``store_hw`` are one."""

    def __init__(self, watermarks: Watermarks, publish: Publish) -> None:
        self._watermarks = watermarks
        self._publish = publish

    def acknowledge(self, stream: Stream) -> None:
        """Send the application acknowledgement of a stream. Not retained: an old one could free unsaved rows."""
        agent, epoch = stream
        done = self._watermarks.of(stream)
        ack = wire.Ack(
            v=wire.VERSION,
            store_id=self._watermarks.store_id,
            epoch=epoch,
            journal_hw=done.watermark,
            store_hw=done.watermark,
            ranges=done.above[:MOST_RANGES],
        )
        self._publish(wire.ack_topic(agent), wire.encode(ack), 1)
