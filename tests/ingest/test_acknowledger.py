"""What an agent is told of a stream that is done in many parts."""

from types import SimpleNamespace

from facility import wire
from facility.ranges import RangeSet
from ingest.acknowledger import MOST_RANGES, Acknowledger
from ingest.streams import Streams

STREAM = ("edge-1", "e1")


def test_the_newest_ranges_are_told_however_many_lie_below():
    """Live readings above a backlog in many parts: unacknowledged, they would fill the agent's window."""
    done = RangeSet([(1, 3), *((first, first) for first in range(10, 5_000, 2))])
    watermarks, published = SimpleNamespace(store_id="s", stored=lambda _: RangeSet([(1, 2)])), []
    Acknowledger(Streams({STREAM: done}), watermarks, lambda *said: published.append(said)).acknowledge(STREAM)
    ((topic, payload, qos),) = published
    ack = wire.decode(wire.Ack, payload)
    assert (topic, qos) == ("meterhouse/1/ack/edge-1", 1)
    assert (ack.journal_hw, ack.store_hw, len(ack.ranges)) == (3, 2, MOST_RANGES)
    assert (ack.ranges[0], ack.ranges[-1]) == ((10, 10), (4998, 4998))
    assert set(ack.ranges) <= set(done)
