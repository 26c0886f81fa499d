"""How far five dead devices of thirty delay their neighbours behind a gateway, which waits for them longer or shorter.

The gateway carries one request after another to its units, as one on an RS-485 line does. What counts is the time
between two polls of a device that is well, from the first round on, in which nobody knows yet who is dead.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_agent.devices import devices_of
from edge_agent.drivers.base import BusSeat
from edge_agent.drivers.modbus.driver import ModbusDriver
from edge_agent.poller import Poller
from facility.catalogue import Agent, Bus, Catalogue
from facility.model import Meter, Name, Point, Quality, Site
from facility.protocols.modbus.profile import Coding, ModbusProfile, RegisterPoint, RegisterTable
from facility.quantities import Quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.outbox.outbox import Sample

RESULT = Path(__file__).parent / "results" / "bus.json"
UNITS, DEAD = range(1, 31), (4, 9, 10, 17, 25)
POLL_S, TIMEOUT_S, ANSWER_S, LASTS_S = 5.0, 1.0, 0.03, 180.0
MOST_RATIO = 1.1
REQUEST_BYTES = 12
POWER = RegisterPoint(Quantity.ACTIVE_POWER, "total", 10, Coding.UINT16, RegisterTable.HOLDING)
ENERGY = RegisterPoint(Quantity.ENERGY_IMPORT, "total", 200, Coding.UINT16, RegisterTable.HOLDING)
PROFILE = ModbusProfile("bench/meter", "Meter", "electricity", (), (POWER, ENERGY))


@dataclass(frozen=True)
class Trial:
    """A gateway that waits ``holds_s`` for a dead unit, and then says so by exception 11, or nothing."""

    name: str
    holds_s: float
    says_so: bool


TRIALS = (
    Trial("waits_longer_says_so", 3.0, says_so=True),
    Trial("waits_longer_says_nothing", 3.0, says_so=False),
    Trial("waits_shorter_says_so", 0.3, says_so=True),
    Trial("waits_shorter_says_nothing", 0.3, says_so=False),
)


class Gateway:
    """Modbus TCP at a free port of this machine; however many connections, there is one wire."""

    def __init__(self, trial: Trial) -> None:
        """It listens at once."""
        self._trial, self._wire = trial, threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"modbus+tcp://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections; who has one is hung up on by its client."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the client hangs up
            while len(request := connection.recv(REQUEST_BYTES, socket.MSG_WAITALL)) == REQUEST_BYTES:
                with self._wire:
                    connection.sendall(self._answer(request))

    def _answer(self, request: bytes) -> bytes:
        number, _, _, unit, function, _, count = struct.unpack(">HHHBBHH", request)
        if unit not in DEAD:
            time.sleep(ANSWER_S)
            words = (unit,) * count
            return struct.pack(f">HHHBBB{count}H", number, 0, 3 + 2 * count, unit, function, 2 * count, *words)
        time.sleep(self._trial.holds_s)
        return struct.pack(">HHHBBB", number, 0, 3, unit, function | 0x80, 11) if self._trial.says_so else b""


class Seen:
    """When each unit was polled, and who was ever called silent."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.polls: dict[int, list[float]] = {unit: [] for unit in UNITS}
        self.wrong = 0

    def put(self, samples: Sequence[Sample]) -> None:
        """One poll of one device."""
        for point, _, value, _ in samples:
            unit = int(point.split("/")[0].removeprefix("m"))
            self.wrong += value != unit
            if POWER.name in point:
                self.polls[unit].append(time.monotonic())


def measure(trial: Trial) -> dict[str, object]:
    """One trial from its first round to its end."""
    gateway, seen = Gateway(trial), Seen()
    poller = Poller(*_asking(gateway.url, seen))
    called: set[str] = set()
    poller.start()
    end_s = time.monotonic() + LASTS_S
    while time.monotonic() < end_s:
        called.update(poller.state().removeprefix("silent: ").split(", "))
        time.sleep(0.2)
    poller.stop()
    gateway.close()
    gaps = np.array([b - a for unit in UNITS if unit not in DEAD for a, b in pairwise(seen.polls[unit])])
    p50, p95 = np.percentile(gaps, [50, 95])
    return {
        "waits_s": trial.holds_s,
        "says_so": trial.says_so,
        "polls": len(gaps),
        "p50_s": round(float(p50), 3),
        "p95_s": round(float(p95), 3),
        "longest_s": round(float(gaps.max()), 3),
        "called_silent": sorted(called - {"ok"}),
        "wrong_values": seen.wrong,
    }


def _asking(url: str, seen: Seen) -> tuple[ModbusDriver, BusSeat]:
    bus = Bus("line", url, TIMEOUT_S)
    meters = tuple(Meter(f"m{u}", Name("M"), "b", PROFILE.id, "a", "line", str(u), poll_s=POLL_S) for u in UNITS)
    points = tuple(Point(meter.id, place.quantity) for meter in meters for place in PROFILE.points)
    site = Site("s", Name("S"), "UTC", "EUR")
    catalogue = Catalogue(site, (), (), (), (Agent("a", (bus,)),), meters, points)
    devices = devices_of(catalogue, {PROFILE.id: PROFILE}, bus)
    seat = BusSeat(bus, devices, seen.put, lambda: (0, Quality.GOOD), time.monotonic)
    return ModbusDriver(seat), seat


def main() -> int:
    """Every trial at the same time, for they only wait; write the results."""
    with ThreadPoolExecutor(len(TRIALS)) as pool:
        trials = dict(zip((trial.name for trial in TRIALS), pool.map(measure, TRIALS), strict=True))
    facts = {"units": len(UNITS), "dead": len(DEAD), "poll_s": POLL_S, "timeout_s": TIMEOUT_S, "lasts_s": LASTS_S}
    RESULT.write_text(json.dumps({**facts, "most_ratio": MOST_RATIO, "gateways": trials}, indent=2) + "\n")
    sys.stdout.write(RESULT.read_text())
    dead = {f"m{unit}" for unit in DEAD}
    return int(not all(_is_well(trial, dead) for trial in trials.values()))


def _is_well(trial: dict[str, object], dead: set[str]) -> bool:
    p95_s, called = trial["p95_s"], trial["called_silent"]
    assert isinstance(p95_s, float)
    assert isinstance(called, list)
    return p95_s <= MOST_RATIO * POLL_S and set(called) == dead and not trial["wrong_values"]


if __name__ == "__main__":
    sys.exit(main())
