"""A poller on one bus with as many like devices as a test wishes, and what it puts."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

from edge_agent.devices import devices_of
from edge_agent.drivers import DRIVERS
from edge_agent.drivers.base import BusSeat
from edge_agent.poller import Poller
from facility.catalogue import Agent, Bus, Catalogue
from facility.model import Meter, Name, Point, Site
from facility.protocols import protocol_of
from facility.protocols.modbus.profile import Coding, ModbusProfile, RegisterPoint, RegisterTable
from facility.quantities import Quantity
from rigs.raw_lines import word


def profile_of(addresses, *, max_registers=125, max_gap=8):
    """One holding register at each address, as voltages of channels ``a10``, ``a200``."""
    points = tuple(
        RegisterPoint(Quantity.VOLTAGE, f"a{address}", address, Coding.UINT16, RegisterTable.HOLDING)
        for address in addresses
    )
    return ModbusProfile("x/y", "x", "electricity", (), points, max_registers=max_registers, max_gap=max_gap)


class OneBus:
    """``units`` of one profile; ``taken`` has (monotonic time, unit, address, value) of every sample."""

    def __init__(self, url, profile, units=(1,), *, poll_s=0.1, timeout_s=0.3):
        self.taken, self.lock = [], threading.Lock()
        bus = Bus("line", url, timeout_s)
        meters = tuple(Meter(f"m{u}", Name("m"), "b", "x/y", "a", "line", str(u), poll_s=poll_s) for u in units)
        points = tuple(Point(m.id, place.quantity, place.channel) for m in meters for place in profile.points)
        catalogue = Catalogue(Site("s", Name("s"), "UTC", "EUR"), (), (), (), (Agent("a", (bus,)),), meters, points)
        devices = devices_of(catalogue, {"x/y": profile}, bus)
        self.seat = BusSeat(bus, devices, self._put, lambda: (time.time_ns() // 1_000_000, 0), time.monotonic)
        self.driver = DRIVERS[protocol_of(bus)](self.seat)
        self.poller = Poller(self.driver, self.seat)
        self.states = set()

    @contextmanager
    def polling(self):
        self.poller.start()
        try:
            yield self
        finally:
            self.poller.stop()

    def _put(self, samples):
        now_s = time.monotonic()
        with self.lock:
            for point, _, value, _ in samples:
                meter, _, channel = point.split("/")
                self.taken.append((now_s, int(meter[1:]), int(channel[1:]), value))

    def wrong(self):
        """Values that the register does not hold."""
        return [one for one in self.taken if one[3] != word(one[1], one[2])]

    def addresses(self, unit=1):
        """What was read of a unit."""
        return {address for _, one, address, _ in list(self.taken) if one == unit}

    def count(self, unit, address):
        """How often a register was read."""
        return sum((one, where) == (unit, address) for _, one, where, _ in list(self.taken))

    def note_state(self):
        """Remember what the bus says of itself now."""
        self.states.add(self.poller.state())
        return self.states
