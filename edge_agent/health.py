"""How an agent fares, for whoever stands beside it: its records are on a server that may be gone."""

from __future__ import annotations

import os
import socket
from dataclasses import asdict
from typing import TYPE_CHECKING

from edge_agent.life import LONGEST_STILL_S
from facility.status import AGENT, SERVER_UNHEARD_S, STILL, AgentStatus, Instance, Overview, ProcessSeen, ProcessStatus
from facility.system_alarm import SystemAlarm
from process.health import STATE, WELL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from edge_agent.agent import EdgeAgent


class AgentHealth:
    """Answers ``/health``; any thread may ask."""

    def __init__(self, agent: EdgeAgent, folder: Path, monotonic: Callable[[], float]) -> None:
        self._agent, self._monotonic, self._begun_s = agent, monotonic, monotonic()
        self._instance = Instance(AGENT, socket.gethostname(), str(folder.absolute()), os.getpid())

    def __call__(self) -> Mapping[str, object]:
        """As a server's processes answer: a server that is gone is an alarm, and no reason to start the agent again."""
        state = WELL if self._agent.still_s() < LONGEST_STILL_S else STILL
        return {
            "process": AGENT,
            STATE: state,
            "overview": asdict(Overview([self._process(state)], [self._agent_status()])),
        }

    def _process(self, state: str) -> ProcessSeen:
        server = self._agent.server
        alarms: dict[str, str] = {}
        if server.is_gone:
            alarms[SystemAlarm.SERVER_GONE] = f"{server.unheard_s / 60:.0f} min"
        status = ProcessStatus(
            "running" if state == WELL else state, alarms, {SERVER_UNHEARD_S: round(server.unheard_s)}
        )
        return ProcessSeen(self._instance, status, up_s=self._monotonic() - self._begun_s)

    def _agent_status(self) -> AgentStatus:
        said, is_up = self._agent.status(), self._agent.publisher.link.is_up
        figures = {name: float(figure) for name, figure in said.figures.items()}
        return AgentStatus(said.dev, "online" if is_up else "offline", 0.0, figures, said.buses)
