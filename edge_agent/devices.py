"""A device as its bus sees it: the meter, its points that are read, and where in the device the profile finds each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem
from facility.protocols import check_protocol, check_unit, has_named_units
from facility.protocols.sharing import ALLOWED_SHARING, MeterPlace, unsaid_sharing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from facility.catalogue import Bus, Catalogue
    from facility.model import Meter
    from facility.profile import DeviceProfile, ProfilePoint


@dataclass(frozen=True, slots=True)
class Device:
    """One meter on a bus; ``places`` says by point id what its profile says of each point that is read."""

    meter: Meter
    profile: DeviceProfile
    places: Mapping[str, ProfilePoint]


def devices_of(
    catalogue: Catalogue, profiles: Mapping[str, DeviceProfile], bus: Bus, *, without: Collection[str] = ()
) -> tuple[Device, ...]:
    """The devices on one bus of an agent's extract, ``without`` some meters.

    Raises ``ConfigError`` for one that the bus cannot have.
    """
    return tuple(
        _device(bus, meter, catalogue, profiles[meter.profile])
        for agent in catalogue.agents
        for meter in catalogue.meters_on(agent.id, bus.id)
        if meter.id not in without
    )


def refused_on(catalogue: Catalogue, bus: Bus) -> dict[str, str]:
    """The meters of an extract whose name no device on their bus can have, or whose address another has, and why.

    A wrong address of another kind stops the agent where its file is read.
    """
    refused: dict[str, str] = {}
    sharing = unsaid_sharing(_places(catalogue))
    for meter in (one for agent in catalogue.agents for one in catalogue.meters_on(agent.id, bus.id)):
        try:
            if has_named_units(bus):
                check_unit(bus, meter.unit)
        except ConfigError as error:
            refused[meter.id] = str(error)
        if meter.id in sharing:
            refused[meter.id] = f"unit '{meter.unit}' is that of meter {sharing[meter.id]} (allowed: {ALLOWED_SHARING})"
    return refused


def _places(catalogue: Catalogue) -> Iterator[MeterPlace]:
    for agent in catalogue.agents:
        for bus in agent.buses:
            for meter in catalogue.meters_on(agent.id, bus.id):
                yield MeterPlace(meter.id, agent.id, bus, meter.unit, meter.shares_device)


def _device(bus: Bus, meter: Meter, catalogue: Catalogue, profile: DeviceProfile) -> Device:
    try:
        check_protocol(bus, profile)
        check_unit(bus, meter.unit)
    except ConfigError as error:
        raise ConfigError(*(Problem(f"meter {meter.id}", str(problem)) for problem in error.problems)) from None
    places = {point.id: profile.find(point.quantity, point.channel) for point in catalogue.points_of(meter.id)}
    return Device(meter, profile, {point: place for point, place in places.items() if place is not None})
