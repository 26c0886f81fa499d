"""Sixty devices on lines of every protocol, six of them ill: each good reading arrives, with a time of its own."""

from __future__ import annotations

import time
from collections import defaultdict

import pytest
from rigs.edge_server import Server
from rigs.machine_room import AGENT, STUCK, SWAPPED, MachineRoom
from rigs.patience import until
from rigs.servers import Mosquitto

from edge_agent.agent import EdgeAgent
from edge_agent.clock import ReadingClock
from edge_agent.settings import EdgeSettings

pytestmark = pytest.mark.broker

ROUNDS = 3


def now_ms():
    return time.time_ns() // 1_000_000


class Reader:
    """An agent that reads the room, and a server that takes everything in."""

    def __init__(self, room, folder, port):
        self.server = Server(port, AGENT, answers="always")
        settings = EdgeSettings(data=folder, agent=AGENT, broker=f"mqtt://{AGENT}:secret@127.0.0.1:{port}")
        clock = ReadingClock(now_ms, lambda: time.monotonic_ns() // 1_000_000, is_synchronised=lambda: True)
        self.agent = EdgeAgent(
            settings, room.catalogue(), room.profiles,
            clock=clock, boot="boot", monotonic=time.monotonic, version="0",
        )  # fmt: skip

    def __enter__(self):
        self.agent.start()
        return self

    def __exit__(self, *_):
        self.agent.stop()
        self.server.stop()

    def said(self):
        """Times and values by point."""
        each = defaultdict(list)
        for _, (point, t_ms, x) in sorted(dict(self.server.rows).items()):
            each[point].append((t_ms, x))
        return each


def named(buses):
    """Who is silent, by the states of the buses."""
    return " ".join(buses.values()).replace(";", " ").replace(",", " ").split()


def well(buses):
    """The states of the buses on which nobody is silent for good."""
    return {state for bus, state in buses.items() if bus not in {"serial", "slow"}}


def test_every_device_that_is_well_is_read_and_the_ill_ones_are_named(tmp_path):
    begun_ms = now_ms()
    (tmp_path / "data").mkdir()
    with Mosquitto() as broker, MachineRoom(tmp_path) as room, Reader(room, tmp_path / "data", broker.port) as reader:

        def is_read():
            room.count()
            room.say()
            said = reader.said()
            return all(len(said[point]) >= ROUNDS for point in room.expect)

        until(is_read, pause_s=0.3, says=lambda: [p for p in room.expect if len(reader.said()[p]) < ROUNDS])
        silent = {meter for meter, ill in room.ill.items() if ill in {"silent", "slow", "wrong checksum"}}
        until(lambda: {meter for meter in silent if meter in named(reader.agent.status().buses)} == silent)
        until(lambda: well(reader.agent.status().buses) == {"ok"}, says=lambda: reader.agent.status().buses)
        said = reader.said()
    assert not any(point.partition("/")[0] in silent for point in said)
    for point, value in room.expect.items():
        times, values = zip(*said[point], strict=True)
        assert list(times) == sorted({*times}), f"{point}: each reading has a time of its own"
        assert begun_ms - 1000 <= times[0] <= times[-1] <= now_ms() + 1000
        if point in room.counting:
            assert list(values) == sorted(values)
            assert values[0] < values[-1]
        else:
            assert all(x == pytest.approx(value) for x in values), point
    swapped, stuck = (room.on("serial", unit) for unit in (SWAPPED, STUCK))
    assert len({x for _, x in said[f"{stuck}/energy_import/total"]}) == 1
    assert {x for _, x in said[f"{swapped}/active_power/total"]} == {1000.0 + SWAPPED}
