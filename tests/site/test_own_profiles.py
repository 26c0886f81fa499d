"""A device that no shipped profile knows: the site's own profiles hold for the server and go to its agents."""

import os
import signal
import subprocess
import sys
from json import dumps

import pytest
from rigs.bare_install import ROOT
from rigs.patience import until
from rigs.servers import end
from rigs.site_estate import two_agents
from rigs.site_server import SiteServer

from device_profiles import load_profiles
from meterhouse.up.join import PLAIN_VERSION, VERSION, read_join_file

OWN = "acme/counter"


@pytest.fixture
def server(tmp_path):
    with SiteServer(tmp_path / "data") as made:
        made.make()
        text = (ROOT / "device_profiles/generic/pulse-water.yaml").read_text().replace("generic/pulse-water", OWN)
        place = tmp_path / "profiles" / f"{OWN}.yaml"
        place.parent.mkdir(parents=True)
        place.write_text(text)
        made.set("METERHOUSE_PROFILES", str(tmp_path / "profiles"))
        site = two_agents().replace("profile: generic/pulse-water, agent: edge-a", f"profile: {OWN}, agent: edge-a")
        (made.folder / "site.yaml").write_text(site)
        yield made


def test_a_server_starts_with_profiles_of_its_own_and_an_agent_is_given_those_that_it_needs(server, tmp_path):
    prepared = server.run("prepare")
    assert prepared.returncode == 0, prepared.stderr
    for agent in ("edge-a", "edge-b"):
        added = server.run("agent", "add", agent, "--out", str(tmp_path / f"{agent}.join"))
        assert added.returncode == 0, added.stderr
    a, b = (read_join_file(tmp_path / f"{agent}.join") for agent in ("edge-a", "edge-b"))
    assert (a.version, a.profiles.keys(), b.version, b.profiles) == (VERSION, {OWN}, PLAIN_VERSION, {})
    device, said = tmp_path / "device", tmp_path / "log"
    command = [sys.executable, "-m", "meterhouse", "edge", "--join", str(tmp_path / "edge-a.join")]
    env = {name: value for name, value in os.environ.items() if name != "METERHOUSE_PROFILES"}
    with said.open("wb") as log:
        edge = subprocess.Popen(command, env=env | {"METERHOUSE_DATA": str(device)}, stdout=log, stderr=log)
    try:
        until(lambda: "state=unreachable" in said.read_text(), says=said.read_text)
    finally:
        end(edge, signal.SIGTERM)
    assert OWN in load_profiles(device / "profiles")


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "a/b/c", "a", ".a/b"])
def test_a_profile_of_a_join_file_lies_in_its_folder_alone(server, tmp_path, name):
    file = {"agent": "a", "host": "h", "port": 1, "password": "p", "ca": "c", "site": "s", "profiles": {name: "x"}}
    (tmp_path / "x.join").write_text(dumps({"version": VERSION, **file}))
    refused = server.run("edge", "--join", str(tmp_path / "x.join"))
    assert refused.returncode == 2
    assert "is no whole file of 'meterhouse agent add'" in refused.stderr


def test_a_folder_of_profiles_that_is_none_is_one_sentence_and_changes_nothing(server, tmp_path):
    server.set("METERHOUSE_PROFILES", str(tmp_path / "nowhere"))
    refused = server.run("up")
    said = f"{tmp_path}/nowhere: is no folder of profiles (allowed: a folder with maker/model.yaml in it)"
    assert (refused.returncode, refused.stderr.strip()) == (2, said)
    assert not (server.folder / "secrets").exists()
