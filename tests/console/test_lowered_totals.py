"""A building's total that its custodian lowered: who may see it sees no meter that it sums."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from rigs.sample import NOW, make_sample
from rigs.serving import served

from facility.levels import Level
from facility.quantities import Utility
from facility.rights import Role
from stores.records.accounts.grants import Grant, Grants
from stores.records.level_decisions import LevelDecision
from stores.records.people import People
from stores.records.registry import Registry

DECIDED = LevelDecision("Li Wei", "published each year")


@pytest.fixture(scope="module")
def guest(tmp_path_factory):
    """Somebody who may see what is public: of all the site one total."""
    sample = make_sample(tmp_path_factory.mktemp("estate"), NOW)
    estate = sample.catalogue
    points = tuple(replace(one, level=Level.SENSITIVE) for one in estate.points)
    lib = {Utility.ELECTRICITY: Level.PUBLIC}
    buildings = tuple(replace(one, totals=lib) if one.id == "lib" else one for one in estate.buildings)
    graded = replace(estate, site=replace(estate.site, custodian="Li Wei"), points=points, buildings=buildings)
    Registry(sample.records).apply(graded, by="test", at=NOW, accept=True, decision=DECIDED)
    link = People(sample.records).invite("Guest", NOW)
    Grants(sample.records).give("Guest", Grant(Role.VIEWER, level=Level.PUBLIC), "test", NOW)
    cookies = {"meterhouse_session": People(sample.records).redeem(link, NOW, 86_400)}
    with (
        served(sample.store, sample.records, lambda: NOW + timedelta(seconds=1)) as (address, _),
        httpx.Client(base_url=address, headers={"accept": "text/html"}, cookies=cookies, trust_env=False) as client,
    ):
        yield client
    sample.store.close()
    sample.records.dispose()


def test_the_total_is_drawn_and_nothing_that_it_sums(guest):
    text = guest.get("/buildings/lib").text
    assert 'id="u-electricity"' in text
    assert 'id="u-water"' not in text
    assert "lib-power" not in text
    assert any(guest.get("/api/buildings/lib/days/electricity").json()["lines"][0]["y"])
    for path in ("/buildings/lab", "/buildings/office"):
        assert 'id="u-electricity"' not in guest.get(path).text
    for path in ("/api/buildings/lib/days/water", "/api/buildings/office/days/electricity"):
        assert not any(guest.get(path).json()["lines"][0]["y"])
