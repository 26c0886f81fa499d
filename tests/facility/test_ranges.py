"""A set of numbers as ranges behaves as the plain set does."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from facility.ranges import RangeSet

SPANS = st.lists(st.tuples(st.booleans(), st.integers(1, 40), st.integers(1, 40)), max_size=30)


@given(SPANS, st.integers(1, 40), st.integers(1, 40))
def test_it_is_the_same_as_a_set_of_numbers(steps, first, last):
    ranges, plain = RangeSet(), set()
    for adding, a, b in steps:
        numbers = range(a, b + 1)
        if adding:
            ranges.add(a, b)
            plain.update(numbers)
        else:
            ranges.remove(a, b)
            plain.difference_update(numbers)
    assert {n for a, b in ranges for n in range(a, b + 1)} == plain
    assert ranges.size() == len(plain)
    assert all(b + 1 < c for (_, b), (c, _) in pairwise(ranges))
    assert (first in ranges) == (first in plain)
    if first <= last:
        assert ranges.covers(first, last) == set(range(first, last + 1)).issubset(plain)
    gaps = ranges.gaps(1, 40, 100)
    assert {n for a, b in gaps for n in range(a, b + 1)} == set(range(1, 41)) - plain
    assert ranges.missing(1, 40) == gaps
    assert ranges.watermark == next(n for n in range(1, 42) if n not in plain) - 1
    assert [*([(1, ranges.watermark)] if ranges.watermark else []), *ranges.above] == list(ranges)
    twin = ranges.copy()
    twin.keep_lowest(2)
    assert list(twin) == list(ranges)[:2]
    few = ranges.gaps(1, 40, 2)
    assert len(few) <= 2
    assert {n for a, b in few for n in range(a, b + 1)} >= set(range(1, 41)) - plain
