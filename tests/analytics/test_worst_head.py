"""Of several head meters a building's hours and days name the shares of time of the worst, not a mean."""

import numpy as np
import pytest
from rigs.rollup_hall import assert_same, batch, estate, everything, fed, rows, steady

from analytics.rollups.totals import worst_of

M0, M1 = "m0/energy_import/total", "m1/energy_import/total"


def shares(store, name):
    found = rows(store, name).fields
    return found["completeness"].tolist(), found["estimated"].tolist(), found["complete"].tolist()


def two_heads():
    """One is first read at six, the other silent from nine to twelve and no more read from nine in the evening on."""
    t_ms, x = steady("2026-01-05T00:00", "2026-01-06T00:00")
    hours = np.arange(25)
    heard = (hours <= 21) & ((hours <= 9) | (hours >= 12))
    return batch(M0, t_ms[6:], x[6:]), batch(M1, t_ms[heard], x[heard])


def test_an_hour_and_a_day_of_two_heads_have_the_shares_of_the_worst():
    store = fed(estate(heads=2), *two_heads())
    measured, estimated, complete = shares(store, "building_1h")
    assert measured == [0.0] * 6 + [1.0] * 3 + [0.0] * 3 + [1.0] * 9 + [0.0] * 3
    assert estimated == [0.0] * 9 + [1.0] * 3 + [0.0] * 12
    assert complete == measured
    assert shares(store, "building_1d") == ([0.75], [0.0], [0.0])  # the first misses six hours, the other three


def test_the_worst_is_the_same_in_whatever_order_readings_come():
    whole = everything(fed(estate(heads=2), *two_heads()))
    t_ms, x = steady("2026-01-05T00:00", "2026-01-06T00:00")
    late = [batch(M0, t_ms[at : at + 1], x[at : at + 1]) for at in (24, 6)]
    first, second = two_heads()
    middle = batch(M0, t_ms[7:24], x[7:24])
    assert_same(everything(fed(estate(heads=2), second, middle, *late)), whole)
    assert_same(everything(fed(estate(heads=2), first, second)), whole)


@pytest.mark.parametrize(
    ("shares_of", "worst"),
    [
        ([(0.5, 0.0), (0.0, 0.9)], (0.5, 0.0)),  # what is missing is worse than what is estimated
        ([(0.5, 0.5), (0.7, 0.3)], (0.5, 0.5)),
        ([(0.7, 0.3), (0.1 + 0.2, 0.7 - 1e-12)], (0.1 + 0.2, 0.7 - 1e-12)),  # noise of arithmetic misses nothing
        ([(1.0, 0.0)], (1.0, 0.0)),
    ],
)
def test_missing_goes_before_estimated(shares_of, worst):
    found = worst_of([(np.array([measured]), np.array([estimated])) for measured, estimated in shares_of])
    assert tuple(float(column[0]) for column in found) == worst
