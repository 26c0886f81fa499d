"""Runs a server: broker and processes under one supervisor, which looks at what they get done, not at their word."""

from __future__ import annotations

import socket
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from facility.broker_address import broker_address
from facility.errors import ConfigError, MeterhouseError, Problem, Unavailable
from facility.host import is_loopback
from facility.status import LONGEST_STILL_S, ServerProcess
from meterhouse.backup.settings import BackupSettings
from meterhouse.servers.broker import find_mosquitto, greets, start_broker
from meterhouse.servers.broker_files import PROBE
from meterhouse.supervisor import Supervisor
from meterhouse.up import mosquitto
from meterhouse.up.broker_watch import NAME as BROKER
from meterhouse.up.broker_watch import BrokerWatch
from meterhouse.up.folder import hold
from meterhouse.up.nightly import NightlyBackup
from meterhouse.up.prepare import broker_url, environments, prepare, renew
from process.pulse import pulse_file
from process.settings import read_settings

if TYPE_CHECKING:
    from meterhouse.up.prepare import ServerFolder
    from meterhouse.up.settings import Address, UpSettings

START_TIMEOUT_S = 180.0
RENEW_EVERY_S = 6 * 3600.0

NO_BROKER = (
    "no MQTT broker: install mosquitto (apt install mosquitto), name another by METERHOUSE_BROKER,"
    " or try Meterhouse out on this machine alone with --trial"
)
NO_PHONE = {"METERHOUSE_SECOND_FACTOR": "nobody"}
"""Who tries Meterhouse out signs in by a link alone, unless the settings say otherwise."""

ALONE = "a trial's broker knows neither rights nor TLS: it listens to this machine alone (METERHOUSE_BROKER_LISTEN)"

log = structlog.get_logger()


@dataclass
class RunningServer:
    """One server in one folder. ``start`` brings everything up; ``stop`` ends it in order."""

    folder: ServerFolder
    settings: UpSettings
    trial: bool = False
    begun: float = field(default_factory=time.time)

    def start(self) -> None:
        """Hold the folder, check, prepare, start. Raises ``ConfigError`` before anything is changed where it can be."""
        self._held = hold(self.folder.path, self.begun)
        check_free(self.settings.console, "METERHOUSE_LISTEN")
        program = self._program()
        prepare(self.folder, self.settings, datetime.now(UTC))
        self._nightly = NightlyBackup(self.folder.path, read_settings(BackupSettings, data=self.folder.path))
        self.supervisor = Supervisor(self.folder.path / "logs", tied=True)
        self._renew_at = time.monotonic() + RENEW_EVERY_S
        self.supervisor.also.append(self._renew)
        given = self._start_embedded() if self.trial and not (program or self.settings.broker) else {}
        if program:
            self._start_mosquitto(program)
        for name, environment in environments(self.folder, self.settings).items():
            trial = NO_PHONE if self.trial and name == ServerProcess.CONSOLE else {}
            self._start_process(name, {**trial, **environment, **given.get(name, {})})
        self.supervisor.also.append(self._nightly.look)

    def wait_until_ready(self) -> None:
        """Return once the broker greets and the console answers. Raises ``ConfigError`` or ``Unavailable``."""
        until = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if time.monotonic() > until:
                raise Unavailable(f"the console does not answer; see {self.folder.path / 'logs'}")
            self.supervisor.watch(0.3)

    def stop(self) -> None:
        """End every process, the broker last. Safe to call twice."""
        if hasattr(self, "supervisor"):
            self._nightly.stop()
            self.supervisor.stop()
        if hasattr(self, "_embedded"):
            self._embedded.stop()
        if hasattr(self, "_held"):
            self._held.release()

    def _program(self) -> str | None:
        """Which Mosquitto to start; none where a broker is named, or the embedded one is good enough."""
        if self.settings.broker:
            return None
        if program := find_mosquitto():
            check_free(self.settings.broker_place, "METERHOUSE_BROKER_LISTEN")
            return program
        if not self.trial:
            raise ConfigError(NO_BROKER)
        if not is_loopback(self.settings.broker_place[0]):
            raise ConfigError(ALONE)
        return None

    def _start_mosquitto(self, program: str) -> None:
        address = broker_address(broker_url(self.folder, self.settings, PROBE))
        self.supervisor.start(BROKER, [program, "-c", mosquitto.CONFIGURATION], place=self.folder.broker)
        until = time.monotonic() + START_TIMEOUT_S
        while not greets(address):
            if time.monotonic() > until:
                raise Unavailable(f"the broker does not greet; see {self.folder.path / 'logs' / 'broker.log'}")
            self.supervisor.watch(0.1, 0.05)
        self.supervisor.also.append(BrokerWatch(self.folder.broker, address, self.supervisor).look)

    def _start_embedded(self) -> dict[str, dict[str, str]]:
        """A broker that forgets, for a trial; who is told what about it."""
        self._embedded = start_broker(self.folder.path / "trial-broker", mosquitto.SERVERS, kind="iotcore")
        return {
            name: {"METERHOUSE_BROKER": self._embedded.url_for(name), "METERHOUSE_BROKER_RIGHTS": "trusted"}
            for name in (ServerProcess.INGEST, ServerProcess.ANALYTICS)
        }

    def _start_process(self, name: str, environment: dict[str, str]) -> None:
        pulse = pulse_file(self.folder.path, name)
        pulse.unlink(missing_ok=True)  # that of an earlier run says nothing
        command = [sys.executable, "-m", "meterhouse", name]
        self.supervisor.start(name, command, environment, pulse, stalled_s=LONGEST_STILL_S[ServerProcess(name)])

    def _answers(self) -> bool:
        """The console's loop comes round, and its port is open."""
        return pulse_file(self.folder.path, ServerProcess.CONSOLE).exists()

    def _renew(self) -> None:
        """Now and then, whether certificates end soon; broker and console read new ones by themselves."""
        if time.monotonic() < self._renew_at:
            return
        self._renew_at = time.monotonic() + RENEW_EVERY_S
        try:
            if renew(self.folder, self.settings, "Meterhouse", datetime.now(UTC)):
                log.info("certificate_renewed")
        except MeterhouseError as error:  # everything else goes on, and the next round tries again
            log.warning("certificate_not_renewed", error=str(error))


def check_free(place: Address, where: str) -> None:
    """Raise ``ConfigError`` where somebody listens there already, or nobody may."""
    host, port = place
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(Problem(where, f"{host}:{port} cannot be listened on ({error.strerror})")) from None
