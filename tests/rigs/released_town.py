"""A data folder of an earlier release, as ``tests/upgrades/make_folder.py`` made it, and what is done with it."""

import json
import os
import signal
import subprocess
import sys
import tarfile
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from ingest.confirmed import note_moved, noted_store
from rigs.patience import PATIENCE_S, until
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.status.board import StatusBoard

ROOT = Path(__file__).parents[2]
HERE = ROOT / "tests" / "upgrades"
RELEASES = ("b1ae3ff", "f6097c3")
"""The oldest first; from the second on people have work orders, letters and plans."""
FAR_MS = 2**52


def unpacked(release, place):
    """The folder of a release; what it was told of its place is the new one."""
    with tarfile.open(HERE / f"{release}.tar.xz") as archive:
        archive.extractall(place, filter="data")
    status_file = place / "town" / "data" / "ingest.json"
    if status_file.exists():  # a move to another path is no upgrade: the readings would count as another store's
        tree = json.loads(status_file.read_text(encoding="utf-8"))
        tree["confirmed"]["store"] = str(place / "town" / "data" / "readings.db")
        status_file.write_text(json.dumps(tree), encoding="utf-8")
    elif before := noted_store(place / "town" / "data").store:
        now = str(place / "town" / "data" / "readings.db")
        note_moved(place / "town" / "data", before, now)
        records = sa.create_engine(f"sqlite:///{place / 'town' / 'data' / 'records.db'}")  # of whichever schema
        StatusBoard(records).note_moved(before, now)
        records.dispose()
    return Town(place / "town")


class Town:
    """The folder, what its maker knows of it, and the stores in it."""

    def __init__(self, home):
        self.home = home
        self.facts = json.loads((home / "facts.json").read_text(encoding="utf-8"))
        self.made_at = datetime.fromisoformat(self.facts["made_at"])
        data = home / "data"
        self.env = {
            "METERHOUSE_DATA": str(data),
            "METERHOUSE_STORE": f"sqlite://{data / 'readings.db'}",
            "METERHOUSE_RECORDS": f"sqlite:///{data / 'records.db'}",
        }
        self.edge_env = {
            "METERHOUSE_DATA": str(home / "edge"),
            "METERHOUSE_SITE": str(home / "edge" / "site.yaml"),
            "METERHOUSE_AGENT": "edge-1",
            "METERHOUSE_REPLAY": str(home / "edge" / "recordings"),
            "METERHOUSE_BACKLOG_DELAY_S": "0",
            "METERHOUSE_SILENCE_S": "1",
        }

    @contextmanager
    def records(self):
        engine = open_records(self.env["METERHOUSE_RECORDS"])
        try:
            yield engine
        finally:
            engine.dispose()

    def stored(self):
        """Point → [[time, value], …] of all that is stored."""
        with closing(open_readings(self.env["METERHOUSE_STORE"])) as store:
            found = store.read(list(self.facts["readings"]), 0, FAR_MS)
            return {
                point: [[t, x] for t, x in zip(s.t_ms.tolist(), s.x.tolist(), strict=True)]
                for point, s in found.items()
            }

    def command(self, *words):
        whole = [sys.executable, "-m", "meterhouse", *words]
        return subprocess.run(whole, env=self._whole(self.env), cwd=ROOT, capture_output=True, text=True, check=False)

    @contextmanager
    def process(self, module, env, broker):
        who = "edge-1" if module == "edge_agent" else module
        env = self._whole(env | {"METERHOUSE_BROKER": f"mqtt://{who}:any@127.0.0.1:{broker.port}"})
        with (self.home / f"{module}.log").open("ab") as log:
            child = subprocess.Popen([sys.executable, "-m", module], env=env, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield child
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(PATIENCE_S)
        assert child.returncode == 0, self.log(module)

    def log(self, module):
        return (self.home / f"{module}.log").read_text(encoding="utf-8")[-3000:]

    def until(self, truth):
        until(truth, says=lambda: self.log("ingest") + self.log("edge_agent"), pause_s=0.2)

    @staticmethod
    def _whole(env):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("METERHOUSE_")}
        return kept | {"LC_ALL": "C.UTF-8"} | env
