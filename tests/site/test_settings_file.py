"""What a settings file says, and where it holds."""

import json

import pytest
from rigs.command_line import meterhouse

from facility.errors import ConfigError
from meterhouse.up.settings import UpSettings, read_up_settings
from meterhouse.up.settings_file import KNOWN, LAST, adopt, read_settings_file

WHOLE = f"# a comment\nMETERHOUSE_LISTEN=127.0.0.1:9443\n\n{LAST}=1\n"


def test_a_value_is_known_with_its_line(tmp_path):
    (tmp_path / "settings.env").write_text(WHOLE)
    assert read_settings_file(tmp_path / "settings.env") == {"METERHOUSE_LISTEN": (2, "127.0.0.1:9443")}


@pytest.mark.parametrize("end", range(2, len(WHOLE.rstrip()), 7))
def test_no_part_of_a_file_that_was_written_by_half_is_believed(tmp_path, end):
    (tmp_path / "settings.env").write_text(WHOLE.rstrip()[:end])
    with pytest.raises(ConfigError, match="written by half"):
        adopt(tmp_path, {})


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("METERHOUSE_LISTN=1", "unknown setting 'METERHOUSE_LISTN'"),
        ("METERHOUSE_LISTEN", "'METERHOUSE_LISTEN' is no setting"),
        ('METERHOUSE_LISTEN="127.0.0.1:1"', "stands in quotes"),
        ("METERHOUSE_LISTEN=1\nMETERHOUSE_LISTEN=2", "stands in line 1 already"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path, line, sentence):
    (tmp_path / "settings.env").write_text(f"{line}\n{LAST}=1\n")
    with pytest.raises(ConfigError, match=sentence):
        read_settings_file(tmp_path / "settings.env")


def test_a_file_of_a_newer_form_is_refused(tmp_path):
    (tmp_path / "settings.env").write_text(f"{LAST}=2\n")
    with pytest.raises(ConfigError, match="is of version '2'"):
        read_settings_file(tmp_path / "settings.env")


def test_the_environment_wins_over_the_file(tmp_path):
    (tmp_path / "settings.env").write_text(WHOLE)
    environ = {"METERHOUSE_LISTEN": "127.0.0.1:1"}
    assert adopt(tmp_path, environ) == {}
    assert environ["METERHOUSE_LISTEN"] == "127.0.0.1:1"


def test_settings_show_says_where_each_value_comes_from_and_shows_no_password(tmp_path):
    (tmp_path / "settings.env").write_text(WHOLE.replace(LAST, f"METERHOUSE_STORE=influx://u:geheim@h/db\n{LAST}"))
    shown = meterhouse("settings", "show", "--json", data=tmp_path, METERHOUSE_TICK_S="5")
    found = {one["name"]: one for one in json.loads(shown.stdout)["settings"]}
    assert found.keys() == KNOWN.keys()
    assert found["METERHOUSE_LISTEN"]["value"] == "127.0.0.1:9443"
    assert found["METERHOUSE_LISTEN"]["source"] == f"{tmp_path}/settings.env:2"
    assert (found["METERHOUSE_TICK_S"]["value"], found["METERHOUSE_TICK_S"]["source"]) == ("5", "environment")
    assert (found["METERHOUSE_STEP_DAYS"]["value"], found["METERHOUSE_STEP_DAYS"]["source"]) == ("30", "default")
    assert found["METERHOUSE_STORE"]["value"] == "set"
    assert "geheim" not in shown.stdout
    chinese = meterhouse("settings", "show", "--language", "zh-Hans", data=tmp_path).stdout
    assert "控制台的主机和端口" in chinese


def test_other_commands_use_the_store_that_the_file_names(tmp_path):
    (tmp_path / "settings.env").write_text(f"METERHOUSE_RECORDS=sqlite:///{tmp_path}/nowhere/records.db\n{LAST}=1\n")
    done = meterhouse("alerts", data=tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path}/nowhere" in done.stderr


def test_a_link_and_a_join_file_name_the_server_as_others_do_and_not_as_its_own_processes_do():
    """In a container the broker is "mosquitto" to ingest alone."""
    settings = UpSettings(listen="127.0.0.1:8443", broker_at="mosquitto:8883")
    assert (settings.console_page, settings.agents_place) == ("https://127.0.0.1:8443", ("127.0.0.1", 8883))
    assert "mosquitto" in settings.names
    named = UpSettings(listen="127.0.0.1:8443", broker_at="mosquitto:8883", hosts="meters.example.org")
    assert (named.console_page, named.agents_place[0]) == ("https://meters.example.org:8443", "meters.example.org")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("METERHOUSE_STORE", "influx://meterhouse:Admin@db:8086/meterhouse"),
        ("METERHOUSE_STORE", "influx+token://my-super-secret-auth-token@db:8086/o/meterhouse"),
        ("METERHOUSE_RECORDS", "postgresql+psycopg://meterhouse:postgres@db/meterhouse"),
        ("METERHOUSE_BROKER", "mqtts://up:change%2Dme@broker:8883"),
    ],
)
def test_a_password_that_everybody_knows_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f"{name}: its password is one that everybody knows") as refused:
        read_up_settings({})
    assert value not in str(refused.value)
