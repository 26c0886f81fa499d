"""Starts a whole estate on this machine: broker, simulated devices, edge agent, ingest, analytics and console."""

from __future__ import annotations

import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from demo.estate import AGENT, Addresses, shipped_site, write_site
from demo.history import write_history
from demo.shift import open_shift
from demo.world import World
from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.errors import ConfigError, StoreUnavailable, Unavailable
from facility.protocols.json_values import JsonPoint
from facility.status import LONGEST_STILL_S, AgentStatus
from ingest.confirmed import noted_store
from meterhouse.control import Control
from meterhouse.demo.folder import hold
from meterhouse.demo.progress import NOTHING_DONE, ProgressBars, read_state
from meterhouse.demo.report import Report, compare_alerts, conservation
from meterhouse.demo.roster import COURIER, order_open_cases, put_roster
from meterhouse.servers.broker import start_broker
from meterhouse.servers.broker_files import demo_identities
from meterhouse.servers.influxd import OWN_INFLUX, start_influxd
from meterhouse.settings import Settings
from meterhouse.store_setup import prepare_store
from meterhouse.supervisor import Supervisor, pss_mib
from process.pulse import pulse_file
from stores.readings import open_readings, place_of
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard
from stores.records.status.watched import Watches
from stores.site_file import read_site

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from sqlalchemy import Engine

    from demo.shift import Shift
    from meterhouse.demo.report import Conservation
    from meterhouse.servers.broker import Broker

LIVE_MINUTE_S = 60.0
DRAIN_TIMEOUT_S = 60.0
STALLED_S = 180.0


@dataclass
class Demo:
    """One demo in one folder. ``start`` brings everything up; ``stop`` ends what was started, in order."""

    folder: Path
    listen: str
    store: str = ""
    begun: float = field(default_factory=time.monotonic)

    def prepare(self, as_of: date | None, *, fresh: bool = False) -> None:
        """Hold the folder, choose the day that is shown, start the broker, apply the estate, write its history."""
        self._held = hold(self.folder, fresh=fresh)
        check_port(self.listen)
        now = datetime.now(UTC)
        self.shift: Shift = open_shift(self.folder, now, as_of)
        self.supervisor = Supervisor(self.folder / "logs")
        self.records: Engine = open_records(Settings(data=self.folder).records_url)
        self.board = StatusBoard(self.records)
        self.settings = Settings(data=self.folder, store=self._start_store())
        self._check_store()
        self.broker: Broker = start_broker(self.folder / "broker", demo_identities(AGENT, device_topics()))
        self.supervisor.also.append(self.broker.bound_log)
        self._write_estate(now)

    def _start_store(self) -> str:
        if self.store != OWN_INFLUX:
            return self.store
        return start_influxd(self.folder / "influxd", self.supervisor, self.board)

    def _check_store(self) -> None:
        """Raise ``ConfigError`` where an earlier start has stored elsewhere: the two would never add up."""
        noted, place = noted_store(self.folder).store, place_of(self.settings.store_url)
        is_own = self.store == OWN_INFLUX and not noted.startswith("/")  # our own server has another port each time
        if noted and noted != place and not is_own:
            raise ConfigError(
                f"the demo in {self.folder} was begun on {noted}, and not on {place}: go on there, bring it over with"
                " 'meterhouse store migrate', or begin anew with --fresh"
            )

    def _write_estate(self, now: datetime) -> None:
        gateway, line = free_port(), free_port()
        addresses = Addresses.on_this_machine(
            self.folder, gateway_port=gateway, line_port=line, broker=self.broker.url_for(f"{AGENT}-devices")
        )
        self.site = write_site(self.folder, self.shift, addresses)
        profiles = load_profiles()
        estate = read_site(self.site, profiles)
        Registry(self.records).apply(estate, by="demo", at=now, accept=True)
        put_roster(self.records, estate.site.timezone, now)
        self._begin_anew(estate.site.id)
        prepare_store(self.settings.store_url, estate.site.id, round(now.timestamp() * 1000))
        write_history(
            self.folder / "history",
            World(self.shift, estate, profiles),
            round(now.timestamp() * 1000),
            lived_until_ms=newest_ms(self.settings.store_url),
        )

    def _begin_anew(self, site: str) -> None:
        """What an earlier start has told holds no more; analytics looks through everything, once history is in."""
        self.board.forget_all()
        self.board.expect([AgentStatus(AGENT, "expected", 0.0, {"history_open": 1.0})])
        Watches(self.records).forget(site)

    def start(self) -> None:
        """Start every process; each writes its log into the folder."""
        for name, env in self._environments().items():
            pulse = pulse_file(self.folder, name) if name in PULSING else None
            self.supervisor.start(
                name, [sys.executable, "-m", PROCESSES[name]], env, pulse, stalled_s=PULSING.get(name, 0.0)
            )

    def _environments(self) -> Mapping[str, Mapping[str, str]]:
        stores = {
            "METERHOUSE_STORE": self.settings.store_url,
            "METERHOUSE_RECORDS": self.settings.records_url,
            "METERHOUSE_LEAVE_STORED": "yes",  # we have looked ourselves
        }
        mailbox = self.folder / "mailbox"
        edge = {
            "METERHOUSE_BROKER": self.broker.url_for(AGENT),
            "METERHOUSE_SITE": str(self.site),
            "METERHOUSE_AGENT": AGENT,
            "METERHOUSE_REPLAY": str(self.folder / "history"),
            "METERHOUSE_BACKLOG_RATE": "0",  # one agent, one machine: nobody else waits
            "METERHOUSE_BACKLOG_DELAY_S": "0",
        }
        own: dict[str, dict[str, str]] = {
            "devices": {"METERHOUSE_DEVICES_BROKER": self.broker.url_for("devices")},
            "ingest": {**stores, "METERHOUSE_BROKER": self.broker.url_for("ingest")},
            "edge": edge,
            "analytics": {
                **stores,
                "METERHOUSE_BROKER": self.broker.url_for("analytics"),
                "METERHOUSE_NOTIFY": f"{COURIER}={mailbox.as_uri().replace('file:', 'folder:')}",
                "METERHOUSE_CONSOLE_URL": f"http://{self.listen}",
            },
            "console": {
                **stores,
                "METERHOUSE_LISTEN": self.listen,
                "METERHOUSE_MAILBOX": str(mailbox),
                "METERHOUSE_IDLE_MINUTES": "720",
                "METERHOUSE_SECOND_FACTOR": "nobody",
            },
        }
        shared = {"METERHOUSE_DATA": str(self.folder)}
        return {name: {**shared, **env} for name, env in own.items()}

    def wait_until_ready(self) -> float:
        """Wait until history is stored, rollups and alerts stand and live readings have come for a minute.

        Returns the seconds since the command began. Raises ``ConfigError`` when a process gives up,
        ``Unavailable`` when nothing moves any more.
        """
        live_since, before, moved_at, state = None, None, time.monotonic(), NOTHING_DONE
        with ProgressBars() as bars:
            while True:
                self.supervisor.watch(0.5)
                with suppress(StoreUnavailable):  # for as long as it cannot be seen, nothing has moved
                    state = read_state(self.board)
                bars.show(state, 0.0 if live_since is None else (time.monotonic() - live_since) / LIVE_MINUTE_S)
                moved = (state.history, state.analysis, state.phase, state.live_samples > 0)
                if moved != before or state.is_analysed:
                    before, moved_at = moved, time.monotonic()
                elif time.monotonic() - moved_at > STALLED_S:
                    raise Unavailable(f"the demo has not moved for {STALLED_S:.0f} s; see {self.folder / 'logs'}")
                if live_since is None and state.live_samples:
                    live_since = time.monotonic()
                lived = live_since is not None and time.monotonic() - live_since >= LIVE_MINUTE_S
                if state.is_analysed and lived:
                    return time.monotonic() - self.begun

    def send_people(self) -> int:
        """Order somebody for each case that was open before anybody was on the roster; how many."""
        return order_open_cases(self.records, datetime.now(UTC))

    def report(self, seconds_to_ready: float) -> Report:
        """Pause polling, let the queues drain, then count everything."""
        memory = pss_mib([*self.supervisor.pids().values(), self.broker.process.pid])
        latency = read_state(self.board).live_latency_p95_s
        outbox = self.folder / "outbox.db"
        with Control(self.broker.url_for("operator"), AGENT) as control:
            control.send("pause")
            counted = self._drained(outbox)
            control.send("resume")
        found, alerts = compare_alerts(self.records, self.shift, datetime.now(UTC))
        return Report(
            counted.produced,
            counted.stored,
            counted.quarantined,
            counted.sum_error,
            round(seconds_to_ready, 1),
            round(memory, 1),
            latency,
            found,
            alerts,
        )

    def _drained(self, outbox: Path) -> Conservation:
        """The counts once nothing moves any more: two equal counts a second apart with everything accounted for."""
        until = time.monotonic() + DRAIN_TIMEOUT_S
        before = None
        while True:
            self.supervisor.watch(1.0)
            counted = conservation(outbox, self.settings.store_url, self.records)
            balanced = counted.produced == counted.stored + counted.quarantined
            if (counted == before and balanced) or time.monotonic() > until:
                return counted
            before = counted

    def stop(self) -> None:
        """End every process, the broker last, and let another demo have the folder."""
        if hasattr(self, "supervisor"):
            self.supervisor.stop()
        if hasattr(self, "broker"):
            self.broker.stop()
        if hasattr(self, "_held"):
            self._held.release()


PROCESSES = {
    "devices": "demo.devices",
    "ingest": "ingest",
    "edge": "edge_agent",
    "analytics": "analytics",
    "console": "console",
}
"""Module of every process, in the order in which they start."""

PULSING = {"edge": 20.0, **{str(process): still_s for process, still_s in LONGEST_STILL_S.items()}}
"""Processes that touch ``NAME.pulse`` while they make progress, and how long each may stand still.

Analytics beats between its rounds, and a round that fits models over a year is long.
"""


def device_topics() -> list[str]:
    """Topics on which the estate's radio devices speak."""
    profiles = load_profiles()
    estate = load_site(shipped_site(), "demo/site.yaml", profiles)
    said = ((meter, place) for meter in estate.meters for place in profiles[meter.profile].points)
    return sorted({t for meter, place in said if isinstance(place, JsonPoint) for t in place.topics_of(meter.unit)})


def newest_ms(store_url: str) -> int:
    """When the newest stored reading was taken: an earlier start has lived until then."""
    store = open_readings(store_url)
    newest = max((latest.t_ms for latest in store.latest().values()), default=0)
    store.close()
    return newest


def check_port(listen: str) -> None:
    """Raise ``ConfigError`` if somebody already listens there."""
    host, _, port = listen.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            raise ConfigError(
                f"{listen} cannot be used for the console ({error.strerror}); choose another --port"
            ) from None


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
