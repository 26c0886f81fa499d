"""A site whose real processes live by a clock that the test turns: a machine room with a water meter, and a server.

What the meter counts comes by the edge agent's recordings, as from a bus that was read all the time. Days pass in a
moment: the clock is turned, the agent plays what the meter counted meanwhile, and analytics looks at each hour of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx

from console.guard import csrf_token
from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.order import Skill
from facility.rights import Role
from rigs.fault_rig import WrongClock
from rigs.patience import PATIENCE_S, until
from rigs.servers import free_port
from stores.readings.sqlite.store import SqliteStore
from stores.records.accounts.grants import Grant, Grants
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.letters.contacts import Contacts
from stores.records.letters.letter import Contact
from stores.records.people import People
from stores.records.registry import Registry
from stores.records.roster.roster import Roster
from stores.records.roster.worker import Rank, Worker, WorkShift
from stores.records.status.board import StatusBoard
from stores.records.status.watched import Watches

POINT = "water/water_volume/total"
QUARTER = timedelta(minutes=15)
SITE = """\
version: 1
site:
  id: town
  name: Town
  timezone: UTC
  currency: EUR
  prices: [{utility: water, per_unit: 4.0, valid_from: 2020-01-01}]
buildings: [{id: hall, name: Hall, hours: {mon-sun: "06:00-22:00"}}]
agents: [{id: edge-1, buses: [{id: line, url: "modbus+tcp://127.0.0.1:1"}]}]
meters:
  - {id: water, name: Water main, building: hall, profile: generic/pulse-water, agent: edge-1, bus: line, unit: 1,
     utility: water, role: head}
"""


class ShiftedSite:
    """Context manager; ``now`` is the site's time, and ``used`` what the meter counts in a quarter that begins then."""

    def __init__(self, folder, broker, mail, now, begun, used):
        self.data, self.used, self.played, self._volume, self._files = folder / "data", used, begun, 100.0, 0
        self._rows = 0
        self.edge = folder / "edge"
        for one in (self.data, self.edge, self.edge / "recordings"):
            one.mkdir(mode=0o700)
        self.clock = WrongClock(folder, 0)
        self.turn_to(now)
        self.port, self._children = free_port(), {}
        (self.edge / "site.yaml").write_text(SITE, encoding="utf-8")
        self.records = open_records(f"sqlite:///{self.data}/records.db")
        Registry(self.records).apply(load_site(SITE, "site.yaml", load_profiles()), by="test", at=begun)
        stores = {
            "METERHOUSE_DATA": str(self.data),
            "METERHOUSE_STORE": f"sqlite://{self.data}/readings.db",
            "METERHOUSE_RECORDS": f"sqlite:///{self.data}/records.db",
        }
        self._env = {
            "ingest": {**stores, "METERHOUSE_BROKER": broker.url_for("ingest")},
            "edge_agent": {
                "METERHOUSE_DATA": str(self.edge),
                "METERHOUSE_BROKER": broker.url_for("edge-1"),
                "METERHOUSE_SITE": str(self.edge / "site.yaml"),
                "METERHOUSE_AGENT": "edge-1",
                "METERHOUSE_REPLAY": str(self.edge / "recordings"),
                "METERHOUSE_BACKLOG_RATE": "0",
                "METERHOUSE_BACKLOG_DELAY_S": "0",
                "METERHOUSE_BALLAST_MIB": "1",
            },
            "analytics": {
                **stores,
                "METERHOUSE_NOTIFY": f"mail={mail.url}",
                "METERHOUSE_CONSOLE_URL": self.address,
                "METERHOUSE_TICK_S": "0.5",
            },
            "console": {
                **stores,
                "METERHOUSE_LISTEN": f"127.0.0.1:{self.port}",
                "METERHOUSE_SECOND_FACTOR": "nobody",
            },
        }

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def now(self):
        return datetime.now(UTC) + timedelta(seconds=self._off_s)

    def turn_to(self, now):
        """The clocks of all processes are turned, also of those that run."""
        self._off_s = round((now - datetime.now(UTC)).total_seconds())
        self.clock.set(self._off_s)

    def start(self, name):
        with self._log(name).open("ab") as log:
            env = os.environ | self.clock.env | self._env[name]
            self._children[name] = subprocess.Popen([sys.executable, "-m", name], env=env, stdout=log, stderr=log)

    def stop(self, name):
        if child := self._children.pop(name, None):
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def log(self, name):
        return self._log(name).read_text(encoding="utf-8", errors="replace")[-3000:]

    def _log(self, name):
        return self.data.parent / f"{name}.log"

    def __enter__(self):
        for name in ("ingest", "edge_agent", "console"):
            self.start(name)
        until(self._answers, says=lambda: self.log("console"))
        return self

    def __exit__(self, *_):
        for name in list(self._children):
            self.stop(name)
        self.records.dispose()

    def _answers(self):
        try:
            return httpx.get(f"{self.address}/health", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def play(self, end):
        """The agent reads what the meter counted until then, and all of it is stored."""
        t_ms, x, at = [], [], self.played
        while at < end:
            self._volume += self.used(at)
            at += QUARTER
            t_ms.append(round(at.timestamp() * 1000))
            x.append(round(self._volume, 3))
        self.played, self._files = at, self._files + 1
        lines = [json.dumps({"points": [POINT], "rows": len(x)})]
        lines += [
            json.dumps({"p": [0] * len(x[k : k + 1000]), "t": t_ms[k : k + 1000], "x": x[k : k + 1000]})
            for k in range(0, len(x), 1000)
        ]
        new = self.edge / "recordings" / f"{self._files:02}.new"
        new.write_text("\n".join(lines) + "\n")
        new.rename(new.with_suffix(".readings"))
        self._rows += len(x)
        until(lambda: self._is_played(t_ms[-1]), says=lambda: self.log("ingest") + self.log("edge_agent"), pause_s=0.1)

    def _is_played(self, last_ms):
        """It is stored, and the agent has told so: until then analytics waits for what may still change hours."""
        figures = next((one.figures for one in StatusBoard(self.records).overview().agents), {})
        is_told = not figures.get("history_open", 1.0) and figures.get("history_stored") == self._rows
        return is_told and self._newest_ms() == last_ms

    def _newest_ms(self):
        store = SqliteStore(self.data / "readings.db")
        try:
            return max((one.t_ms for one in store.latest().values()), default=0)
        finally:
            store.close()

    def look_through(self, hour):
        """Analytics runs, and has looked at every hour until then."""
        if "analytics" not in self._children:
            self.start("analytics")
        until(lambda: self._through() == hour, says=lambda: f"{self._through()} {self.log('analytics')}", pause_s=0.2)

    def _through(self):
        watched = Watches(self.records).watched("town")
        return watched.through if watched else None

    def case(self, detector):
        found = [one for one in Casebook(self.records).alerts() if one.detector == detector]
        return found[0] if found else None

    def person(self, name, rank=Rank.WORKER):
        """Somebody of the roster, who is on shift for the day that begins now, and has mail."""
        at = self.now
        People(self.records).invite(name, at)
        Grants(self.records).give(name, Grant(Role.FACILITIES), "test", at)
        Contacts(self.records).add(Contact(name, "mail", f"{name}@example.org"), "test", at)
        roster = Roster(self.records)
        roster.put(Worker(name, frozenset({Skill.WATER}), rank=rank), "test", at)
        roster.plan([WorkShift(name, at - timedelta(hours=1), at + timedelta(hours=12))], [], "test", at)

    @contextmanager
    def browser(self, name=""):
        """A browser in which somebody is signed in, by a link as any other; nobody where no name is said."""
        with httpx.Client(base_url=self.address, trust_env=False, timeout=PATIENCE_S, follow_redirects=True) as client:
            if name:
                token = People(self.records).invite(name, self.now)
                assert client.post("/sign-in", data={"token": token}).status_code == 200
            yield client


def ask(client, path, **body):
    """A program's act in the name of who is signed in."""
    headers = {"x-csrf-token": csrf_token(client.cookies["meterhouse_session"])}
    answer = client.post(path, json=body, headers=headers)
    assert answer.status_code < 300, answer.text
    return answer.json()
