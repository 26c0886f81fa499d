"""What a register may do is one fact, and the edge and the accounting live by it alike."""

from __future__ import annotations

import math

import numpy as np
import pytest

from accounting.local_time import HOUR_MS
from accounting.registers import straightened
from accounting.spells import Outcome
from edge_agent.clock import EARLIEST_MS
from edge_agent.suspicion import Suspicion
from facility.model import Meter, Name, Quality
from facility.quantities import Quantity
from facility.register import GLITCH_READINGS, RATE_FLOOR_MS, most_per_hour, small_step

METER = Meter("m", Name("m"), "b", "x/y", "a", "line", "1", most_per_hour=40.0)
MINUTE_MS = 60_000


def doubted(values, *, rate=5000.0, every_ms=MINUTE_MS):
    """How many of the readings the edge marks."""
    suspicion = Suspicion({"c": rate}, {})
    samples = [("c", EARLIEST_MS + every_ms * i, x, 0) for i, x in enumerate(values)]
    return sum(q == Quality.SUSPECT for *_, q in suspicion.judge(samples))


def judged(values, *, rate=5000.0, every_ms=MINUTE_MS):
    """What the accounting counts, and the spells that it sees."""
    t_ms = EARLIEST_MS + every_ms * np.arange(len(values))
    total = straightened(t_ms, np.array(values), max_rate=rate)
    return float(total.total[-1] - total.total[0]), [spell.outcome for spell in total.spells]


def test_the_limits_are_these():
    assert (GLITCH_READINGS, RATE_FLOOR_MS) == (3, 15 * MINUTE_MS)
    assert [small_step(x) for x in (0.0, 1.0, 2.0, 1000.0, -1000.0)] == [0.01, 0.01, 0.01, 5.0, 5.0]


def test_what_a_feeder_can_deliver_is_the_meters_fact_or_else_all_that_was_ever_accepted():
    unknown = Meter("m", Name("m"), "b", "x/y", "a", "line", "1")
    assert most_per_hour(METER, Quantity.ENERGY_IMPORT) == 40.0
    assert most_per_hour(unknown, Quantity.ENERGY_IMPORT) == Quantity.ACTIVE_POWER.high / 1000
    assert most_per_hour(unknown, Quantity.REACTIVE_ENERGY) == math.inf


@pytest.mark.parametrize(("share", "is_small"), [(0.999, True), (1.001, False)])
def test_a_step_back_is_small_for_both_or_for_neither(share, is_small):
    back = 1000.0 - share * small_step(1000.0)
    values = [1000.0, back, back, back, back, 1001.0]
    assert (doubted(values) == 0) is is_small
    assert judged(values) == (1.0, [] if is_small else [Outcome.FALSE])


@pytest.mark.parametrize("lasts", [1, GLITCH_READINGS, GLITCH_READINGS + 1, 500])
def test_the_edge_marks_a_value_until_it_has_lasted_and_the_accounting_knows_it_however_long(lasts):
    values = [1000.0, *[0.0] * lasts, 1000.5]
    assert doubted(values[: lasts + 1]) == min(lasts, GLITCH_READINGS)
    assert judged(values) == (0.5, [Outcome.FALSE])


@pytest.mark.parametrize(("share", "can_be"), [(0.999, True), (1.001, False)])
def test_a_rate_is_judged_over_a_quarter_of_an_hour_by_both(share, can_be):
    step = share * 40.0 * RATE_FLOOR_MS / HOUR_MS
    values = [1000.0, *[1000.0 + step] * 6]
    assert (doubted(values[:2], rate=40.0) == 0) is can_be
    assert judged(values, rate=40.0) == ((pytest.approx(step), []) if can_be else (0, [Outcome.IN_DOUBT]))
