"""An estate of so many points watched by the real processes for some minutes across an hour's edge.

``python -m bench.stack --points 2000 --minutes 10 --store sqlite`` (or ``influx``: an influxd of its own). It writes
432 days of hours and two days of readings through the store's port, starts broker, ingest, edge agents, console and
analytics over simulated Modbus gateways and radio sensors, floods a room now and then, leaves doors open, has an agent
speak nonsense, and tells what it took: processor seconds are the operating system's, and beside every latency stands
the load of the machine.

``--at-once`` is for alarms alone: it writes a history of two days, and waits neither for the hour's edge nor until
analytics has caught up. ``--analytics rigs.slow_analytics`` runs a module of ``tests/`` in place of analytics: there a
rollup pass takes ``SLOW_ROLLUPS_S`` seconds longer. ``--through up`` starts the server as a site does, by
``init``, ``up`` and a join file for each agent, with Mosquitto by TLS; what was measured so is kept by itself.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.proc import cpu_s, load, pss_mib
from bench.stack.estate import ROLLUP_DAYS, plan, site_text
from bench.stack.field import RADIO, Field, identities
from bench.stack.history import DOORS, HALF_HOUR_MS, History, now_ms
from bench.stack.processes import Stack, Stretch
from bench.stack.server import WAYS
from bench.stack.table import RESULTS, keep, misses, table
from bench.stack.viewers import Looking, Viewers
from bench.stack.watch import AlarmWatch, RollupWatch, quantiles
from facility.broker_address import password_variable
from facility.status import ServerProcess
from meterhouse.servers.broker import start_broker
from meterhouse.servers.influxd import start_influxd
from meterhouse.store_setup import prepare_store
from meterhouse.supervisor import Supervisor
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard

if TYPE_CHECKING:
    from facility.status import ProcessSeen

ALARM_AFTER_START_S = 10.0
DAYS_AT_ONCE = 2
LEAKS, LEAKS_AT_ONCE = 20, 16
"""Twenty sensors of one agent within a minute are a storm, and one case."""

FEW_STREAMS, MANY_STREAMS = 20, 200


@dataclass
class Run:
    """One measurement in one folder."""

    folder: Path
    points: int
    minutes: float
    store: str
    at_once: bool
    analytics: str
    zone: str = "UTC"
    history_only: bool = False
    through: str = "hand"
    figures: dict[str, Any] = field(default_factory=dict)

    def measure(self, leave: ExitStack) -> dict[str, Any]:
        """The whole run; ``leave`` ends what was started."""
        self._prepare(leave)
        if self.history_only:
            return {}
        self._start(leave)
        self._start_analytics("start", cold=True)
        begin_ms = max(self.begin_ms, now_ms())
        for n in range(DOORS):
            self.alarms.expect(f"d{n}", max(begin_ms, self.plan.raised_ms[f"d{n}"] + HALF_HOUR_MS))
        while begin_ms > now_ms():
            self.alarms.look()
            time.sleep(0.2)
        self._watch(leave, begin_ms)
        self._start_analytics("restart", cold=False)
        return self.figures

    def _prepare(self, leave: ExitStack) -> None:
        """The estate in the registry, its history in the store."""
        self.plan = plan(self.points, DAYS_AT_ONCE if self.at_once else ROLLUP_DAYS, self.zone)
        self.broker = leave.enter_context(start_broker(self.folder / "broker", identities(self.plan)))
        self.field = Field(self.plan, self.broker)
        leave.callback(self.field.stop)
        supervisor = leave.enter_context(Supervisor(self.folder))
        url = start_influxd(self.folder / "influxd", supervisor) if self.store == "influx" else ""
        self.stack = leave.enter_context(Stack(self.folder, {}))
        self.stack.foreign = supervisor.pids()
        self.server = WAYS[self.through](self.folder, self.broker, url, self.analytics)
        self.figures |= self.server.make(self.stack)
        self.stores = self.server.stores
        site = self.server.data / "site.yaml"
        site.write_text(site_text(self.plan, self.field.bus_urls), encoding="utf-8")
        self.history = History(self.folder, self.plan, self.store, self.minutes)
        applied = self._apply(site)
        self.figures["site_apply_cpu_s"] = self.history.kept.setdefault("site_apply_cpu_s", applied)
        self.records = open_records(self.stores["METERHOUSE_RECORDS"])
        self.estate = Registry(self.records).load()
        prepare_store(self.stores["METERHOUSE_STORE"], self.estate.site.id, now_ms())
        self.readings = open_readings(self.stores["METERHOUSE_STORE"], Registry(self.records))
        if not self.history_only:
            self.begin_ms = self.history.begin_ms(at_once=self.at_once)
            self.history.open_doors(self.begin_ms)
        self.history.write(self.readings, self.estate)
        self.alarms = AlarmWatch(self.records)

    def _apply(self, site: Path) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "meterhouse", "site", "apply", str(site)]
        env = os.environ | self.stores | {"METERHOUSE_DATA": str(self.server.data)}
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2)

    def _start(self, leave: ExitStack) -> None:
        """Everything but analytics, until readings arrive."""
        self.field.start()
        self.figures |= self.server.start()
        for agent in self.plan.agents:
            self._start_agent(agent)
        self.viewers = Viewers(self.records, self.server.port, self.server.ca)
        self.stack.await_("readings", lambda: self._stored() > 0, 120)
        self.viewers.start()
        leave.callback(self.viewers.stop)

    def _start_agent(self, agent: str) -> None:
        """What its start costs: processor seconds until it greets the broker."""
        radio = {password_variable(RADIO): self.broker.words[f"{agent}-devices"]}
        pid = self.server.start_agent(agent, self.estate, radio)
        self.stack.await_(agent, lambda: b"state=up" in self.stack.log(agent).read_bytes(), 120)
        spent = self.figures.get("edge_start_cpu_s", 0.0)
        self.figures["edge_start_cpu_s"] = max(spent, round(cpu_s(pid), 2))
        self.figures["edge_start_mib"] = max(self.figures.get("edge_start_mib", 0.0), round(pss_mib(pid), 1))

    def _start_analytics(self, name: str, *, cold: bool) -> None:
        """Until it lives; and a leak ten seconds after its start."""
        pid, begun = self.server.start_analytics()
        time.sleep(ALARM_AFTER_START_S)
        sensor = "l99" if cold else "l98"
        self.alarms.expect(sensor, self.field.raise_now(sensor))
        if not self.at_once:
            longest_s = 120 + self.points / 5
            self.stack.await_(f"analytics' {name}", lambda: self.alarms.look() or self._is_live(begun), longest_s)
            self.figures[f"{name}_cpu_s"] = round(cpu_s(pid), 1)
            self.figures[f"{name}_s"] = round((now_ms() - begun) / 1000, 1)
            self.stack.await_("models", lambda: self.alarms.look() or self._has_learned(), longest_s)
            self.figures[f"{name}_learned_cpu_s"] = round(cpu_s(pid), 1)
            self.figures[f"{name}_learned_s"] = round((now_ms() - begun) / 1000, 1)
        self.stack.await_("the leak after that", lambda: self.alarms.look() or sensor in self.alarms.seen, 60)
        self.figures[f"{name}_leak_alert_s"] = self.alarms.seen.get(sensor, math.inf)
        self.figures[f"{name}_load"] = load()

    def _watch(self, leave: ExitStack, begin_ms: int) -> None:
        """The minutes that are measured: with few streams first, then with many."""
        rollups = RollupWatch(self.readings, self.estate)
        end_ms = begin_ms + round(self.minutes * 60_000)
        dues = np.linspace(0.05, 0.85, LEAKS_AT_ONCE if self.at_once else LEAKS) * self.minutes * 60_000 + begin_ms
        leaks = [(f"l{n}", due_ms) for n, due_ms in enumerate(dues)]
        self.viewers.pages_s.clear()
        stored = self._stored()
        stretch = Stretch(self.stack)
        leave.callback(stretch.end)
        console = self._hold(FEW_STREAMS)
        half_ms = (begin_ms + end_ms) // 2
        while (now := now_ms()) < end_ms:
            self.stack.check()
            while leaks and leaks[0][1] <= now:
                sensor = leaks.pop(0)[0]
                self.alarms.expect(sensor, self.field.raise_now(sensor))
            if now >= half_ms and console.streams == FEW_STREAMS:
                self.figures |= console.figures()
                console = self._hold(MANY_STREAMS)
            self.alarms.look()
            rollups.look()
            time.sleep(0.2)
        self.figures |= console.figures()
        self._sum_up(stretch, rollups, stored)

    def _hold(self, streams: int) -> Looking:
        self.viewers.hold(streams)
        return Looking(streams, self.viewers, self.stack)

    def _sum_up(self, stretch: Stretch, rollups: RollupWatch, stored: float) -> None:
        stored, written = self._stored() - stored, stretch.written()
        cpu, fsyncs = stretch.cpu_a_minute(), stretch.fsyncs_a_minute()
        stretch.end()
        self.alarms.look()
        late_s = self.alarms.latencies(now_ms())
        self.figures |= {
            "minutes": self.minutes,
            "readings_a_minute": round(stored / self.minutes),
            "cpu_s_a_minute": cpu,
            "fsyncs_a_minute": fsyncs,
            "cpu_s_a_minute_together": round(sum(cpu[name] for name in self.stack.whole), 2),
            "memory_mib_together": round(stretch.most_together_mib, 1),
            "memory_mib": {name: round(mib, 1) for name, mib in stretch.most_mib.items()},
            "alarms": len(late_s),
            "alarms_seen": len(self.alarms.seen),
            **quantiles("alarm", late_s),
            **quantiles("rollup_lag", rollups.lags(now_ms())),
            **quantiles("now_page", self.viewers.pages_s),
            "now_page_kb": round(self.viewers.page_bytes / 1000, 1),
            "written_bytes_a_reading": round(written["ingest"] / stored) if stored and "ingest" in written else None,
            "written_mb_a_minute": {name: round(n / 1e6 / self.minutes, 2) for name, n in written.items()},
            "load_mean": round(float(np.mean(stretch.loads)), 1),
            "load_max": max(stretch.loads),
        }

    def _stored(self) -> float:
        return sum(one.status.figures.get("stored", 0.0) for one in self._seen(ServerProcess.INGEST))

    def _is_live(self, since_ms: int) -> bool:
        return any(
            one.status.state == "live" and one.up_s <= (now_ms() - since_ms) / 1000 + 1
            for one in self._seen(ServerProcess.ANALYTICS)
        )

    def _has_learned(self) -> bool:
        """Whether every hour was looked through with models, and not by rules alone."""
        statuses = [one.status for one in self._seen(ServerProcess.ANALYTICS)]
        return any("through" in one.facts and one.figures.get("done") == 1 for one in statuses)

    def _seen(self, process: ServerProcess) -> list[ProcessSeen]:
        return StatusBoard(self.records).overview().of(process)


def main() -> int:
    """Print the table and keep the figures; 1 where an alarm came later than ``--within``."""
    parser = argparse.ArgumentParser(prog="python -m bench.stack")
    parser.add_argument("--points", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--store", choices=["sqlite", "influx"], default="sqlite")
    parser.add_argument("--folder", type=Path, help="where everything lies, on a real disk; else a temporary folder")
    parser.add_argument(
        "--zone", default="UTC", help="whose hours end when they should: Asia/Kathmandu at a quarter past"
    )
    parser.add_argument("--history-only", action="store_true", help="write the history into --folder for a later run")
    parser.add_argument("--at-once", action="store_true", help="alarms alone, over little history")
    parser.add_argument("--analytics", default="analytics", help="module that is run as analytics")
    parser.add_argument("--through", choices=sorted(WAYS), default="hand", help="how the server is started")
    parser.add_argument("--within", type=float, default=5.0, help="seconds within which 95 %% of alarms must come")
    parser.add_argument("--results", type=Path, help="where the figures are kept (bench/results)")
    asked = parser.parse_args()
    with ExitStack() as leave:
        folder = asked.folder or Path(leave.enter_context(tempfile.TemporaryDirectory(prefix="stack-")))
        folder.mkdir(parents=True, exist_ok=True)
        run = Run(
            folder.absolute(), asked.points, asked.minutes, asked.store, asked.at_once, asked.analytics, asked.zone,
            asked.history_only, asked.through,
        )  # fmt: skip
        figures = run.measure(leave)
    if asked.history_only:
        return 0
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "at": f"{datetime.now(UTC):%Y-%m-%d}"}
    keep(
        asked.results or RESULTS[asked.through],
        asked.store,
        asked.points,
        machine | figures,
    )
    print(table(figures))
    print("\n".join(misses(figures)), file=sys.stderr)
    if figures["alarm_p95_s"] > asked.within:
        print(f"alarms: p95 is {figures['alarm_p95_s']} s, it must be within {asked.within} s", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
