"""Where models are off nothing is expected of use, and what rules alone tell is told all the same."""

import numpy as np
import pytest
from rigs.worlds import FIRST, HOURS, START_MS, hours_ms

from analytics.models import Models
from facility.quantities import Utility

HOW = np.arange(HOURS) % 168
T_MS = hours_ms(HOURS + 1)[:-1]


def use_of_nights(level):
    y = np.where((HOW < 120) & (HOW % 24 >= 8) & (HOW % 24 < 18), 2.0 + 0.1 * np.sin(np.arange(HOURS)), 0.0)
    y[-10 * 24 :] += level
    return y


@pytest.mark.parametrize("are_on", [True, False])
def test_a_leak_is_found_by_its_rule_and_waste_by_models_alone(are_on):
    models, water = Models(are_on=are_on), Models()
    assert models.wants(Utility.WATER)
    assert models.wants(Utility.ELECTRICITY) == are_on
    y = use_of_nights(1.0)
    found = models.expectation("main", T_MS, HOW, None, y, FIRST, utility=Utility.ELECTRICITY)
    assert np.isfinite(found.expected).any() == are_on
    assert bool(found.troubles) == are_on
    water.expectation("water", T_MS, HOW, None, y, FIRST, utility=Utility.WATER)
    for fitted in water.kept():
        models.keep(fitted)
    assert [one.kind for one in models.leaks("water", T_MS, y, FIRST)[0]] == ["continuous_flow"]
    assert T_MS[0] == START_MS
