"""Looks after the broker of a server: whether it takes a password, and whether its files have changed."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from meterhouse.servers.broker import greets
from meterhouse.up import mosquitto

if TYPE_CHECKING:
    from pathlib import Path

    from facility.broker_address import BrokerAddress
    from meterhouse.supervisor import Supervisor

NAME = "broker"
LOOK_EVERY_S, DEAF_S = 5.0, 30.0
READ_AGAIN = (mosquitto.ACCOUNTS, mosquitto.RIGHTS, mosquitto.CERTIFICATE)
"""What Mosquitto reads anew when it is told to (mosquitto(8), SIGHUP)."""

log = structlog.get_logger()


@dataclass(slots=True)
class BrokerWatch:
    """One round at a time, as a supervisor makes them; a broker that greets nobody for half a minute is ended."""

    folder: Path
    probe: BrokerAddress
    supervisor: Supervisor
    greeted_s: float = 0.0
    _due_s: float = 0.0
    _seen: dict[str, float] = field(default_factory=dict)

    def look(self) -> None:
        """Tell it of changed files at once; ask it now and then whether it is well."""
        self._tell_of_changes()
        now_s = self.supervisor.clock()
        if now_s < self._due_s:
            return
        self._due_s = now_s + LOOK_EVERY_S
        if greets(self.probe) or not self.greeted_s:
            self.greeted_s = self.supervisor.clock()
        elif now_s - self.greeted_s >= DEAF_S:
            log.warning("broker_started_anew", reason="it greets nobody", seconds=round(now_s - self.greeted_s))
            self.greeted_s = 0.0
            self.supervisor.end(NAME)

    def _tell_of_changes(self) -> None:
        found = {name: (self.folder / name).stat().st_mtime for name in READ_AGAIN if (self.folder / name).exists()}
        changed = bool(self._seen) and found != self._seen
        self._seen = found
        pid = self.supervisor.pids().get(NAME)
        if changed and pid is not None:
            log.info("broker_reads_again")
            os.kill(pid, signal.SIGHUP)
