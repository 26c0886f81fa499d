"""A store that changed under its site: nobody goes on elsewhere before readings are brought over, or left by word."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from rigs.command_line import meterhouse
from rigs.ingest_process import Debian, Served
from rigs.ingest_rig import Client, batch
from rigs.servers import need_mosquitto

from facility import wire
from facility.errors import ConfigError
from meterhouse.demo.report import Report
from meterhouse.demo.run import Demo
from meterhouse.settings import Settings


@pytest.fixture(scope="module")
def debian():
    need_mosquitto()
    with Debian() as started:
        yield started


def ended(module, env):
    return subprocess.run(
        [sys.executable, "-m", module], env=os.environ | env, capture_output=True, text=True, check=False, timeout=60
    )


def test_ingest_analytics_and_check_refuse_another_store_until_a_move_or_a_word(tmp_path, debian):
    with Served(tmp_path, debian) as ingest, closing(Client(debian, "edge-1", wire.ack_topic("edge-1"))) as edge:
        edge.send(batch(1, 20, ep="moved"))
        ingest.until(lambda: edge.heard and edge.acks()[-1].store_hw == 20)
        ingest.until(lambda: ingest.status().figures.get("confirmed") == 20)
        ingest.stop()
        other = f"sqlite://{ingest.folder / 'other.db'}"
        sqlite3.connect(ingest.folder / "other.db").close()
        elsewhere = ingest.env | {"METERHOUSE_STORE": other}
        for module in ("ingest", "analytics"):
            refused = ended(module, elsewhere)
            assert refused.returncode == 2, refused.stderr
            assert "20 readings" in refused.stderr
            assert "meterhouse store migrate" in refused.stderr
            assert "METERHOUSE_LEAVE_STORED=yes" in refused.stderr
        checked = meterhouse("store", "check", data=ingest.folder, METERHOUSE_STORE=other)
        assert (checked.returncode, "the readings of this site are in" in checked.stderr) == (1, True)

        stores = {"METERHOUSE_STORE": ingest.env["METERHOUSE_STORE"], "METERHOUSE_STORE_TO": other}
        moved = meterhouse("store", "migrate", data=ingest.folder, **stores)
        assert moved.returncode == 0, moved.stderr
        assert meterhouse("store", "check", data=ingest.folder, METERHOUSE_STORE=other).returncode == 0
        ingest.env["METERHOUSE_STORE"] = other
        ingest.start()
        edge.send(batch(21, 5, ep="moved"))
        ingest.until(lambda: edge.acks()[-1].store_hw == 25)
        ingest.stop()

        third = tmp_path / "third.db"
        ingest.env |= {"METERHOUSE_STORE": f"sqlite://{third}", "METERHOUSE_LEAVE_STORED": "yes"}
        ingest.start()
        ingest.stop()
        ingest.env.pop("METERHOUSE_LEAVE_STORED")
        third.rename(tmp_path / "renamed.db")
        ingest.env["METERHOUSE_STORE"] = f"sqlite://{tmp_path / 'empty.db'}"
        assert ended("ingest", ingest.env).returncode == 2, "said once, for one store"


def test_a_file_that_was_only_moved_is_the_one_that_ingest_knows(tmp_path, debian):
    with Served(tmp_path, debian) as ingest, closing(Client(debian, "edge-1", wire.ack_topic("edge-1"))) as edge:
        edge.send(batch(1, 20, ep="renamed"))
        ingest.until(lambda: edge.heard and edge.acks()[-1].store_hw == 20)
        ingest.stop()
        (ingest.folder / "readings.db").rename(tmp_path / "renamed.db")
        for log in ("-wal", "-shm"):
            (ingest.folder / f"readings.db{log}").unlink(missing_ok=True)
        ingest.env["METERHOUSE_STORE"] = f"sqlite://{tmp_path / 'renamed.db'}"
        ingest.start()
        ingest.stop()


def test_a_demo_goes_on_nowhere_else(tmp_path):
    with closing(sqlite3.connect(tmp_path / "ingest.db")) as db, db:
        db.execute("CREATE TABLE destination (store TEXT NOT NULL, elsewhere INTEGER NOT NULL)")
        db.execute("INSERT INTO destination VALUES (?, 0)", (str(tmp_path / "readings.db"),))
        db.execute("CREATE TABLE total (name TEXT, readings INTEGER)")
        db.execute("CREATE TABLE progress (name TEXT, value INTEGER)")
    demo = Demo(tmp_path, "127.0.0.1:1", "influx")
    demo.settings = Settings(data=tmp_path, store="influx://meterhouse:x@127.0.0.1:8086/meterhouse")
    with pytest.raises(ConfigError, match=r"was begun on .*readings\.db.* --fresh"):
        demo._check_store()
    demo.settings = Settings(data=tmp_path, store=f"sqlite://{tmp_path / 'readings.db'}")
    demo._check_store()


@pytest.mark.parametrize(
    ("produced", "stored", "quarantined", "error", "proved"),
    [(10, 9, 1, 0.0, True), (10, 9, 0, 0.0, False), (10, 12, 0, 0.0, False), (10, 9, 1, 8e10, False)],
)
def test_a_report_is_proved_only_where_every_reading_is_accounted_for(produced, stored, quarantined, error, proved):
    assert Report(produced, stored, quarantined, error, 1.0, 1.0, None).is_proved is proved
