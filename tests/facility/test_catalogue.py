"""An estate's look-ups: they find what a pass through the whole estate finds, without making one for each question."""

from dataclasses import replace
from itertools import product

import pytest

from bench.catalogue import town
from facility.catalogue import Catalogue
from facility.model import MeterRole, Space, SpaceKind
from facility.quantities import Quantity, Utility

TOWN = town()
TOWN = replace(TOWN, spaces=tuple(Space(f"s{i}", f"b{i % 7}", TOWN.site.name, SpaceKind.ROOM) for i in range(30)))
SOME_METERS = [meter.id for meter in TOWN.meters[::331]]
SOME_BUILDINGS = [building.id for building in TOWN.buildings[::23]]
LOOK_UPS = {
    "spaces_of": (
        SOME_BUILDINGS,
        lambda building: (space for space in TOWN.spaces if space.building == building),
    ),
    "meters_of_agent": (["edge-0", "edge-49"], lambda agent: (m for m in TOWN.meters if m.agent == agent)),
    "meters_of_utility": (list(Utility), lambda utility: (m for m in TOWN.meters if m.utility is utility)),
    "meters_of_enduse": (["total", "cooking"], lambda enduse: (m for m in TOWN.meters if m.enduse == enduse)),
    "installations_of": (SOME_METERS, lambda meter: (one for one in TOWN.installations if one.meter == meter)),
    "points_of": (SOME_METERS, lambda meter: (point for point in TOWN.points if point.meter == meter)),
    "points_of_quantity": (list(Quantity), lambda quantity: (p for p in TOWN.points if p.quantity is quantity)),
}


@pytest.mark.parametrize("look_up", LOOK_UPS)
def test_a_look_up_finds_what_a_pass_through_the_estate_finds(look_up):
    keys, passing_through = LOOK_UPS[look_up]
    found = {key: getattr(TOWN, look_up)(key) for key in [*keys, "nowhere"]}
    assert found == {key: tuple(passing_through(key)) for key in [*keys, "nowhere"]}
    assert any(found.values())


def test_meters_are_found_by_building_utility_role_and_bus():
    for building, utility in product([*SOME_BUILDINGS, "nowhere"], Utility):
        here = [meter for meter in TOWN.meters if meter.building == building]
        assert list(TOWN.meters_of(building)) == here
        assert list(TOWN.meters_of(building, utility)) == [meter for meter in here if meter.utility is utility]
        heads = [meter for meter in here if meter.utility is utility and meter.role is MeterRole.HEAD]
        assert list(TOWN.head_meters(building, utility)) == heads
    assert TOWN.meters_on("edge-3", "bus") == TOWN.meters_of_agent("edge-3")
    assert TOWN.meters_on("edge-3", "other") == TOWN.meters_on("nobody", "bus") == ()


def test_the_first_point_of_a_quantity_is_found():
    channels = tuple(replace(point, channel="l1") for point in TOWN.points[:4])
    estate = replace(TOWN, points=(*TOWN.points[:4], *channels))
    assert estate.find_point("b0-m0", Quantity.VOLTAGE) == TOWN.points[2]
    assert estate.find_point("b0-m0", Quantity.LEAK) is None
    assert estate.find_point("b0-m1", Quantity.WATER_VOLUME) is None
    assert TOWN.accounted_point(TOWN.meter["b0-m1"]).quantity is Quantity.WATER_VOLUME
    assert TOWN.accounted_point(TOWN.meter["b0-m2"]) is None


def test_the_whole_estate_is_gone_through_once_however_much_is_asked():
    class Counted(tuple):
        __slots__ = ()
        passes = 0

        def __iter__(self):
            Counted.passes += 1
            return super().__iter__()

    estate = replace(TOWN, meters=Counted(TOWN.meters), points=Counted(TOWN.points))
    assert isinstance(estate, Catalogue)
    meters = list(TOWN.meters)
    for meter in meters:
        estate.points_of(meter.id)
        estate.accounted_point(meter)
        estate.meters_of(meter.building, meter.utility)
        estate.meters_on(meter.agent, meter.connection)
    assert Counted.passes == 4
