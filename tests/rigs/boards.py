"""Dashboards of the demo's estate, and of one that differs from it in one thing."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from dashboards.build import made
from device_profiles import load_profiles
from facility.model import MeterRole
from facility.quantities import Quantity, Utility
from stores.site_file import read_site

SITE = Path(__file__).parents[2] / "demo" / "site.yaml"


@cache
def estate():
    return read_site(SITE, load_profiles())


@cache
def boards():
    """Not to be changed: copy first."""
    return made(estate())


def head(meter="b33-electricity"):
    return estate().meter[meter]


def with_building(building="b99"):
    """One more building with one head meter of electricity."""
    some = estate()
    home = replace(some.building["b33"], id=building)
    meter = replace(head(), id=f"{building}-electricity", building=building, unit="99")
    points = tuple(replace(point, meter=meter.id) for point in some.points_of("b33-electricity"))
    return replace(
        some, buildings=(*some.buildings, home), meters=(*some.meters, meter), points=(*some.points, *points)
    )


def with_utility():
    """A head meter of heat, which the demo has none of."""
    some = estate()
    meter = replace(head(), id="b33-heat", utility=Utility.HEAT, unit="98")
    points = tuple(
        replace(point, meter=meter.id, quantity=quantity)
        for point, quantity in zip(
            some.points_of("b33-electricity"), (Quantity.HEAT_POWER, Quantity.HEAT_ENERGY), strict=False
        )
    )
    return replace(some, meters=(*some.meters, meter), points=(*some.points, *points))


def with_quantity():
    """A meter that tells its current, too, as none of the demo does."""
    some = estate()
    point = replace(some.points_of("b33-electricity")[0], quantity=Quantity.CURRENT)
    return replace(some, points=(*some.points, point))


def without(utility):
    """No head meter of a utility."""
    some = estate()
    meters = tuple(m if m.utility is not utility else replace(m, role=MeterRole.CHECK) for m in some.meters)
    return replace(some, meters=meters)
