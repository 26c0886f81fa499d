"""``meterhouse store`` on real stores: prepared, checked, moved, and one clear sentence where something is wrong."""

import json
import os
import pty
import re
import subprocess
import sys
import time
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from rigs.command_line import meterhouse
from rigs.influx2_server import Influx2Server, built_influxd2
from rigs.influx_server import InfluxServer, need_influxd
from rigs.ingest_rig import CATALOGUE, POWER

from facility.model import ReadingBatch
from facility.status import ProcessStatus, ServerProcess
from meterhouse.answers.store import MoveAnswer, StoreAnswer
from stores.readings import open_readings, place_of
from stores.readings.influx.address import influx_address
from stores.readings.influx.setup import kept_days
from stores.readings.influx.wire import connect
from stores.readings.port import RollupSeries
from stores.readings.rollups import ROLLUPS
from stores.readings.series import rollup_series
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard
from stores.records.status.teller import this_instance

NOW_MS = time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def server():
    with InfluxServer() as running:
        yield running


@pytest.fixture
def data(tmp_path):
    """A data folder whose records know the estate."""
    records = open_records(f"sqlite:///{tmp_path / 'records.db'}")
    Registry(records).apply(CATALOGUE, by="test", at=datetime.now(UTC), accept=True)
    records.dispose()
    return tmp_path


@pytest.fixture(scope="module")
def server2():
    with Influx2Server() as running:
        yield running


@pytest.fixture
def url(server):
    return server.url_of(f"c{time.time_ns()}")


@pytest.fixture(params=["1.8", *(["2.7"] if built_influxd2() else [])])
def either(request):
    """A database that is not there yet, on a server of either generation."""
    return request.getfixturevalue("server" if request.param == "1.8" else "server2").url_of(f"e{time.time_ns()}")


def registry_in(data):
    return Registry(open_records(f"sqlite:///{data / 'records.db'}"))


def filled(data, n=3_000):
    """A file of readings over some months, and its URL."""
    url = f"sqlite://{data / 'readings.db'}"
    store = open_readings(url)
    t_ms = [NOW_MS - i * 3_600_000 for i in range(n)]
    store.write(ReadingBatch([POWER], [0] * n, t_ms, [i / 7 for i in range(n)], [2 * (i % 100 == 0) for i in range(n)]))
    store.close()
    return url


def test_a_store_is_prepared_as_often_as_one_likes_and_then_found_well(data, either):
    before = meterhouse("store", "check", data=data, METERHOUSE_STORE=either)
    assert (before.returncode, before.stderr.count("\n")) == (1, 1)
    assert "run meterhouse store init" in before.stderr
    for _ in range(2):
        made = meterhouse("store", "init", "--raw-days", 400, data=data, METERHOUSE_STORE=either)
        assert (made.returncode, made.stdout) == (0, "ready for the readings of site 'town'.\n")
    after = meterhouse("store", "check", data=data, METERHOUSE_STORE=either)
    assert after.returncode == 0
    assert "raw 400 days, hourly for ever" in after.stdout


def test_keeping_for_less_long_deletes_nothing_before_somebody_insists(data, either):
    def init(*words):
        done = meterhouse("store", "init", *words, data=data, METERHOUSE_STORE=either)
        return done.returncode, done.stderr

    assert init("--raw-days", 800) == (0, "")
    store = open_readings(either, registry_in(data))
    store.write(ReadingBatch([POWER], [0], [NOW_MS - 400 * 86_400_000], [1.0]))
    code, said = init("--raw-days", 8, "--daily-days", 30)
    assert (code, said.count("\n")) == (2, 1)
    assert re.search(r"raw from before \S+ \(kept 800 days, to be kept 8 days\), daily from before", said)
    assert "--shorten" in said
    assert "raw 800 days" in meterhouse("store", "check", data=data, METERHOUSE_STORE=either).stdout
    assert store.totals()[POWER].count == 1
    assert init("--raw-days", 8, "--shorten") == (0, "")
    assert "raw 8 days" in meterhouse("store", "check", data=data, METERHOUSE_STORE=either).stdout
    store.close()


def test_the_database_of_another_program_keeps_its_default_policy(data, url):
    wire = connect(influx_address(url))
    database = wire.address.database
    wire.ask_json(f'CREATE DATABASE "{database}"')
    assert meterhouse("store", "init", "--raw-days", 30, data=data, METERHOUSE_STORE=url).returncode == 0
    (policies,) = wire.ask_json(f'SHOW RETENTION POLICIES ON "{database}"')
    assert [row[0] for row in policies.values if row[policies.columns.index("default")]] == ["autogen"]
    wire.client.close()


def test_more_days_than_an_influxdb_can_count_are_refused_as_it_would_keep_fewer(data, url):
    done = meterhouse("store", "init", "--raw-days", 99_999_999_999, data=data, METERHOUSE_STORE=url)
    assert (done.returncode, "36500" in done.stderr) == (2, True)


def test_a_file_needs_no_preparing(data):
    assert meterhouse("store", "init", data=data).returncode == 0
    assert "points with readings" in meterhouse("store", "check", data=data).stdout
    assert "有读数的测点" in meterhouse("store", "check", "--language", "zh-Hans", data=data).stdout
    found = msgspec.json.decode(meterhouse("store", "check", "--json", data=data).stdout, type=StoreAnswer)
    assert (found.kind, found.place, found.points, found.readings) == ("file", str(data / "readings.db"), 0, None)


def test_a_program_reads_how_a_store_is_and_what_a_move_copied(data, either):
    filled(data)
    meterhouse("store", "init", "--raw-days", 400, data=data, METERHOUSE_STORE=either)
    moved = meterhouse("store", "migrate", "--to", either, "--json", data=data)
    copied = msgspec.json.decode(moved.stdout, type=MoveAnswer)
    assert (moved.returncode, moved.stderr, copied.readings_copied, copied.differences) == (0, "", 3_000, [])
    checked = meterhouse("store", "check", "--json", "--series-budget", 24, data=data, METERHOUSE_STORE=either)
    store = msgspec.json.decode(checked.stdout, type=StoreAnswer)
    assert (store.kind, store.site, store.readings, store.kept_days["raw"]) == ("influxdb", "town", 3_000, 400)
    assert json.loads(checked.stderr) == {"warning": "series: 20 of 24, more than 80% of the budget"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda url: url.replace("meterhouse:", "meterhouse:not"), "check the user and password"),
        (lambda url: url.replace("meterhouse:", "meterhouse:a%20"), "a space in it: choose another password"),
        (lambda url: url + "_missing", "run meterhouse store init"),
        (lambda url: "influx://127.0.0.1:9/nobody", "does not answer"),
        (lambda url: url.rpartition("/")[0], "needs a database"),
    ],
)
def test_a_wrong_address_is_one_sentence(data, url, wrong, said):
    done = meterhouse("store", "check", data=data, METERHOUSE_STORE=wrong(url))
    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert url.split("@")[0].rpartition(":")[2] not in done.stderr  # never a password


def test_the_store_of_another_site_is_left_alone(data, url, server):
    wire = connect(influx_address(url))
    assert meterhouse("store", "init", data=data, METERHOUSE_STORE=url).returncode == 0
    soon_ms = time.time_ns() // 1_000_000 + 60_000
    wire.write("daily", b'meterhouse schema=1i,site="village" %d' % soon_ms)
    for command in (["check"], ["init", "--raw-days", 1]):
        done = meterhouse("store", *command, data=data, METERHOUSE_STORE=url)
        assert done.returncode == 1
        assert "holds the readings of site 'village', the registry is of site 'town'" in done.stderr
    assert kept_days(wire)["raw"] == 0  # else theirs would be deleted
    wire.write("daily", b'meterhouse schema=9i,site="town" %d' % (soon_ms + 1))
    newer = meterhouse("store", "check", data=data, METERHOUSE_STORE=url)
    assert "written by a newer Meterhouse (schema 9, this one reads 1)" in newer.stderr
    wire.client.close()


def test_a_full_disk_is_found_and_told_by_check_and_by_init(data, small_disk):
    with InfluxServer(folder=small_disk) as full:
        assert meterhouse("store", "init", data=data, METERHOUSE_STORE=full.url).returncode == 0
        free = os.statvfs(small_disk)
        (small_disk / "filler").write_bytes(bytes(free.f_bavail * free.f_frsize))
        for command in ("check", "init"):
            done = meterhouse("store", command, data=data, METERHOUSE_STORE=full.url)
            assert (done.returncode, done.stderr.count("\n")) == (1, 1), command
            assert "the disk of the InfluxDB is full: make room, then restart it" in done.stderr
        (small_disk / "filler").unlink()


def test_a_store_that_lost_what_it_had_confirmed_is_found_out(data, either):
    meterhouse("store", "init", data=data, METERHOUSE_STORE=either)
    ingest_says(data, store=place_of(either), stored=9_999, confirmed=1_234)
    done = meterhouse("store", "check", data=data, METERHOUSE_STORE=either)
    assert done.returncode == 1
    assert "lacks 1,234 readings that it has confirmed" in done.stderr
    assert "meterhouse reconcile" in done.stderr


def test_without_a_word_of_ingest_nobody_knows_whether_readings_are_missing(data, either):
    meterhouse("store", "init", data=data, METERHOUSE_STORE=either)
    done = meterhouse("store", "check", data=data, METERHOUSE_STORE=either)
    assert done.returncode == 0
    assert re.search(r"\n +confirmed to ingest +unknown: ", done.stdout)
    ingest_says(data, store=place_of(either), stored=0, confirmed=0)
    done = meterhouse("store", "check", data=data, METERHOUSE_STORE=either)
    assert re.search(r"\n +confirmed to ingest +0\n", done.stdout)


def ingest_says(data, *, store, stored, confirmed):
    """What ingest tells: so many readings ever, so many of them in this store."""
    status = ProcessStatus(figures={"stored": stored, "confirmed": confirmed}, facts={"store": store})
    engine = open_records(f"sqlite:///{data / 'records.db'}")
    StatusBoard(engine).tell(this_instance(ServerProcess.INGEST, data), status, 1.0)
    engine.dispose()


def test_a_fresh_store_has_not_lost_what_ingest_stored_in_another(data, either):
    meterhouse("store", "init", data=data, METERHOUSE_STORE=either)
    for other in (str(data / "readings.db"), f"{place_of(either)}_before"):
        ingest_says(data, store=other, stored=1_234, confirmed=1_234)
        done = meterhouse("store", "check", data=data, METERHOUSE_STORE=either)
        assert done.returncode == 1
        assert "bring them over with 'meterhouse store migrate'" in done.stderr
        assert re.search(rf"\n +ingest +last stored in another store: {re.escape(other)}\n", done.stdout)


def test_the_registry_knows_how_many_series_the_server_will_have(data, either):
    meterhouse("store", "init", data=data, METERHOUSE_STORE=either)
    store = open_readings(either, registry_in(data))
    points = [point.id for point in CATALOGUE.points]
    store.write(ReadingBatch(points, list(range(len(points))), [NOW_MS] * len(points), [1.0] * len(points)))
    for name, series in rollup_series(CATALOGUE).items():
        for i in range(series):
            tags = dict.fromkeys(ROLLUPS[name].tags, "town") | {ROLLUPS[name].tags[-1]: f"x{i}"}
            store.write_rollup(name, [RollupSeries(tags, np.array([0]))])
    store.close()
    done = meterhouse("store", "check", data=data, METERHOUSE_STORE=either)
    known = int(re.search(r"series by the registry +(\d+) of 100,000", done.stdout)[1])
    assert (done.returncode, known) == (0, 20)
    if stored := re.search(r"series in the server +(\d+)", done.stdout):  # 2.x does not say
        assert int(stored[1]) - known == 3  # the mark, the log of changes, and what check tries
    else:
        assert either.startswith("influx+token")


@pytest.mark.parametrize("store", ["a file", "an InfluxDB"])
def test_a_budget_of_series_warns_when_it_is_nearly_spent_and_fails_beyond(data, url, store):
    named = {"METERHOUSE_STORE": url} if store == "an InfluxDB" else {}
    meterhouse("store", "init", data=data, **named)

    def check(budget):
        done = meterhouse("store", "check", data=data, METERHOUSE_SERIES_BUDGET=str(budget), **named)
        return done.returncode, done.stderr

    assert check(32) == (0, "")
    assert check(24) == (0, "warning: series: 20 of 24, more than 80% of the budget\n")
    code, said = check(19)
    assert (code, said.count("\n")) == (1, 1)
    assert "20 of 19 series: watch fewer points" in said
    assert check(0)[0] == 2


def test_everything_moves_to_an_influxdb_and_back(data, either, tmp_path):
    file = filled(data)
    meterhouse("store", "init", data=data, METERHOUSE_STORE=either)
    there = meterhouse("store", "migrate", "--to", either, data=data)
    assert there.returncode == 0, there.stderr
    assert "copying points: 1 of 1; rows: 3,000\n" in there.stdout
    assert "comparing points: 1 of 1; rows: 6,000\n" in there.stdout
    assert re.search(r"readings in both +3,000\n", there.stdout)
    assert "the two hold the same." in there.stdout
    back = f"sqlite://{tmp_path / 'back.db'}"
    assert meterhouse("store", "migrate", "--from", either, "--to", back, data=data).returncode == 0
    old, new = open_readings(file), open_readings(back)
    assert old.totals() == new.totals()
    a, b = (store.read([POWER], 0, 2 * NOW_MS)[POWER] for store in (old, new))
    assert (a.t_ms.tolist(), a.x.tolist(), a.q.tolist()) == (b.t_ms.tolist(), b.x.tolist(), b.q.tolist())
    old.close()
    new.close()


def test_a_move_that_was_cut_short_goes_on_and_one_that_cannot_be_whole_says_so(data, either):
    file = filled(data)
    meterhouse("store", "init", data=data, METERHOUSE_STORE=either)
    half = open_readings(either, registry_in(data))
    series = open_readings(file).read([POWER], NOW_MS - 20 * 86_400_000, NOW_MS + 1)[POWER]
    half.write(ReadingBatch([POWER], [0] * len(series), series.t_ms.tolist(), series.x.tolist(), series.q.tolist()))
    half.close()
    done = meterhouse("store", "migrate", "--to", either, data=data)
    assert re.search(r"readings in both +3,000\n", done.stdout)
    again = meterhouse("store", "migrate", "--to", either, data=data)
    assert re.search(r"readings copied +0\n", again.stdout)
    stranger = open_readings(file)
    stranger.write(ReadingBatch(["gone/voltage/total"], [0], [NOW_MS], [1.0]))
    stranger.close()
    partly = meterhouse("store", "migrate", "--to", either, data=data)
    assert partly.returncode == 1
    assert "gone/voltage/total is refused: unknown_point" in partly.stderr
    assert "nothing in the target" in partly.stderr


def test_a_move_that_leaves_rows_behind_which_the_source_has_no_more_says_so(data, tmp_path):
    url = filled(data)
    tags = dict.fromkeys(ROLLUPS["usage_1h"].tags, "x")
    hours_ms = np.arange(5) * 3_600_000 + NOW_MS // 3_600_000 * 3_600_000 - 86_400_000
    source = open_readings(url)
    source.write_rollup("usage_1h", [RollupSeries(tags, hours_ms, {"qty": np.arange(5.0)})])
    to = f"sqlite://{tmp_path / 'to.db'}"
    whole = meterhouse("store", "migrate", "--to", to, data=data)
    kinds = len(ROLLUPS)
    assert (whole.returncode, f"copying rollups: {kinds} of {kinds}; rows: 5\n" in whole.stdout) == (0, True)
    source.delete_rollup("usage_1h", {}, 0, int(hours_ms[2]))
    source.close()
    partly = meterhouse("store", "migrate", "--to", to, data=data)
    assert partly.returncode == 1
    assert re.search(r"usage_1h, .*meter x.*: rows in the source: 3, others in the target: 5", partly.stderr)


def test_on_a_terminal_a_move_draws_one_line_again_and_again(data, tmp_path):
    url = filled(data)
    screen, terminal = pty.openpty()
    words = ["store", "migrate", "--from", url, "--to", f"sqlite://{tmp_path / 'to.db'}"]
    env = {**os.environ, "METERHOUSE_DATA": str(data), "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen([sys.executable, "-m", "meterhouse", *words], stdout=terminal, env=env) as moving:
        os.close(terminal)
        drawn = b"".join(iter(lambda: read_terminal(screen), b"")).decode()
    os.close(screen)
    assert moving.returncode == 0
    assert "\r\x1b[2K" in drawn  # the line is drawn over
    assert "comparing points: 1 of 1; rows: 6,000" in drawn
    assert drawn.count("\n") < 12


def read_terminal(screen):
    """What comes next; nothing once the program has ended."""
    try:
        return os.read(screen, 4096)
    except OSError:
        return b""


def test_a_source_that_is_not_there_is_no_empty_one(data, tmp_path):
    gone = tmp_path / "gone.db"
    for words in (["migrate", "--from", f"sqlite://{gone}", "--to", f"sqlite://{data / 'to.db'}"], ["check"]):
        done = meterhouse("store", *words, data=data, METERHOUSE_STORE=f"sqlite://{gone}")
        assert (done.returncode, done.stderr) == (2, f"there is no file {gone}\n")
        assert not gone.exists()


def test_a_move_that_breaks_off_says_that_the_same_command_goes_on(data):
    filled(data)
    done = meterhouse("store", "migrate", data=data, METERHOUSE_STORE_TO="influx://127.0.0.1:9/nobody")
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert "the same command goes on from there" in done.stderr


def test_where_an_influxd_is_required_and_missing_it_is_said_how_to_build_one(monkeypatch, tmp_path):
    for name, value in {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "REQUIRE_SERVERS": "1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(
        pytest.fail.Exception, match=r"go install \S+influxd@v1\S+ builds one; so does tools/build_serv"
    ):
        need_influxd()


def test_a_move_onto_itself_is_refused(data):
    url = filled(data)
    for other in (url, url.replace("sqlite://", "sqlite:////")):
        done = meterhouse("store", "migrate", "--to", other, data=data, METERHOUSE_STORE=url)
        assert (done.returncode, done.stderr) == (2, "the two stores are the same\n")
    ours = "influx://reader:a-secret@127.0.0.1:9/db"
    theirs = ours.replace("reader:a-secret", "writer:another") + "?gzip=yes"
    done = meterhouse("store", "migrate", "--to", theirs, data=data, METERHOUSE_STORE=ours)
    assert (done.returncode, done.stderr) == (2, "the two stores are the same\n")
