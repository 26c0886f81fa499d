"""What the demo says of Grafana when it is ready."""

from pathlib import Path
from types import SimpleNamespace

from meterhouse.commands.demo import _tell_of_grafana
from meterhouse.settings import Settings


def hint(capsys, store):
    _tell_of_grafana(SimpleNamespace(settings=Settings(store=store), folder=Path("demo-data"), listen="127.0.0.1:8080"))
    return capsys.readouterr().out


def test_a_demo_on_an_influxdb_says_how_to_push_its_dashboards(capsys):
    said = hint(capsys, "influx://127.0.0.1:8086/meterhouse")
    assert "METERHOUSE_GRAFANA_STORE=influx://127.0.0.1:8086/meterhouse" in said
    assert "meterhouse dashboards push --url http://127.0.0.1:3000 --console http://127.0.0.1:8080" in said


def test_it_says_nothing_where_grafana_could_not_read_or_a_secret_would_be_shown(capsys):
    assert hint(capsys, "sqlite:///demo.db") == ""
    assert hint(capsys, "influx://user:secret@db.example:8086/meterhouse") == ""
