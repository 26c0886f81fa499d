"""What flows now, by a counter's growth: no more than the meter's feeder can deliver."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from rigs.rollup_hall import estate, meter

from console.figures.use import live_sum
from facility.quantities import Utility
from stores.readings.live import Picture
from stores.readings.port import Latest

POINT = "m0/energy_import/total"


@pytest.mark.parametrize(("per_hour", "watts"), [(3.5, 3_500.0), (86.0, None)])
def test_a_leap_beyond_the_feeder_is_no_power(per_hour, watts):
    catalogue = replace(estate(), meters=(plug := meter("m0", most_per_hour=3.7),))
    seen = Picture(1, MappingProxyType({POINT: Latest(0, 86.0)}), MappingProxyType({POINT: per_hour}))
    found = live_sum(catalogue, [plug], Utility.ELECTRICITY, seen)
    assert (found.x if found else None) == watts
