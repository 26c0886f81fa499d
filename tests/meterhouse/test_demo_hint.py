"""What the demo says of Grafana when it is ready."""

import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from meterhouse.commands.demo import _tell_of_grafana
from meterhouse.servers.influxd import OWN_INFLUX, own_influxd
from meterhouse.settings import Settings


def hint(capsys, store, asked="", folder=Path("demo-data")):
    settings = Settings(store=store)
    _tell_of_grafana(SimpleNamespace(settings=settings, store=asked, folder=folder, listen="127.0.0.1:8080"))
    return capsys.readouterr().out


def test_a_demo_on_an_influxdb_says_how_to_push_its_dashboards(capsys):
    said = hint(capsys, "influx://127.0.0.1:8086/meterhouse")
    assert "METERHOUSE_GRAFANA_STORE=influx://127.0.0.1:8086/meterhouse" in said
    assert "meterhouse dashboards push --url http://127.0.0.1:3000 --console http://127.0.0.1:8080" in said


def test_of_an_influxd_of_its_own_it_says_where_the_password_stands_as_a_shell_reads_it(capsys, tmp_path):
    folder = tmp_path / "a demo"
    (folder / "influxd").mkdir(parents=True)
    server = own_influxd(folder / "influxd")
    said = hint(capsys, server.url, OWN_INFLUX, folder)
    assert server.password not in said
    store = re.search(r'METERHOUSE_GRAFANA_STORE=(".*?") METERHOUSE', said)[1]
    read = subprocess.run(["/bin/sh", "-c", f"printf %s {store}"], capture_output=True, text=True, check=True)
    assert read.stdout == server.url


@pytest.mark.parametrize(
    ("store", "shown"),
    [
        ("influx://user:secret@db.example:8086/meterhouse", "influx://READER:PASSWORD@db.example:8086/meterhouse"),
        ("influxs+token://secret@db.example/org/meterhouse", "influxs+token://READ_TOKEN@db.example/org/meterhouse"),
    ],
)
def test_of_another_one_it_says_what_to_put_there_and_no_secret(capsys, store, shown):
    said = hint(capsys, store, store)
    assert f'METERHOUSE_GRAFANA_STORE="{shown}"' in said
    assert "secret" not in said


def test_it_says_nothing_where_grafana_could_not_read(capsys):
    assert hint(capsys, "sqlite:///demo.db") == ""
