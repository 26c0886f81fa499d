"""Numbers and epochs that no agent of ours would invent: bounded in time, memory and disk, and soon forgotten."""

import time

from rigs.ingest_rig import batch, encode
from rigs.intake_in_memory import Trial, inbound

from facility import wire
from ingest.entry import Entry
from ingest.gaps import Gaps
from ingest.streams import MOST_EPOCHS, Streams
from ingest.watermarks import Watermarks


def test_thousands_of_stones_across_thousands_of_holes_come_to_no_more_parts_than_both_together():
    """9 million parts, 89 s and 1.8 GiB: the process was killed, and the message came again."""
    n = 3_000
    with Trial() as trial:
        trial.take(inbound(batch(1, 1)))
        for i in range(1, n):
            trial.pipeline.streams.apply(Entry("edge-1", "e1", 0, claimed=[(3 * i, 3 * i)]))
        stones = [wire.Tombstone(1, 3 * n + i, "outbox_full") for i in range(n)]
        group = trial.take(inbound(wire.Tombstones(1, "edge-1", "e1", stones), "backlog"))
        assert sum(len(entry.tombs) for entry in group.entries) <= 2 * n
        assert trial.pipeline.streams.missing(("edge-1", "e1"), 1, 4 * n - 1) == []


def test_of_stones_that_overlap_the_first_holds():
    with Trial() as trial:
        stones = [wire.Tombstone(5, 9, "a"), wire.Tombstone(1, 12, "b"), wire.Tombstone(3, 6, "c")]
        (entry,) = trial.take(inbound(wire.Tombstones(1, "edge-1", "e1", stones), "backlog")).entries
    assert entry.tombs == [(5, 9, "a"), (1, 4, "b"), (10, 12, "b")]


def test_of_invented_epochs_few_are_kept_and_the_one_in_use_is_not_forgotten(tmp_path):
    marks, streams = Watermarks(tmp_path / "ingest.db"), Streams({})
    for i in range(100):
        for epoch in ("real", f"invented-{i}"):
            entry = Entry("edge-1", epoch, i, claimed=[(i + 1, i + 1)], tombs=[(i + 1, i + 1, "x")])
            streams.apply(entry)
            streams.settle()
            marks.advance(i, [entry], i)
    for kept in (streams.all(), list(marks.streams())):
        assert len(kept) == MOST_EPOCHS
        assert ("edge-1", "real") in kept
    assert streams.of(("edge-1", "real")).watermark == marks.stored(("edge-1", "real")).watermark == 100
    assert {epoch for _, epoch, *_ in marks.tombstones()} == {epoch for _, epoch in marks.streams()}
    marks.close()
    again = Watermarks(tmp_path / "ingest.db")
    assert set(again.streams()) == set(streams.all())
    again.close()


def test_what_an_agent_holds_no_more_is_not_asked_for_for_ever():
    gaps, hello = (
        Gaps(Streams({}), patience_s=0),
        {"v": 1, "dev": "edge-1", "oldest": 1, "newest": 10**6, "pending": []},
    )
    for i in range(100):
        gaps.note(wire.Hello(ep=f"invented-{i}", **hello), i)
    gaps.note(wire.Hello(ep="real", **hello), 100)
    assert list(gaps.due(200.0)) == [("edge-1", "real")]


def test_what_is_asked_for_at_once_fits_a_message():
    streams = Streams({})
    for i in range(1, 10_000):
        streams.apply(Entry("edge-1", "e1", 0, claimed=[(2 * i, 2 * i)]))
    streams.settle()
    gaps = Gaps(streams, patience_s=0)
    gaps.note(wire.Hello(1, "edge-1", "e1", 1, 20_000, []), 0.0)
    (asked,) = gaps.due(time.monotonic()).values()
    assert len(encode(asked)) < wire.MAX_PAYLOAD_BYTES / 10
