"""The README's screen for a small office, word for word, as a new user follows it from an empty folder."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from contextlib import ExitStack

from rigs.bare_install import ROOT
from rigs.command_line import meterhouse
from rigs.patience import until
from rigs.servers import end, free_port
from rigs.site_server import SiteServer

README = (ROOT / "README.md").read_text(encoding="utf-8")
OFFICE = README[README.index("**A small office") : README.index("**A server with containers")]
COMMANDS = re.findall(r"^meterhouse (.+?) *(?:#.*)?$", OFFICE, re.MULTILINE)


def test_a_small_office_comes_up_by_the_commands_of_the_readme(tmp_path, monkeypatch):
    init, up, apply, add, edge = map(shlex.split, COMMANDS)
    assert [words[0] for words in (init, up, apply, add, edge)] == ["init", "up", "site", "agent", "edge"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METERHOUSE_BROKER_LISTEN", f"127.0.0.1:{free_port()}")
    server = SiteServer(tmp_path / "meterhouse-data")
    with server, ExitStack() as leave:
        _well(*[server.listen if word == "0.0.0.0:8443" else word for word in init])
        assert f"{server.address}/sign-in?token=" in _well(*up)
        _uncomment(server.folder / "site.yaml")
        _well(*apply)
        _well(*add)
        log = tmp_path / "log"
        with log.open("wb") as out:
            env = os.environ | {"METERHOUSE_DATA": str(tmp_path / "device")}
            device = subprocess.Popen([sys.executable, "-m", "meterhouse", *edge], env=env, stdout=out, stderr=out)
        leave.callback(end, device, signal.SIGTERM)
        until(lambda: _online() == ["edge-1"], says=log.read_text, pause_s=1)
        assert f"{server.address}/sign-in?token=" in _well("sign-in", "--as", "Ada")
        _well("settings", "show")
        _well("restart")
        _well("down")


def _well(*words):
    done = meterhouse(*words)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def _online():
    agents = json.loads(meterhouse("status", "--json").stdout).get("agents", [])
    return [one.get("agent", one.get("id")) for one in agents if one.get("state") == "online"]


def _uncomment(site):
    """As a person fills it in: the example of an agent and of a meter, which stand in it as comments."""
    text = re.sub(r"^(agents|meters): \[\]", r"\1:", site.read_text(), flags=re.MULTILINE)
    site.write_text(re.sub(r"^#(?=  )", "", text, flags=re.MULTILINE))
