import dataclasses

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.ingest_rig import CATALOGUE, ENERGY, FOREIGN, LEVELLESS, NOW_MS, POWER, batch

from facility.errors import Rejected
from facility.model import ReadingBatch
from ingest.gate import Gate

GATE = Gate(CATALOGUE)
POINTS = [POWER, ENERGY, LEVELLESS, FOREIGN, "m9/co2/total"]


def check(said, fresh=None):
    return GATE.check(said, fresh or [(said.first, said.first + len(said.x) - 1)], NOW_MS)


def test_a_good_batch_passes_as_it_is():
    said = batch(7, 3)
    assert check(said).accepted == said.readings()
    assert check(said).refused == ()


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("unknown_point", {"points": ["m9/co2/total"]}),
        ("foreign_point", {"points": [FOREIGN]}),
        ("no_level", {"points": [LEVELLESS]}),
        ("not_finite", {"x": [float("nan")]}),
        ("not_finite", {"x": [float("inf")]}),
        ("out_of_range", {"x": [10_000.1]}),
        ("out_of_range", {"x": [-0.1]}),
        ("before_2000", {"t": [946_684_799_999]}),
        ("before_2000", {"t": [-1]}),
        ("in_future", {"t": [NOW_MS + 300_001]}),
        ("unknown_quality", {"q": [5]}),
        ("unknown_quality", {"q": [-(10**30)]}),
    ],
)
def test_each_reason_refuses_one_reading(reason, changes):
    checked = check(batch(4, 1, **changes))
    assert checked.accepted is None
    assert [(part.reason, part.seq, len(part.readings)) for part in checked.refused] == [(reason, [4], 1)]


@pytest.mark.parametrize("changes", [{"x": [10_000.0]}, {"x": [0.0]}, {"t": [NOW_MS + 300_000]}, {"q": [4]}])
def test_the_limits_themselves_are_let_in(changes):
    assert check(batch(n=1, **changes)).refused == ()


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([1.0, -5.0, float("nan")])), min_size=1, max_size=30))
def test_every_reading_is_either_let_in_or_refused_and_none_changes(rows):
    said = batch(11, len(rows), points=POINTS, p=[p for p, _ in rows], x=[x for _, x in rows])
    checked = check(said)
    parts = [part.readings for part in checked.refused] + ([checked.accepted] if checked.accepted else [])
    together = sorted(row for part in parts for row in triples(part))
    assert together == sorted(triples(said.readings()))
    assert all(len(part) > 0 for part in parts)


def triples(readings: ReadingBatch):
    return [(readings.points[p], t, str(x)) for p, t, x in zip(readings.p, readings.t_ms, readings.x, strict=True)]


def test_only_numbers_that_are_new_are_looked_at():
    said = batch(1, 6, points=[POWER, "m9/co2/total"], p=[0, 1, 0, 0, 1, 0])
    checked = check(said, [(2, 3), (6, 6)])
    assert (checked.accepted.points, checked.accepted.x) == ([POWER], [3.0, 6.0])
    assert [(part.reason, part.seq) for part in checked.refused] == [("unknown_point", [2])]


def test_quality_goes_with_its_reading():
    checked = check(batch(1, 3, p=[0, 1, 0], points=[POWER, FOREIGN], q=[1, 2, 4]))
    assert checked.accepted.q == [1, 4]


def test_a_time_beyond_all_numbers_refuses_the_message():
    with pytest.raises(Rejected, match="malformed"):
        check(batch(n=1, t=[2**70]))


def test_an_agent_that_the_estate_does_not_have_is_refused():
    with pytest.raises(Rejected, match="unknown_agent"):
        GATE.admit("edge-9")


def test_a_new_estate_is_a_new_gate():
    without = dataclasses.replace(CATALOGUE, points=CATALOGUE.points[1:])
    said = msgspec.structs.replace(batch(n=1))
    assert Gate(without).check(said, [(1, 1)], NOW_MS).refused[0].reason == "unknown_point"
