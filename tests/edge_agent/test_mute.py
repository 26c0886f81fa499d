"""A bus on which nobody answers is an alarm of its agent: none of its meters has a neighbour to be held against."""

from __future__ import annotations

import pytest
from rigs.edge_lines import PtyUnits
from rigs.edge_server import Server
from rigs.one_bus import OneBus, profile_of
from rigs.patience import until
from rigs.servers import free_port

from edge_agent.__main__ import build
from edge_agent.mute import MuteBuses
from edge_agent.settings import EdgeSettings
from process.settings import read_settings

SITE = """\
version: 1
site: {{id: s, name: S, timezone: UTC, currency: EUR}}
buildings: [{{id: b, name: B}}]
agents: [{{id: edge-1, buses: [{{id: line, url: "modbus+tcp://127.0.0.1:{port}", timeout_s: 0.2}}]}}]
meters:
  - {{id: m1, name: M, building: b, profile: eastron/sdm120, agent: edge-1, bus: line, unit: 1, poll_s: 1}}
  - {{id: m2, name: N, building: b, profile: eastron/sdm120, agent: edge-1, bus: line, unit: 2, poll_s: 1}}
"""


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self):
        return self.now


def counts(clock, buses, bus, *times):
    """How many buses are mute for a minute, at these times."""
    found = []
    for clock.now in times:
        found.append(buses.count({"line": bus.poller, "other": object()}))
    return found


@pytest.mark.parametrize(
    ("line", "units", "mute"),
    [("gone", {}, 1), ("there", {}, 1), ("there", {3: {10: 7}}, 1), ("there", {2: {10: 7}}, 0)],
)
def test_a_bus_is_mute_while_nobody_answers_for_a_minute(line, units, mute):
    """Nobody listens; nobody is on the line; a stranger is; one of two is, which is enough."""
    clock = Clock()
    buses = MuteBuses(clock)
    with PtyUnits(units) as wire:
        url = f"modbus+rtu://{wire.path}" if line == "there" else f"modbus+tcp://127.0.0.1:{free_port()}"
        bus = OneBus(url, profile_of([10]), (1, 2), timeout_s=0.2)
        assert counts(clock, buses, bus, 0, 100) == [0, 0]  # nobody was asked yet
        for turn in bus.poller.turns:
            bus.poller.poll(turn)
        assert counts(clock, buses, bus, 200, 259, 260) == [0, 0, mute]
        bus.poller.pause(paused=True)
        assert counts(clock, buses, bus, 300) == [0]
        bus.driver.close()


@pytest.mark.broker
def test_an_agent_tells_it(tmp_path, broker, monkeypatch):
    monkeypatch.setattr("edge_agent.mute.SILENT_AFTER_S", 0.5)
    (tmp_path / "site.yaml").write_text(SITE.format(port=free_port()), encoding="utf-8")
    settings = {"DATA": tmp_path, "BROKER": broker.url, "SITE": tmp_path / "site.yaml", "AGENT": "edge-1"}
    for name, value in settings.items():
        monkeypatch.setenv(f"METERHOUSE_{name}", str(value))
    server, agent = Server(broker.port, answers="always"), build(read_settings(EdgeSettings))
    agent.start()
    try:
        until(lambda: agent.status().figures["alarm_bus_silent"] == 1)
        assert agent.status().buses == {"line": "down"}
        assert agent.status().figures["alarm_points_unread"] == 0
    finally:
        agent.stop()
        server.stop()
