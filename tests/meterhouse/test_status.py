"""Status as people meet it, with real processes: killed, out of reach, on two machines, with records that are away."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from threading import Thread

import pytest
from rigs.command_line import meterhouse
from rigs.ingest_process import Debian, Served, told_by_ingest
from rigs.ingest_rig import CATALOGUE, POWER, Client, batch
from rigs.old_records import make_old
from rigs.patience import until
from rigs.servers import need_mosquitto

from facility import wire
from facility.status import AgentStatus, Instance, ProcessStatus, ServerProcess
from facility.system_alarm import Raised, SystemAlarm, Unseen
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard, database_ms

WELL = Instance("ingest", "north", "/data", 17)
WATCH = Instance("analytics", "north", "/data", 18)
BOTH = [AgentStatus("edge-1", "online", 1.0), AgentStatus("edge-2", "online", 1.0)]


@pytest.fixture(scope="module")
def broker():
    need_mosquitto()
    with Debian() as started:
        yield started


@contextmanager
def board(records, later_s=0):
    engine = open_records(records)
    try:
        yield StatusBoard(engine, lambda connection: database_ms(connection) + 1000 * later_s)
    finally:
        engine.dispose()


def outlook_at(records, later_s):
    with board(records, later_s) as seen:
        return seen.outlook()


@pytest.fixture
def data(tmp_path, migrated):
    """A data folder whose records know an estate, as no process has told yet."""
    shutil.copy(migrated, tmp_path / "records.db")
    engine = open_records(f"sqlite:///{tmp_path / 'records.db'}")
    Registry(engine).apply(CATALOGUE, by="a test", at=datetime.now(UTC))
    engine.dispose()
    return tmp_path


def tell(folder, status=ProcessStatus(), agents=BOTH, instance=WELL):  # noqa: B008 - it is frozen
    with board(f"sqlite:///{folder / 'records.db'}") as there:
        there.tell(instance, status, 500.0, agents)


def grow_older(folder, s):
    """So many seconds pass in which nobody tells."""
    with closing(sqlite3.connect(folder / "records.db")) as db, db:
        db.execute("UPDATE process_status SET told_ms = told_ms - ?", (1000 * s,))


def test_alarms_come_first_and_the_exit_code_says_so(data):
    status = ProcessStatus("gap_open", {"gap_open": "1, first of agent edge-1: 5 to 9"}, {"stored": 1234, "queue": 2})
    agents = [
        AgentStatus("edge-1", "online", 1.0, {"alarm_disk_full": 1.0, "unstored": 12.0}, {"line": "does not answer"}),
        AgentStatus("edge-2", "offline", 1.0),
    ]
    tell(data, instance=WATCH)
    tell(data, status, agents)
    said = meterhouse("status", data=data, LC_ALL="C.UTF-8")
    assert said.returncode == 1, said.stderr
    lines = said.stdout.splitlines()
    assert lines[:3] == [
        "ALARM: Readings have been missing for more than a day (1, first of agent edge-1: 5 to 9)",
        "ALARM: An agent's disk is full · edge-1",
        "ALARM: An agent is offline · edge-2",
    ]
    assert "readings stored 1,234, quarantined 0, queue 2" in lines
    assert any(line.split()[:2] == ["ingest@north:/data", "Readings"] for line in lines)
    assert "line: does not answer" in said.stdout
    assert "告警：边缘采集器磁盘已满 · edge-1" in meterhouse("status", "--language", "zh-Hans", data=data).stdout


def test_points_that_cannot_be_read_are_an_alarm_that_names_them(data):
    tell(data, instance=WATCH)
    agent = AgentStatus("edge-1", "online", 1.0, {"alarm_points_unread": 1.0}, {"line": "unread: m1/voltage/l2"})
    tell(data, agents=[agent])
    said = meterhouse("status", data=data, LC_ALL="C.UTF-8")
    assert said.returncode == 1
    expected = "ALARM: Some points of an agent's devices cannot be read · edge-1 (line: unread: m1/voltage/l2)"
    assert expected in said.stdout.splitlines()
    spoken = meterhouse("status", "--language", "zh-Hans", data=data).stdout
    assert "告警：边缘采集器有测点无法读取 · edge-1 (line: unread: m1/voltage/l2)" in spoken


def test_a_program_gets_it_all_as_json(data):
    tell(data, instance=WATCH)
    tell(data, ProcessStatus(figures={"stored": 7.0}, facts={"store": "x"}))
    said = meterhouse("status", "--json", data=data)
    answer = json.loads(said.stdout)
    assert (said.returncode, answer["standing"], answer["alarms"], answer["unknown"]) == (0, "well", [], [])
    watch, process = answer["processes"]
    assert watch["process"] == "analytics"
    assert (process["name"], process["figures"], process["facts"]) == (
        "ingest@north:/data",
        {"stored": 7},
        {"store": "x"},
    )
    assert process["started_at"] < process["told_at"]
    assert [(one["agent"], one["state"]) for one in answer["agents"]] == [("edge-1", "online"), ("edge-2", "online")]


def test_an_agent_that_was_never_heard_is_an_alarm_and_nothing_of_it_is_called_well(data):
    tell(data, agents=BOTH[:1], instance=WATCH)
    tell(data, agents=BOTH[:1])
    said = meterhouse("status", data=data, LC_ALL="C.UTF-8")
    assert (said.returncode, said.stdout.splitlines()[0]) == (1, "ALARM: An agent is offline · edge-2")
    assert said.stdout.splitlines()[-1].split() == ["edge-2", "unknown", "never", "–", "–"]
    *_, unheard = json.loads(meterhouse("status", "--json", data=data).stdout)["agents"]
    assert (unheard["agent"], unheard["heard_at"], unheard["unstored"]) == ("edge-2", None, None)


def test_what_an_agent_or_a_server_says_neither_breaks_the_answer_nor_commands_the_terminal(data):
    status = ProcessStatus("store_unavailable", {"store_unavailable": "\x1b[2Jgone \u202e\x9b"})
    buses = {"\x1b]0;own\x07\x00": "\x1b[31mill"}
    tell(data, status, [AgentStatus("edge-1", "online", 1.0, {"unstored": 1e308}, buses)])
    said = meterhouse("status", data=data, LC_ALL="C.UTF-8")
    assert said.returncode == 1, said.stderr
    assert "gone" in said.stdout
    assert not set(said.stdout) & set("\x1b\x07\x00\x9b\u202e")
    assert max(map(len, said.stdout.splitlines())) < 200
    agent, _ = json.loads(meterhouse("status", "--json", data=data).stdout)["agents"]
    assert (agent["unstored"], agent["buses"]) == (2**53, buses)


def test_a_note_that_is_cut_or_leads_to_somebody_else_is_no_answer(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        answering = Thread(target=answer_as_no_web_server, args=(stranger,))
        answering.start()
        (tmp_path / "ingest.health").write_text("")  # the disk was full
        (tmp_path / "console.health").write_text(f"http://127.0.0.1:{stranger.getsockname()[1]}/health/x")
        said = meterhouse("status", "--json", data=tmp_path, METERHOUSE_HEALTH="[::1,:x")
        answering.join()
    assert (said.returncode, said.stderr) == (2, "")
    assert [one["what"] for one in json.loads(said.stdout)["unknown"]] == ["records"]


def answer_as_no_web_server(listening):
    caller, _ = listening.accept()
    with caller:
        caller.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        caller.recv(4096)


def test_where_nobody_has_told_it_is_unknown_and_not_well(data):
    said = meterhouse("status", data=data, LC_ALL="C.UTF-8")
    assert (said.returncode, said.stdout.splitlines()[:2]) == (2, [
        "UNKNOWN: Whether readings come in is unknown: no ingest has told its status",
        "UNKNOWN: Whether anybody looks at the readings is unknown: no analytics has told its status",
    ])  # fmt: skip


def test_a_folder_without_records_is_unknown_and_stays_as_it_is(tmp_path):
    said = meterhouse("status", data=tmp_path, LC_ALL="C.UTF-8")
    assert said.returncode == 2
    assert "records.db does not exist: has ingest run with this folder (METERHOUSE_DATA)?" in said.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_reader_without_rights_is_told_that_it_cannot_see(data):
    tell(data)
    with closing(sqlite3.connect(data / "records.db")) as db, db:
        db.execute("DROP TABLE agent_status")
    said = meterhouse("status", "--json", data=data)
    answer = json.loads(said.stdout)
    assert said.returncode == 2
    assert [one["what"] for one in answer["unknown"]] == ["records"]
    assert "agent_status" in answer["unknown"][0]["words"]


def test_a_process_that_will_not_come_back_is_forgotten_by_name(data):
    lost = Instance("analytics", "south", "/data", 5)
    tell(data, instance=lost)
    tell(data)
    grow_older(data, 61)
    tell(data, instance=WATCH)
    tell(data)
    said = meterhouse("status", data=data, LC_ALL="C.UTF-8")
    assert (said.returncode, said.stdout.splitlines()[0][:31]) == (1, "ALARM: Analytics is not running")
    row = next(line for line in said.stdout.splitlines() if line.startswith(lost.name))
    assert row.split()[1] == "silent", "what it told a minute ago is no longer so"
    assert row.split()[-3:] == ["–", "alerts,", "figures"], "nobody does its work"
    assert meterhouse("status", "--forget", lost.name, data=data).returncode == 0
    refused = meterhouse("status", "--forget", WELL.name, data=data)
    assert (refused.returncode, "runs: stop it first" in refused.stderr) == (1, True)


def test_who_lists_alerts_is_told_while_nobody_looks_for_them(data):
    tell(data)
    said = meterhouse("alerts", data=data, LC_ALL="C.UTF-8")
    assert (said.returncode, said.stdout) == (0, "no alerts.\n")
    assert "Whether anybody looks at the readings is unknown" in said.stderr
    tell(data, instance=WATCH)
    assert meterhouse("alerts", data=data, LC_ALL="C.UTF-8").stderr == ""
    grow_older(data, 61)
    said = meterhouse("alerts", "--json", "--language", "zh-Hans", data=data)
    warnings = [json.loads(line)["warning"] for line in said.stderr.splitlines()]
    assert warnings == ["接收程序未运行：没有新读数进入", "分析程序未运行：没有新告警，汇总数据停滞"]


def test_an_ingest_that_is_killed_is_silent_within_a_minute(tmp_path, broker):
    with Served(tmp_path, broker) as ingest:
        ingest.until(lambda: told_by_ingest(ingest.records).state == "running")
        tell(ingest.folder, instance=WATCH)
        assert meterhouse("status", data=ingest.folder).returncode == 0
        ingest.child.process.kill()
        ingest.child.process.wait()
        assert outlook_at(ingest.records, 30).alarms == []
        late = outlook_at(ingest.records, 61)
        assert [one.alarm for one in late.alarms] == [SystemAlarm.INGEST_SILENT, SystemAlarm.ANALYTICS_SILENT]
        assert [one.what for one in late.unknown] == [Unseen.AGENTS]
        grow_older(ingest.folder, 61)
        said = meterhouse("status", data=ingest.folder, LC_ALL="C.UTF-8")
        assert (said.returncode, said.stdout[:28]) == (2, "ALARM: Ingest is not running")
        answer = json.loads(meterhouse("status", "--json", data=ingest.folder).stdout)
        assert (answer["standing"], answer["ingest"]) == ("down", "silent"), "nothing that is silent is called running"
        (_, process) = answer["processes"]
        assert (process["state"], process["undone"]) == ("silent", ["intake", "storing"])
        ingest.supervisor.children.clear()


def test_A7_an_analytics_that_is_killed_is_missed_with_what_does_not_work_because_of_it(data):
    tell(data)
    env = os.environ | {
        "METERHOUSE_DATA": str(data),
        "METERHOUSE_STORE": f"sqlite://{data / 'readings.db'}",
        "METERHOUSE_RECORDS": f"sqlite:///{data / 'records.db'}",
    }
    with (data / "log").open("wb") as log:
        watch = subprocess.Popen([sys.executable, "-m", "analytics"], env=env, stdout=log, stderr=log)

    def seen():
        tell(data)
        return json.loads(meterhouse("status", "--json", data=data).stdout)

    try:
        until(lambda: seen()["standing"] == "well", says=(data / "log").read_text)
    finally:
        watch.kill()
        watch.wait()
    grow_older(data, 14 * 60)
    answer = seen()
    assert [one["alarm"] for one in answer["alarms"]] == ["analytics_silent"]
    process = next(one for one in answer["processes"] if one["process"] == "analytics")
    assert (answer["standing"], process["state"], process["undone"]) == ("degraded", "silent", ["alerts", "figures"])
    said = meterhouse("status", data=data, LC_ALL="C.UTF-8")
    assert said.returncode == 1
    row = next(line for line in said.stdout.splitlines() if line.startswith("analytics@"))
    assert "silent" in row
    assert "14 min" in row
    assert row.rstrip().endswith("alerts, figures")
    assert "告警、汇总数据" in meterhouse("status", "--language", "zh-Hans", data=data).stdout


def test_who_looks_changes_no_schema_and_says_what_he_cannot_see(tmp_path):
    url = f"sqlite:///{tmp_path / 'records.db'}"
    make_old(url, "0005", {})
    before = (tmp_path / "records.db").read_bytes()
    said = meterhouse("status", "--json", data=tmp_path)
    assert [one["what"] for one in json.loads(said.stdout)["unknown"]] == ["records"]
    assert said.returncode == 2
    assert (tmp_path / "records.db").read_bytes() == before
    make_old(f"sqlite:///{tmp_path / 'newer.db'}", "0010", {})  # its status can be read as it is
    shutil.copy(tmp_path / "newer.db", tmp_path / "records.db")
    assert [one["what"] for one in json.loads(meterhouse("status", "--json", data=tmp_path).stdout)["unknown"]] == [
        "ingest",
        "analytics",
    ]
    with closing(sqlite3.connect(tmp_path / "records.db")) as db:
        assert db.execute("SELECT version_num FROM alembic_version").fetchone() == ("0010",)


def test_a_broker_that_refuses_our_password_or_is_away_is_an_alarm(tmp_path):
    need_mosquitto()
    (tmp_path / "words").write_text("")
    extra = f"allow_anonymous false\npassword_file {tmp_path / 'words'}"
    with Debian() as broker, Served(tmp_path, broker) as ingest:
        alarms_now = lambda: told_by_ingest(ingest.records).alarms  # noqa: E731
        ingest.until(lambda: told_by_ingest(ingest.records).state == "running")
        broker.stop()
        ingest.until(lambda: SystemAlarm.BROKER_UNREACHABLE in alarms_now())
        assert f"ingest@127.0.0.1:{broker.port}" in alarms_now()[SystemAlarm.BROKER_UNREACHABLE]
        broker.settings = broker.settings.replace("allow_anonymous true", extra)
        broker.start()
        ingest.until(lambda: SystemAlarm.BROKER_REFUSES in alarms_now())
        assert SystemAlarm.BROKER_UNREACHABLE not in alarms_now()
        tell(ingest.folder, instance=WATCH)
        said = meterhouse("status", "--json", data=ingest.folder)
        assert (said.returncode, json.loads(said.stdout)["standing"]) == (2, "down")
        assert "any@" not in said.stdout, "no password"
        ingest.child.process.kill()
        ingest.child.process.wait()
        ingest.supervisor.children.clear()
        done = subprocess.run(ingest.command, env=os.environ | ingest.env, capture_output=True, text=True, check=False)
        assert done.returncode == 2, "refused from the beginning it ends, and has said why"
        assert SystemAlarm.BROKER_REFUSES in alarms_now()


def test_an_agent_that_is_turned_away_is_an_alarm(tmp_path, broker):
    with Served(tmp_path, broker) as ingest, closing(Client(broker, "nobody")) as stranger:
        ingest.until(lambda: told_by_ingest(ingest.records).state == "running")
        status = wire.Status(v=1, dev="nobody", state="online", figures={})
        stranger.say(wire.up_topic("nobody", "status"), wire.encode(status))
        ingest.until(lambda: "agents_refused" in told_by_ingest(ingest.records).alarms)
        assert told_by_ingest(ingest.records).alarms["agents_refused"] == "nobody: unknown_agent"


def test_records_that_are_away_are_unknown_and_the_processes_are_asked(tmp_path, broker):
    with Served(tmp_path, broker) as ingest, closing(Client(broker, "edge-1")) as edge:
        status = wire.Status(v=1, dev="edge-1", state="online", figures={"unstored": 3.0, "alarm_clock": 1.0})
        edge.say(wire.up_topic("edge-1", "status"), wire.encode(status))
        ingest.until(lambda: meterhouse("status", data=ingest.folder).returncode == 1)
        (ingest.folder / "records.db").rename(tmp_path / "away.db")
        said = meterhouse("status", "--json", data=ingest.folder)
        answer = json.loads(said.stdout)
        assert said.returncode == 1
        assert [(one["alarm"], one["agent"]) for one in answer["alarms"]] == [("clock", "edge-1")]
        assert ([one["what"] for one in answer["unknown"]], answer["asked"]) == (["records"], True)
        in_words = meterhouse("status", data=ingest.folder, LC_ALL="C.UTF-8").stdout
        assert "The processes themselves were asked: 1 answered." in in_words.splitlines()
        assert [(one["process"], one["pid"]) for one in answer["processes"]] == [("ingest", ingest.pid)]
        assert [(one["agent"], one["unstored"]) for one in answer["agents"]] == [("edge-1", 3)]
        (ingest.folder / "ingest.health").rename(tmp_path / "note")
        said = meterhouse("status", "--json", data=ingest.folder)
        assert (said.returncode, [one["what"] for one in json.loads(said.stdout)["unknown"]]) == (
            2,
            ["records"],
        )
        (tmp_path / "away.db").rename(ingest.folder / "records.db")


def test_two_ingests_on_the_same_records_are_two_rows_and_one_of_them_is_missed(tmp_path, broker):
    records = f"sqlite:///{tmp_path / 'north' / 'ingest' / 'records.db'}"
    (tmp_path / "north").mkdir()
    (tmp_path / "south").mkdir()
    with ExitStack() as running:
        north = running.enter_context(Served(tmp_path / "north", broker))
        there = {"METERHOUSE_RECORDS": records, "METERHOUSE_BROKER": broker.url_for("ingest-south")}
        south = running.enter_context(Served(tmp_path / "south", broker, **there))

        def states():
            with board(records) as shared:
                return {one.instance.place: one.status.state for one in shared.overview().of(ServerProcess.INGEST)}

        north.until(lambda: states() == {str(north.folder): "running", str(south.folder): "running"})
        south.child.process.kill()
        south.child.process.wait()
        south.supervisor.children.clear()
        name = next(one.instance.name for one in seen_by(records) if one.instance.place == str(south.folder))
        with board(records, 61) as late:
            late.tell(*still_telling(late, north.folder), BOTH)
            late.tell(WATCH, ProcessStatus(), 1.0)
            assert late.outlook().alarms == [Raised(SystemAlarm.INGEST_SILENT, "", name)]
            assert late.outlook().unknown == []


def seen_by(records):
    with board(records) as there:
        return there.overview().processes


def still_telling(there, folder):
    seen = next(one for one in there.overview().processes if one.instance.place == str(folder))
    return seen.instance, seen.status, seen.up_s


@pytest.mark.parametrize("trouble", ["locked", "full"])
def test_records_that_take_nothing_stop_no_reading(tmp_path, broker, trouble, request):
    disk = request.getfixturevalue("small_disk") if trouble == "full" else tmp_path / "records"
    disk.mkdir(exist_ok=True)
    records = f"sqlite:///{disk / 'records.db'}"
    engine = open_records(records)
    Registry(engine).apply(CATALOGUE, by="a test", at=datetime.now(UTC))
    engine.dispose()
    with (
        Served(tmp_path, broker, METERHOUSE_RECORDS=records) as ingest,
        closing(Client(broker, "edge-1", wire.ack_topic("edge-1"))) as edge,
    ):
        ingest.until(lambda: told_by_ingest(records).state == "running")
        lock = sqlite3.connect(disk / "records.db", isolation_level=None)
        if trouble == "full":
            (disk / "filler").write_bytes(bytes(free_bytes(disk)))
        else:
            lock.execute("BEGIN IMMEDIATE")
        now_ms = round(time.time() * 1000)
        for first in range(1, 101, 10):
            times = [now_ms + first + i for i in range(10)]
            edge.send(batch(first, 10, t=times, ep=f"status-{trouble}"))
        ingest.until(lambda: edge.heard and edge.acks()[-1].store_hw == 100)
        ingest.until(lambda: "status_cannot_be_told" in ingest.log)
        assert len(ingest.stored()[POWER]) == 100
        assert ingest.log.count("status_cannot_be_told") == 1  # once for all attempts, while nothing can be told
        (disk / "filler").unlink(missing_ok=True)
        lock.close()
        ingest.until(lambda: told_by_ingest(records).figures.get("stored") == 100)
        ingest.until(lambda: "status_is_told_again" in ingest.log)


def free_bytes(disk):
    return shutil.disk_usage(disk).free
