"""Profiles are checked, and one device is read, with no broker and no server."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rigs.edge_lines import TcpUnits
from rigs.framed_peers import Dlt645TcpPeer
from rigs.raw_lines import RawTcp
from typer.testing import CliRunner

import device_profiles
from edge_agent.settings import EdgeSettings
from facility.errors import ConfigError
from meterhouse.cli import app
from process.settings import read_settings

SHIPPED = Path(device_profiles.__file__).parent
OWN = (SHIPPED / "eastron" / "sdm120.yaml").read_text(encoding="utf-8").replace("eastron/sdm120", "acme/m1")


def run(*words, **environment):
    return CliRunner().invoke(app, [str(word) for word in words], env=environment)


@pytest.fixture
def own(tmp_path):
    """A site's folder with one profile of its own."""
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "m1.yaml").write_text(OWN, encoding="utf-8")
    return tmp_path


def test_all_that_are_known_are_checked():
    said = run("profile", "check", "--json")
    assert said.exit_code == 0
    assert len(json.loads(said.output)["profiles"]) == len(device_profiles.load_profiles())


def test_a_file_and_a_folder_are_checked(own):
    for place in (own, own / "acme" / "m1.yaml"):
        said = json.loads(run("profile", "check", place, "--json").output)
        assert said == {"profiles": ["acme/m1"], "examples": 2}


WRONG = {
    "an example": ("active_power/total: ", "active_power/total: 7", "decodes to something else"),
    "a register": ("address: 0x000C", "address: 70000", "65535"),
    "no YAML": ("kind: electricity", "kind: [", "not YAML"),
}


@pytest.mark.parametrize(("old", "new", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(own, old, new, said):
    text = (own / "acme" / "m1.yaml").read_text(encoding="utf-8")
    assert old in text
    (own / "acme" / "m1.yaml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        CliRunner().invoke(app, ["profile", "check", str(own)], catch_exceptions=False, standalone_mode=False)


def test_a_sites_own_profiles_are_known_beside_those_that_are_shipped(own, monkeypatch):
    monkeypatch.setenv("METERHOUSE_PROFILES", str(own))
    assert "acme/m1" in run("profiles").output
    assert read_settings(EdgeSettings, agent="a").profiles == own
    (own / "eastron").mkdir()
    shutil.copy(SHIPPED / "eastron" / "sdm120.yaml", own / "eastron")
    with pytest.raises(ConfigError, match="is shipped already"):
        device_profiles.load_profiles(own)
    with pytest.raises(ConfigError, match="no folder of profiles"):
        device_profiles.load_profiles(own / "nowhere")


def probed(url, profile, unit="1"):
    said = run("edge", "probe", "--url", url, "--profile", profile, "--unit", unit, "--timeout", "5", "--json")
    assert said.exit_code == 0, said.output
    return {point["point"]: point for point in json.loads(said.output)["points"]}


def test_a_device_is_read_with_no_broker_and_no_server():
    with TcpUnits({7: {0x0000: [0x4367, 0x8000], 0x000C: [0x44A0, 0x1000]}}) as line:
        points = probed(f"modbus+tcp://127.0.0.1:{line.port}", "eastron/sdm120", "7")
    assert points["active_power/total"]["value"] == 1280.5
    assert points["voltage/total"]["value"] == 231.5
    assert "no such register" in points["energy_import/total"]["why"]


def test_a_meter_of_another_bus_is_read_alike(tmp_path):
    peer = Dlt645TcpPeer(tmp_path)
    with peer.serving():
        points = probed(peer.url, "dlt645/2007-single-phase", peer.unit)
    assert points["energy_import/total"]["value"] == 1234.56
    assert "is refused" in points["voltage/total"]["why"]


def test_what_an_exception_means_is_said_in_both_languages():
    with RawTcp("modbus+tcp", lambda asked, say: say(asked.refused(1))) as peer:
        words = ("edge", "probe", "--url", peer.url, "--profile", "eastron/sdm120")
        said, chinese = run(*words), run("--language", "zh-Hans", *words)
    assert said.exit_code == chinese.exit_code == 1
    assert "no such table" in said.output
    assert "设备没有此寄存器表" in chinese.output


MISTAKES = {
    "a profile": (("--url", "modbus+tcp://h", "--profile", "eastron/sdm12"), "eastron/sdm120"),
    "a bus": (("--url", "modbus+tcp://", "--profile", "eastron/sdm120"), "names no host"),
    "a scheme": (("--url", "gopher://h", "--profile", "eastron/sdm120"), "unknown protocol"),
    "the other bus": (("--url", "dlt645+tcp://h:1", "--profile", "eastron/sdm120"), "speaks modbus"),
    "a unit": (("--url", "modbus+tcp://h", "--profile", "eastron/sdm120", "--unit", "900"), "no Modbus address"),
}


@pytest.mark.parametrize(("words", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_wrong_word_is_named_with_what_is_allowed(words, said):
    with pytest.raises(ConfigError, match=said):
        CliRunner().invoke(app, ["edge", "probe", *words], catch_exceptions=False, standalone_mode=False)


def test_nobody_there_is_one_sentence_with_what_to_try():
    failed = run("edge", "probe", "--url", "modbus+tcp://127.0.0.1:9", "--profile", "eastron/sdm120")
    assert failed.exit_code == 1
    assert "the cable in" in str(failed.exception)


SERVER_ONLY = ["sqlalchemy", "numpy", "babel", "alembic", "influxdb_client", "fastapi", "cryptography"]


def test_a_device_is_read_where_no_servers_packages_are():
    """An agent's machine has the extra ``edge`` alone."""
    block = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {SERVER_ONLY}:
            raise ImportError(name)
sys.meta_path.insert(0, Absent())
from meterhouse.cli import main
sys.argv[1:] = ["edge", "probe", "--url", "modbus+tcp://127.0.0.1:9", "--profile", "eastron/sdm120"]
main()
"""
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "the cable in" in done.stderr
