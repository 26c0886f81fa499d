"""An agent whose server is gone says so on the spot: by its own word, for there is nobody else."""

import json
import shutil
from types import SimpleNamespace

import pytest
from rigs.command_line import meterhouse
from rigs.edge_lines import TcpUnits
from rigs.edge_server import Server
from rigs.fault_rig import agent_process, sdm120, stop
from rigs.patience import until

from edge_agent.server_watch import NOTE, ServerWatch
from edge_agent.settings import EdgeSettings
from process.settings import read_settings


def watch(at, note=None, boot="a", limit_s=1800.0):
    return ServerWatch(lambda: at.s, limit_s, note, boot)


def test_half_an_hour_without_a_word_is_said_once_and_so_is_that_it_is_back(logged):
    at = SimpleNamespace(s=1000.0)
    server = watch(at)
    for at.s in (1000.0, 2000.0, 2799.0, 2800.0, 2801.0, 9000.0):
        server.look()
    assert server.is_gone
    server.heard()
    server.look()
    assert not server.is_gone
    assert [line["event"] for line in logged] == ["server_gone", "server_back"]


def test_a_restart_does_not_begin_the_count_anew_and_a_boot_no_later_than_itself(tmp_path):
    at, note = SimpleNamespace(s=1000.0), tmp_path / NOTE
    first = watch(at, note)
    first.heard()
    at.s = 1100.0
    first.look()
    at.s = 2900.0
    again = watch(at, note)
    assert again.unheard_s == 1900.0
    assert not again.is_gone, "it has just begun to listen"
    at.s = 2961.0
    assert again.is_gone
    booted = watch(SimpleNamespace(s=600.0), note, boot="b")
    assert booted.unheard_s == 600.0


@pytest.mark.parametrize("said", ["", "{}", "[]", '{"boot": "a", "heard_s": "x"}', '{"boot": "a", "heard_s": 1e9}'])
def test_a_note_that_says_nothing_of_use_begins_the_count_now(tmp_path, said):
    (tmp_path / NOTE).write_text(said)
    assert watch(SimpleNamespace(s=50.0), tmp_path / NOTE).unheard_s == 0.0


def test_a_server_to_which_nothing_is_open_is_greeted_so_that_it_can_answer():
    at = SimpleNamespace(s=0.0)
    server = watch(at)
    asked = []
    for at.s in range(0, 1800, 10):
        if server.wants_a_word():
            asked.append(at.s)
    assert asked == [300, 600, 900, 1200, 1500]
    server.heard()
    at.s += 10
    assert not server.wants_a_word()


def test_the_limit_is_half_an_hour_unless_a_site_says_otherwise(monkeypatch):
    monkeypatch.setenv("METERHOUSE_AGENT", "edge-1")
    assert read_settings(EdgeSettings).server_gone_minutes == 30
    monkeypatch.setenv("METERHOUSE_SERVER_GONE_MINUTES", "90")
    assert read_settings(EdgeSettings).server_gone_minutes == 90


@pytest.mark.broker
def test_status_in_an_agents_folder_asks_the_agent_and_its_exit_code_says_how_it_stands(tmp_path, broker):
    env = {"METERHOUSE_SERVER_GONE_MINUTES": "0.1", "METERHOUSE_CLOCK": "trusted"}

    def seen():
        said = meterhouse("status", "--json", data=tmp_path)
        return said.returncode, [one["alarm"] for one in json.loads(said.stdout)["alarms"]]

    with (
        TcpUnits({1: sdm120(1.0, 1.0)}) as units,
        agent_process(tmp_path, broker.url, radio=broker.url, modbus=units.port, **env) as child,
    ):
        until(lambda: seen() == (1, ["server_gone", "no_subscriber"]), says=lambda: str(seen()))
        words = meterhouse("status", data=tmp_path, LC_ALL="C.UTF-8").stdout
        assert words.splitlines()[0].startswith("ALARM: The server of an agent has been gone for long (")
        assert "The server was last heard" in words
        assert "最近一次收到服务器消息" in meterhouse("status", "--language", "zh-Hans", data=tmp_path).stdout
        server = Server(broker.port, answers="always")
        until(lambda: seen() == (0, []), says=lambda: str(seen()))
        shutil.copy(tmp_path / "edge.health", tmp_path / "kept")
        assert (tmp_path / "edge.health").stat().st_mode & 0o077 == 0, "who may not read the folder may not ask"
        assert stop(child) == 0
        server.stop()
    said = (tmp_path / "log").read_text()
    assert (said.count("event=server_gone"), said.count("event=server_back")) == (1, 1)
    assert seen() == (2, ["agent_offline"])
    (tmp_path / "kept").rename(tmp_path / "edge.health")
    assert seen() == (2, ["agent_offline"]), "nobody answers where the note leads"
