"""``python -m demo.devices``: all simulated devices of the demo's estate, until told to stop."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING

from demo.devices.buses import answer, bus_devices, open_world
from demo.devices.settings import DeviceSettings
from process.run import run

if TYPE_CHECKING:
    from threading import Event


def main() -> int:
    """Run until stopped; 2 and one clear text when something must be changed first."""
    return run(DeviceSettings, _run)


def _run(settings: DeviceSettings, stop: Event) -> bool:
    world = open_world(settings.data)
    buses = bus_devices(world, settings.devices_broker, lambda: time.time_ns() // 1_000_000)
    asyncio.run(answer(buses, len(world.catalogue.meters), stop))
    return True


if __name__ == "__main__":
    sys.exit(main())
