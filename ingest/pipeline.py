"""Reads a group of messages: decode, look up, check; what is to be stored, refused and answered comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from facility import wire
from facility.errors import Rejected
from ingest.decode import decode, sender
from ingest.refusals import refused_message, refused_readings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facility.model import ReadingBatch
    from ingest.gate import Gate
    from ingest.subscriber import Inbound
    from ingest.watermarks import Stream, Watermarks
    from stores.records.quarantine import QuarantineItem


@dataclass(slots=True)
class Group:
    """What a few messages come to. ``streams`` are owed an acknowledgement once all this is kept."""

    batches: list[ReadingBatch] = field(default_factory=list)
    live: list[ReadingBatch] = field(default_factory=list)
    refused: list[QuarantineItem] = field(default_factory=list)
    streams: set[Stream] = field(default_factory=set)
    statuses: list[wire.Status] = field(default_factory=list)

    @property
    def stored(self) -> int:
        """Readings to store."""
        return sum(map(len, self.batches))

    @property
    def quarantined(self) -> int:
        """Readings refused one by one."""
        return sum(item.count for item in self.refused)


class Pipeline:
    """From messages to a ``Group``. Numbers are claimed in memory only: whoever keeps the group commits them."""

    def __init__(self, gate: Gate, watermarks: Watermarks) -> None:
        self.gate = gate
        self._watermarks = watermarks

    def read(self, messages: Iterable[Inbound], now_ms: int) -> Group:
        """Read messages in their order."""
        group = Group()
        for message in messages:
            try:
                self.gate.admit(sender(message.topic)[0])
                self._read(message, group, now_ms)
            except Rejected as error:
                group.refused.append(refused_message(message, error, now_ms))
        return group

    def _read(self, message: Inbound, group: Group, now_ms: int) -> None:
        said = decode(message)
        if isinstance(said, wire.Status):
            group.statuses.append(said)
            return
        stream = (said.dev, said.ep)
        if isinstance(said, wire.Batch):
            self._read_batch(message, said, group, now_ms)
        elif isinstance(said, wire.Tombstones):
            self._watermarks.bury(said)
        else:  # what is older than the oldest row never comes again: it is no hole
            self._watermarks.claim(stream, 1, said.oldest - 1)
        group.streams.add(stream)

    def _read_batch(self, message: Inbound, batch: wire.Batch, group: Group, now_ms: int) -> None:
        stream, last = (batch.dev, batch.ep), batch.first + len(batch.x) - 1
        fresh = self._watermarks.of(stream).missing(batch.first, last)
        if not fresh:  # sent again: the acknowledgement was late or lost
            return
        checked = self.gate.check(batch, fresh, now_ms)
        if checked.accepted:
            group.batches.append(checked.accepted)
            if batch.lane == "live":
                group.live.append(checked.accepted)
        group.refused += [refused_readings(message, batch, part, now_ms) for part in checked.refused]
        self._watermarks.claim(stream, batch.first, last)
