"""The drill: a backup is taken while ingest runs, the disk dies, and agents send what the restored backup lacks."""

import json
import shutil
import time
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from rigs.command_line import meterhouse
from rigs.fault_rig import record
from rigs.influx2_server import Influx2Server, need_influxd2
from rigs.released_town import RELEASES, unpacked
from rigs.servers import Mosquitto, need_mosquitto

from meterhouse.backup.keys import make_key
from meterhouse.backup.sources import sources_of
from meterhouse.backup.writing import write_backup
from meterhouse.settings import Settings
from meterhouse.store_setup import prepare_store


@pytest.fixture
def town(tmp_path):
    return unpacked(RELEASES[-1], tmp_path)


def count(rows):
    return sum(map(len, rows.values()))


def test_agents_send_again_what_a_backup_lacks_and_status_says_how_much(town, tmp_path):
    need_mosquitto()
    data, key = town.home / "data", tmp_path / "key.txt"
    key.write_text(make_key(data))
    lacking = count(town.facts["readings"]) - count(town.stored())
    newest = max(rows[-1][0] for rows in town.stored().values())
    with ExitStack() as running:
        broker = running.enter_context(Mosquitto())
        with town.process("ingest", town.env, broker):
            town.until((data / "ingest.health").exists)
            taken_at = datetime.fromtimestamp(newest / 1000 + 1, UTC)  # the readings are of another day than this
            made = write_backup(sources_of(Settings(data=data)), tmp_path / "backups", taken_at)
            with town.process("edge_agent", town.edge_env, broker):
                town.until(lambda: town.stored() == town.facts["readings"])
        shutil.rmtree(data)
        done = meterhouse("restore", made.file, "--key", key, data=data)
        assert done.returncode == 0, done.stderr
        assert count(town.facts["readings"]) - count(town.stored()) == lacking > 0
        for module, env in (("ingest", town.env), ("edge_agent", town.edge_env)):
            running.enter_context(town.process(module, env, broker))
        town.until(lambda: town.stored() == town.facts["readings"])
        said = town.command("status", "--json").stdout
        assert json.loads(said)["restored"]["readings"] == lacking
        assert f"readings of the time between that have come back: {lacking}" in town.command("status").stdout


def test_the_same_where_readings_are_in_an_influxdb_whose_disk_died_too(town, tmp_path):
    """It is empty while the backup is put back, and its own is brought into it after that, as the handbook says."""
    need_mosquitto()
    need_influxd2()
    points, key, to = list(town.facts["readings"]), tmp_path / "key.txt", tmp_path / "to"
    data, recordings = tmp_path / "server", tmp_path / "device" / "recordings"
    data.mkdir()
    recordings.mkdir(parents=True)
    with Influx2Server() as influx, ExitStack() as running:
        town.env = {
            "METERHOUSE_DATA": str(data),
            "METERHOUSE_STORE": influx.url,
            "METERHOUSE_RECORDS": f"sqlite:///{data / 'records.db'}",
        }
        town.edge_env |= {"METERHOUSE_DATA": str(recordings.parent), "METERHOUSE_REPLAY": str(recordings)}
        prepare_store(influx.url, "town", round(time.time() * 1000))
        applied = town.command("site", "apply", str(town.home / "edge" / "site.yaml"))
        assert applied.returncode == 0, applied.stderr
        key.write_text(town.command("backup", "--new-key").stdout.splitlines()[-1])
        broker = running.enter_context(Mosquitto())
        with town.process("ingest", town.env, broker), town.process("edge_agent", town.edge_env, broker):
            record(recordings, 500, points=points, begin_ms=round(time.time() * 1000) - 3_600_000)
            town.until(lambda: count(town.stored()) == 500)
            done = town.command("backup", "--to", str(to), "--json")
            assert done.returncode == 0, done.stderr
            record(recordings, 40, points=points, begin_ms=round(time.time() * 1000), step_ms=10, name="b")
            town.until(lambda: count(town.stored()) == 540)
        before = town.stored()
        shutil.rmtree(data)
        influx.lose()
        done = town.command("restore", json.loads(done.stdout)["file"], "--key", str(key))
        assert done.returncode == 0, done.stderr
        influx.bring(data / "influx-backup")
        assert count(town.stored()) == 500
        for module, env in (("ingest", town.env), ("edge_agent", town.edge_env)):
            running.enter_context(town.process(module, env, broker))
        town.until(lambda: town.stored() == before)
        said = json.loads(town.command("status", "--json").stdout)
        assert said["restored"]["readings"] == 40
        assert "store_had_lost" not in [one["alarm"] for one in said["alarms"]]
