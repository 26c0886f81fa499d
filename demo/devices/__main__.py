"""``python -m demo.devices``: all simulated devices of the demo's estate, until told to stop."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import structlog
from pydantic import ValidationError

from demo.devices.gateway import Gateway
from demo.devices.line import Line
from demo.devices.radio import Radio, Sender
from demo.devices.settings import DeviceSettings
from demo.devices.unit import Unit
from demo.estate import AGENT, FILE
from demo.shift import read_shift
from demo.world import World
from device_profiles import load_profiles
from facility.errors import ConfigError
from stores.site_file import read_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from facility.catalogue import Bus

log = structlog.get_logger()
READY_FILE = "devices.json"


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


def bus_devices(world: World, bus: Bus, broker: str, clock: Callable[[], int]) -> OpenBus:
    """The devices on a bus, by the scheme of its address. Raises ``ConfigError`` for an unknown one."""
    meters = [meter for meter in world.catalogue.meters if meter.connection == bus.id]
    scheme = urlsplit(bus.url).scheme
    if scheme == "mqtt":
        return Radio(broker or bus.url, [Sender(world, meter) for meter in meters], clock)
    units = [Unit(world, meter) for meter in meters]
    if scheme in {"modbus+tcp", "modbus+rtu-over-tcp"}:
        return Gateway(bus.url, units, clock)
    if scheme == "modbus+rtu":
        return Line(bus.url, units, clock)
    raise ConfigError(f"bus {bus.id}: no simulated devices for '{scheme}'")


async def run(settings: DeviceSettings, clock: Callable[[], int]) -> None:
    """Open every bus, say so in ``devices.json``, and wait for the signal to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    world = open_world(settings.data)
    ready = settings.data / READY_FILE
    buses = [bus_devices(world, bus, settings.devices_broker, clock) for bus in world.catalogue.agent[AGENT].buses]
    try:
        for bus in buses:
            await bus.open()
        ready.write_text(json.dumps({"ready": True, "meters": len(world.catalogue.meters)}), encoding="utf-8")
        log.info("devices.ready", meters=len(world.catalogue.meters))
        await stop.wait()
    finally:
        ready.unlink(missing_ok=True)
        for bus in buses:
            await bus.close()


def main() -> int:
    """Run until stopped; 2 and one clear text when something must be changed first."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        settings = DeviceSettings()
        asyncio.run(run(settings, lambda: time.time_ns() // 1_000_000))
    except ValidationError as error:
        sys.stderr.write(f"settings: {error}\n")
        return 2
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
