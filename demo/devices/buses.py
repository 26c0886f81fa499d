"""The simulated devices of the demo's estate, bus by bus, as they are opened and closed together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import structlog

from demo.devices.gateway import Gateway
from demo.devices.line import TerminalLine
from demo.devices.radio import Radio, Sender
from demo.devices.unit import Unit
from demo.estate import AGENT, FILE
from demo.shift import read_shift
from demo.world import World
from device_profiles import load_profiles
from facility.errors import ConfigError
from facility.protocols import protocol_of
from facility.protocols.lines import NetworkLine
from facility.protocols.modbus.bus import modbus_line
from stores.site_file import read_site

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from threading import Event

    from facility.catalogue import Bus

log = structlog.get_logger()


class OpenBus(Protocol):
    """Devices on one bus."""

    async def open(self) -> None:
        """Begin to answer."""

    async def close(self) -> None:
        """Stop answering."""


def open_world(folder: Path) -> World:
    """The world of a data folder. Raises ``ConfigError`` if its files are missing or wrong."""
    profiles = load_profiles()
    return World(read_shift(folder), read_site(folder / FILE, profiles), profiles)


def bus_devices(world: World, broker: str, clock: Callable[[], int]) -> list[OpenBus]:
    """The devices on every bus of the agent. Raises ``ConfigError`` for a bus that nothing is simulated for."""
    return [_devices_on(world, bus, broker, clock) for bus in world.catalogue.agent[AGENT].buses]


def _devices_on(world: World, bus: Bus, broker: str, clock: Callable[[], int]) -> OpenBus:
    meters = world.catalogue.meters_on(AGENT, bus.id)
    protocol = protocol_of(bus)
    if protocol == "mqtt_json":
        return Radio(broker or bus.url, [Sender(world, meter) for meter in meters], clock)
    if protocol == "modbus":
        units, line = [Unit(world, meter) for meter in meters], modbus_line(bus)
        return Gateway(line, units, clock) if isinstance(line, NetworkLine) else TerminalLine(line, units, clock)
    raise ConfigError(f"bus {bus.id}: no simulated devices for '{protocol}'")


async def answer(buses: Sequence[OpenBus], meters: int, stop: Event) -> None:
    """Open every bus, say so in the log, and wait for the word to stop."""
    try:
        for bus in buses:
            await bus.open()
        log.info("devices_ready", meters=meters)
        await asyncio.to_thread(stop.wait)
    finally:
        for bus in buses:
            await bus.close()
