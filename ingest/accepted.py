"""Tells live pages and fast rules what has just been stored. A message may be lost."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from facility import wire
from facility.errors import Rejected

if TYPE_CHECKING:
    from facility.model import ReadingBatch
    from ingest.acknowledger import Publish


class Announcer:
    """Publishes the live lane. Backlog is not announced: whoever needs it asks the store for changes."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish

    def announce(self, site: str, batch: ReadingBatch) -> None:
        """Publish the columns of a live batch with QoS 0."""
        accepted = wire.Accepted(
            v=wire.VERSION, site=site, lane="live", points=batch.points, p=batch.p, t=batch.t_ms, x=batch.x
        )
        with suppress(Rejected):  # larger than a broker carries: the page shows the next one
            self._publish(wire.accepted_topic(site), wire.encode(accepted), 0)
