"""The journal keeps what was flushed, cuts off what was torn, and finds its way past what the disk has changed."""

import errno
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.errors import ConfigError, StoreUnavailable
from facility.model import ReadingBatch
from facility.ranges import RangeSet
from ingest.entry import Entry, decode_entry, encode_entry, readings_of
from ingest.frames import Damage, Frame, FrameKind, framed, scan
from ingest.journal import Journal, JournalRoom
from ingest.streams import Streams, state_of, streams_of

STREAM = ("edge-1", "e1")
BODIES = st.lists(st.binary(max_size=200), min_size=1, max_size=12)


@pytest.fixture
def reopen(tmp_path):
    """The journal as the next process finds it; the last one simply stops."""
    opened = []

    def make(**options):
        opened.append(Journal(tmp_path / "journal", **options))
        return opened[-1]

    yield make
    for journal in opened:
        journal.close()


def bodies(journal, start=0):
    return [frame.body for frame in journal.frames(start) if isinstance(frame, Frame)]


def damage(journal):
    return [found for found in journal.frames(0) if isinstance(found, Damage)]


def last_segment(tmp_path):
    return max((tmp_path / "journal").glob("*.seg"))


@given(BODIES, st.integers(0, 400))
def test_frames_come_back_whole_up_to_where_the_bytes_end(all_bodies, cut):
    data = b"".join(framed(FrameKind.ENTRY, body) for body in all_bodies)
    found = list(scan(data[: len(data) - cut], 1000))
    assert all(isinstance(frame, Frame) for frame in found)
    assert [frame.body for frame in found] == all_bodies[: len(found)]
    assert len(found) == len(all_bodies) or cut > 0
    assert not found or found[0].start == 1000


@given(BODIES, st.randoms(use_true_random=False))
def test_one_changed_bit_costs_one_frame_and_is_told(all_bodies, chance):
    data = bytearray(b"".join(framed(FrameKind.ENTRY, body) for body in [*all_bodies, b"the last one"]))
    lengths = [len(framed(FrameKind.ENTRY, body)) for body in all_bodies]
    at = chance.randrange(sum(lengths))
    data[at] ^= 1 << chance.randrange(8)
    hit = next(i for i in range(len(lengths)) if at < sum(lengths[: i + 1]))
    found = list(scan(bytes(data), 0))
    assert [f.body for f in found if isinstance(f, Frame)] == [
        *all_bodies[:hit], *all_bodies[hit + 1 :], b"the last one",
    ]  # fmt: skip
    assert [f.end - f.start for f in found if isinstance(f, Damage)] == [lengths[hit]]


def test_what_was_appended_is_there_after_a_crash(reopen):
    first = reopen()
    end = first.append([b"a", b"b"], bytes)
    assert first.append([b"c"], bytes) > end
    second = reopen()
    assert (bodies(second), bodies(second, end), second.end) == ([b"a", b"b", b"c"], [b"c"], first.end)


@pytest.mark.parametrize("seed", range(40))
def test_a_torn_end_is_cut_away_and_the_rest_stays(reopen, tmp_path, seed):
    chance = random.Random(seed)  # noqa: S311 - reproducible damage, no secret
    journal = reopen()
    kept = [b"%d" % i * chance.randrange(1, 400) for i in range(20)]
    for body in kept:
        journal.append([body], bytes)
    torn = framed(FrameKind.ENTRY, b"never acknowledged" * 20)[: chance.randrange(1, 300)]
    path = last_segment(tmp_path)
    path.write_bytes(path.read_bytes() + torn + bytes(chance.choice([0, 0, 4096])))
    again = reopen()
    assert bodies(again) == kept
    again.append([b"next"], bytes)
    assert bodies(reopen()) == [*kept, b"next"]


def test_damage_in_the_middle_is_told_and_passed(reopen, tmp_path):
    journal = reopen()
    for i in range(10):
        journal.append([b"body %d" % i], bytes)
    path = last_segment(tmp_path)
    data = bytearray(path.read_bytes())
    data[data.index(b"body 4")] ^= 1
    path.write_bytes(data)
    again = reopen()
    assert bodies(again) == [b"body %d" % i for i in range(10) if i != 4]
    assert len(damage(again)) == 1


def test_segments_follow_each_other_and_offsets_go_on(reopen):
    journal = reopen(room=JournalRoom(segment_bytes=200))
    for i in range(50):
        journal.append([b"body %d" % i], lambda: b"state")
    assert len(journal.segments) == 5
    assert bodies(journal) == [b"body %d" % i for i in range(50)]
    assert all(journal.state(segment) == b"state" for segment in journal.segments[1:])
    assert bodies(reopen()) == bodies(journal)


def test_only_stored_segments_go_and_only_when_there_is_too_much(reopen):
    journal = reopen(room=JournalRoom(segment_bytes=200, kept_bytes=500))
    for i in range(50):
        journal.append([b"body %d" % i], bytes)
    assert journal.trim(before=0) == []
    middle = journal.segments[3]
    gone = journal.trim(before=middle)
    assert (len(gone), journal.begin, bodies(journal)[-1]) == (3, middle, b"body 49")
    journal.trim(before=journal.end)
    assert journal.end - journal.begin <= 700
    assert bodies(reopen(), 0)[-1] == b"body 49"


def test_with_too_much_unstored_nothing_more_is_taken_in(reopen):
    journal = reopen(room=JournalRoom(segment_bytes=200, most_bytes=1000))
    while journal.end <= 1000:
        journal.append([b"x" * 50], bytes)
    with pytest.raises(StoreUnavailable, match="unstored"):
        journal.append([b"x" * 50], bytes)


def test_a_full_disk_leaves_no_half_group(reopen, monkeypatch):
    journal = reopen()
    journal.append([b"before"], bytes)
    write = os.write

    def half(fd, data):
        if len(data) > 20:
            return write(fd, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(StoreUnavailable, match="No space left"):
            journal.append([b"x" * 100, b"y"], bytes)
    assert bodies(reopen()) == [b"before"]
    journal.append([b"after"], bytes)
    assert bodies(journal) == [b"before", b"after"]


def test_a_failed_flush_takes_the_group_back(reopen, monkeypatch):
    journal = reopen()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", lambda _fd: (_ for _ in ()).throw(OSError(errno.EIO, "I/O error")))
        with pytest.raises(StoreUnavailable, match="I/O error"):
            journal.append([b"x"], bytes)
    assert bodies(journal) == bodies(reopen()) == []


def test_a_folder_that_cannot_be_used_is_a_mistake_for_a_person(tmp_path):
    (tmp_path / "journal").write_text("a file where the folder should be")
    with pytest.raises(ConfigError, match="cannot be used"):
        Journal(tmp_path / "journal")


def test_an_entry_comes_back_as_it_was():
    batch = ReadingBatch(["a", "b"], [0, 1, 0], [1, -2, 2**60], [0.1, -1e300, 5e-324], [0, 1, 4])
    entry = Entry(*STREAM, 7, "live", [(5, 7)], readings_of(batch))
    again = decode_entry(encode_entry(entry))
    assert again.readings.batch() == batch
    assert (again, again.seqs().tolist()) == (entry, [5, 6, 7])


def test_streams_are_what_the_entries_say_whatever_segment_they_begin_in(reopen):
    journal = reopen(room=JournalRoom(segment_bytes=150), state=state_of({STREAM: RangeSet([(1, 3)])}))
    streams = streams_of(journal)
    for first in (4, 10, 7, 20):
        entry = Entry(*STREAM, 0, claimed=[(first, first + 2)])
        streams.apply(entry)
        journal.append([encode_entry(entry)], streams.state)
        streams.settle()
    taken_back = Entry(*STREAM, 0, reopened=[(5, 5)])
    streams.apply(taken_back)
    assert streams.of(STREAM).watermark == 12  # not before it is on disk
    journal.append([encode_entry(taken_back)], streams.state)
    streams.settle()
    assert list(streams.of(STREAM)) == list(streams_of(reopen()).of(STREAM)) == [(1, 4), (6, 12), (20, 22)]
    assert len(journal.segments) > 1


def test_an_unreadable_state_is_made_up_for_by_the_segment_before(reopen, tmp_path):
    journal = reopen(room=JournalRoom(segment_bytes=150))
    streams = streams_of(journal)
    for first in range(1, 40, 3):
        entry = Entry(*STREAM, 0, claimed=[(first, first + 2)])
        streams.apply(entry)
        journal.append([encode_entry(entry)], streams.state)
        streams.settle()
    path = last_segment(tmp_path)
    data = bytearray(path.read_bytes())
    data[20] ^= 255
    path.write_bytes(data)
    assert list(streams_of(reopen()).of(STREAM)) == [(1, 39)]


def test_a_claim_counts_within_its_group_and_is_forgotten_with_it():
    streams = Streams({})
    streams.apply(Entry(*STREAM, 0, claimed=[(1, 5)]))
    assert (streams.missing(STREAM, 1, 7), streams.of(STREAM).watermark) == ([(6, 7)], 0)
    streams.forget()
    assert streams.missing(STREAM, 1, 7) == [(1, 7)]
