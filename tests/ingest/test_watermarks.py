import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.errors import ConfigError, StoreUnavailable
from facility.wire import Tombstone, Tombstones
from ingest.intervals import MAX_RANGES, Intervals
from ingest.watermarks import Watermarks

STREAM = ("edge-1", "e1")
SPANS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)).map(lambda s: (s[0], s[0] + s[1])), max_size=20)


@pytest.fixture
def reopen(tmp_path):
    opened = []

    def make():
        opened.append(Watermarks(tmp_path / "ingest.db"))
        return opened[-1]

    yield make
    for watermarks in opened:
        watermarks.close()


@given(SPANS)
def test_ranges_are_the_numbers_that_were_added_in_any_order(spans):
    intervals, numbers = Intervals(), set()
    for first, last in spans:
        assert {n for a, b in intervals.missing(first, last) for n in range(a, b + 1)} == {
            n for n in range(first, last + 1) if n not in numbers
        }
        intervals.add(first, last)
        numbers |= set(range(first, last + 1))
    assert {n for a, b in intervals.ranges for n in range(a, b + 1)} == numbers
    assert all(b + 1 < c for (_, b), (c, _) in zip(intervals.ranges, intervals.ranges[1:], strict=False))
    assert intervals.watermark == next(n for n in range(1, 80) if n not in numbers) - 1
    assert Intervals(reversed(intervals.ranges)).ranges == intervals.ranges


@given(st.permutations([(1, 4), (5, 5), (6, 10), (3, 7), (1, 1)]))
def test_any_order_with_repeats_ends_at_the_same_watermark(spans):
    intervals = Intervals(spans)
    assert (intervals.watermark, intervals.above) == (10, [])


def test_ranges_are_bounded_and_the_highest_are_forgotten():
    intervals = Intervals((n, n) for n in range(1, 4 * MAX_RANGES, 2))
    assert len(intervals.ranges) == MAX_RANGES
    assert intervals.missing(1, 2) == [(2, 2)]
    assert intervals.missing(4 * MAX_RANGES - 1, 4 * MAX_RANGES - 1)


def test_an_empty_range_changes_nothing():
    assert Intervals([(5, 4)]).ranges == []


def test_what_is_committed_survives_and_what_is_only_claimed_does_not(reopen):
    first = reopen()
    assert first.claim(STREAM, 1, 5) == [(1, 5)]
    first.commit(0, stored=4, quarantined=1)
    first.claim(STREAM, 6, 9)
    second = reopen()
    assert second.of(STREAM).watermark == 5
    assert second.totals() == {"stored": 4, "quarantined": 1}
    assert second.store_id == first.store_id


def test_a_claim_that_was_not_kept_is_taken_back(reopen):
    watermarks = reopen()
    watermarks.claim(STREAM, 1, 5)
    watermarks.commit(0)
    watermarks.claim(STREAM, 6, 9)
    watermarks.bury(Tombstones(v=1, dev="edge-1", ep="e1", tomb=[Tombstone(10, 12, "full")]))
    watermarks.unclaim()
    assert watermarks.of(STREAM).ranges == [(1, 5)]
    watermarks.commit(0)
    assert watermarks.tombstones() == []


def test_streams_do_not_mix(reopen):
    watermarks = reopen()
    watermarks.claim(STREAM, 1, 5)
    assert watermarks.claim(("edge-1", "e2"), 1, 5) == [(1, 5)]
    assert watermarks.claim(("edge-2", "e1"), 1, 5) == [(1, 5)]


def test_a_locked_file_is_unavailable_and_the_claim_stays(reopen, tmp_path):
    watermarks = reopen()
    watermarks._connection.execute("PRAGMA busy_timeout=0")
    watermarks.claim(STREAM, 1, 5)
    other = sqlite3.connect(tmp_path / "ingest.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        watermarks.commit(0)
    other.execute("ROLLBACK")
    other.close()
    watermarks.commit(0)
    assert reopen().of(STREAM).watermark == 5


def test_a_file_of_a_newer_meterhouse_or_of_another_kind_is_refused(tmp_path):
    newer = sqlite3.connect(tmp_path / "ingest.db")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(ConfigError, match="newer Meterhouse"):
        Watermarks(tmp_path / "ingest.db")
    (tmp_path / "text.db").write_text("no database at all, but long enough to look at" * 30)
    with pytest.raises(ConfigError, match="cannot be used"):
        Watermarks(tmp_path / "text.db")
