"""One Modbus unit: the registers it would show at an instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_agent.drivers.modbus.registers import encode_registers
from facility.protocols.modbus.profile import ModbusProfile, RegisterPoint

if TYPE_CHECKING:
    from demo.world import World
    from facility.model import Meter, Point


class Unit:
    """A meter of the estate as a slave on a bus."""

    def __init__(self, world: World, meter: Meter) -> None:
        """Take the meter's points; registers of its model that no point needs read as zero."""
        self.meter = meter
        self.address = int(meter.unit)
        self._world = world
        self._points = [(point, self._place(point)) for point in world.catalogue.points_of(meter.id)]
        profile = world.profiles[meter.profile]
        assert isinstance(profile, ModbusProfile), f"{meter.id} is on a Modbus bus"
        registers = list(profile.registers())
        self.first = min(register.address for register in registers)
        self.count = max(register.address + register.count for register in registers) - self.first

    def answers(self, now_ms: int) -> bool:
        """Whether the unit answers at all."""
        return bool(self._world.answers(self.meter.id, np.array([now_ms]))[0])

    def registers(self, now_ms: int) -> list[int]:
        """All registers from ``first`` on."""
        held = [0] * self.count
        instant = np.array([now_ms])
        for point, place in self._points:
            offset = place.address - self.first
            value = float(self._world.values(point, instant)[0])
            held[offset : offset + place.count] = encode_registers(place, value)
        return held

    def _place(self, point: Point) -> RegisterPoint:
        place = self._world.offered(point)
        assert isinstance(place, RegisterPoint), f"{point.id} is on a Modbus bus"
        return place
