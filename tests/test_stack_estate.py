"""The estate that benches measure is one that may be: its site file is read, with every device at an address."""

import pytest

from bench.stack.estate import MOST_UNITS, nowhere, plan, site_text
from device_profiles import load_profiles
from facility.documents.site import load_site


@pytest.mark.parametrize("points", [500, 3_000])
def test_an_estate_of_many_buses_and_agents_is_one_that_may_be(points):
    made = plan(points)
    estate = load_site(site_text(made, nowhere(made)), "site.yaml", load_profiles())
    assert len(estate.points) == points
    assert len(list(made.on_bus())) >= sum(one.bus != "radio" for one in made.devices) / MOST_UNITS
