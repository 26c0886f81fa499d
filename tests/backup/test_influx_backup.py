"""Readings in an InfluxDB: its own backup is a part of ours, and an empty server has every reading again from it."""

import json
import shutil
import subprocess
import time
from datetime import UTC, datetime

import pytest
from rigs.command_line import meterhouse
from rigs.influx2_server import Influx2Server, need_influxd2
from rigs.influx_server import InfluxServer, need_influxd
from rigs.one_meter import POINT, estate, readings
from rigs.servers import free_port

from analytics.backup_watch import fault_of
from meterhouse.store_setup import prepare_store
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.registry import Registry


class Server:
    """A data folder whose readings are in an InfluxDB."""

    def __init__(self, folder, url):
        self.folder, self.url = folder / "data", url
        self.folder.mkdir()
        records = open_records(f"sqlite:///{self.folder / 'records.db'}")
        registry = Registry(records)
        registry.apply(estate(), by="li", at=datetime.now(UTC))
        prepare_store(url, "town", round(time.time() * 1000))
        store = open_readings(url, registry)
        store.write(readings())
        self.before = store.totals()
        store.close()
        records.dispose()
        key = self.run("backup", "--new-key").stdout.splitlines()[-1]
        self.key = folder / "key"
        self.key.write_text(key)

    def run(self, *words, **env):
        return meterhouse(*words, data=self.folder, METERHOUSE_STORE=self.url, **env)

    def totals(self, url):
        records = open_records(f"sqlite:///{self.folder / 'records.db'}")
        store = open_readings(url, Registry(records))
        found = store.totals()
        store.close()
        records.dispose()
        return found


def restored(server, backup, place):
    done = meterhouse("restore", backup, "--key", server.key, "--data", place, "--json", METERHOUSE_STORE=server.url)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["influx"]


def test_a_server_of_2_x_comes_back_in_an_empty_one(tmp_path):
    need_influxd2()
    with Influx2Server() as old, Influx2Server() as new:
        server = Server(tmp_path, old.url)
        done = server.run("backup", "--to", tmp_path / "to", "--json")
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert said["elsewhere"] == []
        left = restored(server, said["file"], tmp_path / "new")
        new.bring(tmp_path / "new" / "influx-backup")
        assert left == str(tmp_path / "new" / "influx-backup")
        assert server.totals(new.url) == server.before
        assert server.before[POINT].count > 700
        server.url = old.url_of("meterhouse", "another")
        again = server.run("backup", "--to", tmp_path / "to")
        assert "by a token that may do all" in again.stderr


def test_a_server_of_1_8_comes_back_in_an_empty_one(tmp_path):
    program = need_influxd()
    ports = free_port(), free_port()
    old, new = (InfluxServer({"INFLUXDB_BIND_ADDRESS": f"127.0.0.1:{port}"}) for port in ports)
    with old, new:
        server = Server(tmp_path, old.url)
        at = {"METERHOUSE_INFLUX_BACKUP_AT": f"127.0.0.1:{ports[0]}"}
        done = server.run("backup", "--to", tmp_path / "to", "--json", **at)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert said["elsewhere"] == []
        left = restored(server, said["file"], tmp_path / "new")
        command = [program, "restore", "-portable", "-host", f"127.0.0.1:{ports[1]}", left]
        subprocess.run(command, check=True, capture_output=True)
        assert server.totals(new.url) == server.before


def test_where_it_cannot_be_called_it_is_named_and_all_else_is_in_it(tmp_path):
    need_influxd()
    with InfluxServer({"INFLUXDB_BIND_ADDRESS": f"127.0.0.1:{free_port()}"}) as old:
        server = Server(tmp_path, old.url)
        at = {"METERHOUSE_INFLUX_BACKUP_AT": "127.0.0.1:9"}
        done = server.run("backup", "--to", tmp_path / "to", "--json", **at)
        assert done.returncode == 0, done.stderr
        (named,) = json.loads(done.stdout)["elsewhere"]
        assert "its own backup is 'influxd backup -portable'" in named
        place = tmp_path / "new"
        assert restored(server, json.loads(done.stdout)["file"], place) is None
        assert (place / "records.db").exists()
        assert "nobody listens at 127.0.0.1:9" in fault_of(server.folder, datetime.now(UTC), 60), "it is an alarm"
        (line,) = (one for one in doctor(server) if one["name"] == "backup")
        assert (line["how"], "is not whole: the readings are in" in line["found"]) == ("wrong", True)
        at = {"METERHOUSE_INFLUX_BACKUP_AT": "elsewhere"}
        done = server.run("backup", "--to", tmp_path / "to", "--json", **at)
        (named,) = json.loads(done.stdout)["elsewhere"]
        assert named.endswith("whose backups are made otherwise")
        assert fault_of(server.folder, datetime.now(UTC), 60) == "", "somebody has said so"


def doctor(server):
    return json.loads(server.run("doctor", "--json").stdout)["lines"]


@pytest.mark.parametrize(("need", "kind"), [(need_influxd, InfluxServer), (need_influxd2, Influx2Server)])
def test_a_server_that_is_away_is_one_sentence_an_alarm_and_no_backup(need, kind, tmp_path):
    need()
    with kind() as old:
        server = Server(tmp_path, old.url)
        assert server.run("backup", "--to", tmp_path / "to").returncode == 0
    (before,) = (tmp_path / "to").iterdir()
    done = server.run("backup", "--to", tmp_path / "to")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "does not answer" in done.stderr
    assert list((tmp_path / "to").iterdir()) == [before]
    assert "does not answer" in fault_of(server.folder, datetime.now(UTC), 60)
    (line,) = (one for one in doctor(server) if one["name"] == "backup")
    assert (line["how"], "does not answer" in line["found"]) == ("wrong", True)
    shutil.rmtree(server.folder)
