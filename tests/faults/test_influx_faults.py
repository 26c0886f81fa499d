"""The store rows of the fault table on a real InfluxDB: what it does to us, and that nothing is lost."""

import os
import signal
import time
from contextlib import closing
from itertools import pairwise

import pytest
from rigs.influx_proxy import InfluxProxy
from rigs.influx_server import InfluxServer, make_ready
from rigs.influx_town import Registry
from rigs.ingest_rig import CATALOGUE, POWER
from rigs.patience import until, within
from rigs.store_rig import (
    Rig,
    check_a_bad_line_of_5000_is_set_aside,
    check_what_is_too_old_is_set_aside_at_once,
    now_ms,
)

from facility.errors import StoreUnavailable
from facility.status import ServerProcess
from ingest import store_writer
from meterhouse.servers.influxd import start_influxd
from meterhouse.supervisor import Supervisor
from stores.readings.influx.address import influx_address
from stores.readings.influx.setup import Retention
from stores.readings.influx.store import InfluxStore
from stores.readings.influx.wire import connect
from stores.records.database import open_records
from stores.records.status.board import StatusBoard
from stores.records.status.teller import this_instance

WEEK_MS = 7 * 86_400_000


@pytest.fixture
def server():
    with InfluxServer() as running:
        make_ready(running.url, "town")
        yield running


@pytest.fixture
def rig(tmp_path, server):
    running = Rig(tmp_path, server.url)
    yield running
    running.close()


def test_S1_influxd_killed_under_load_loses_nothing(server, rig):
    rig.start()
    amid = 0
    for _ in range(4):
        rig.take_in(20_000)
        begun = len(rig.store.writes_s)
        rig.take_in(5_000)
        until(lambda: len(rig.store.writes_s) > begun)  # noqa: B023 - awaited here
        server.kill()
        amid += rig.settled < rig.taken_in
        rig.take_in(5_000)
        server.start()
    assert amid
    rig.wait_until_settled()
    rig.check_nothing_is_lost()
    assert rig.alarms == {}


def test_S2_one_bad_line_of_5000_is_set_aside_and_4999_are_stored(server, rig, logged):
    check_a_bad_line_of_5000_is_set_aside(rig, server.url)
    (line,) = [line for line in logged if line["event"] == "readings_refused"]
    assert (line["batch"], line["readings"], "batches" in line) == ("edge-1/e1/2346", 1, False)


def test_S3_a_server_that_takes_only_small_bodies_gets_small_ones(tmp_path):
    with InfluxServer({"INFLUXDB_HTTP_MAX_BODY_SIZE": "20000"}) as small:
        make_ready(small.url, "town")
        rig = Rig(tmp_path, small.url)
        rig.take_in(5_000)
        rig.start()
        rig.wait_until_settled()
        rig.check_nothing_is_lost()
        assert len(rig.store.writes_s) == 1
        rig.close()


def test_S4_a_store_that_refuses_hangs_resets_and_answers_halves_is_asked_patiently(tmp_path, server):
    with InfluxProxy(server) as proxy:
        wire = connect(influx_address(proxy.url_of("meterhouse")), answer_timeout_s=5.0)
        rig = Rig(tmp_path, "", store=InfluxStore(wire, Registry(CATALOGUE), time.time_ns))
        rig.take_in(1_000)
        rig.start()
        rig.wait_until_settled()
        said = ["busy", "broken", "reset", "half", "ok", "hang", "throttled"]
        proxy.script.extend(said)
        rig.take_in(1_000, rows=1_000)  # one message, so one group
        until(lambda: "store_unavailable" in rig.alarms)
        rig.wait_until_settled()
        assert not proxy.script
        rig.check_nothing_is_lost()
        assert rig.alarms == {}
        attempts_s = rig.store.writes_s[1:]
        pauses_s = [later - earlier for earlier, later in pairwise(attempts_s)]
        assert len(attempts_s) == len(said) + 1
        assert min(pauses_s[2:]) >= 1.0  # away for long: at most one request a second
        assert pauses_s[said.index("throttled")] >= 2.0  # as long as it asked for
        rig.close()


def test_S4_a_refusal_that_is_not_the_servers_own_costs_no_reading(tmp_path, server):
    with InfluxProxy(server) as proxy, closing(Rig(tmp_path, proxy.url_of("meterhouse"))) as rig:
        rig.take_in(500)
        rig.start()
        rig.wait_until_settled()
        proxy.script.extend(["stranger"] * 100)
        rig.take_in(500)
        until(lambda: "400 Bad Request" in rig.alarms.get("store_unavailable", ""))
        proxy.script.clear()
        rig.wait_until_settled()
        rig.check_nothing_is_lost()
        assert rig.quarantine.items(limit=10) == []


def test_S5_a_full_disk_is_told_and_once_there_is_room_everything_is_stored(tmp_path, small_disk):
    board = StatusBoard(open_records(f"sqlite:///{tmp_path / 'records.db'}"))
    with Supervisor(tmp_path / "logs") as supervisor:
        url = start_influxd(small_disk, supervisor, board)
        make_ready(url, "town")
        first = supervisor.pids()["influxd"]
        rig = Rig(tmp_path, url)
        try:
            filler = small_disk / "filler"
            rig.take_in(5_000)
            rig.start()
            rig.wait_until_settled()
            free = os.statvfs(small_disk)
            filler.write_bytes(bytes(max(free.f_bavail * free.f_frsize - 100_000, 0)))
            rig.take_in(40_000)
            until(lambda: "no space left" in rig.alarms.get("store_unavailable", ""))
            board.tell(this_instance(ServerProcess.INGEST, tmp_path), rig.status.as_status(0), 1.0)
            supervisor.watch(5)
            assert supervisor.pids()["influxd"] == first  # no use while the disk is full
            filler.unlink()
            with within(60):
                until(lambda: supervisor.watch(0.5) or rig.settled == rig.taken_in)
            assert supervisor.pids()["influxd"] != first
            rig.check_nothing_is_lost()
            assert rig.alarms == {}
        finally:
            rig.close()


def test_S6_a_write_that_influxd_applied_and_did_not_confirm_doubles_nothing(tmp_path, server):
    with InfluxProxy(server) as proxy:
        rig = Rig(tmp_path, proxy.url_of("meterhouse"))
        rig.take_in(1, start_ms=now_ms() - 2 * WEEK_MS)
        rig.start()
        rig.wait_until_settled()
        cursor = rig.store.changes(0).cursor
        # A write is three requests: the readings, the entries of the log, and the line that makes them count.
        proxy.script.extend(["nothing"] * 3)
        rig.take_in(5_000)
        rig.wait_until_settled()
        assert not proxy.script
        rig.check_nothing_is_lost()
        assert [last - first for first, last in rig.store.changes(cursor).ranges.values()] == [4_999 * 10]
        assert rig.alarms == {}
        rig.close()


def test_S6_an_influxd_that_stands_still_for_three_seconds_doubles_and_loses_nothing(tmp_path, server):
    wire = connect(influx_address(server.url), answer_timeout_s=1.0)
    rig = Rig(tmp_path, "", store=InfluxStore(wire, Registry(CATALOGUE), time.time_ns))
    rig.take_in(500)
    rig.start()
    rig.wait_until_settled()
    server.signal(signal.SIGSTOP)
    try:
        rig.take_in(5_000)
        until(lambda: "does not answer" in rig.alarms.get("store_unavailable", ""))
        time.sleep(2)
        assert rig.settled == 500
    finally:
        server.signal(signal.SIGCONT)
    rig.wait_until_settled()
    rig.check_nothing_is_lost()
    assert rig.alarms == {}
    rig.close()


def test_S7_what_influxd_loses_with_a_damaged_log_comes_back_from_the_journal(server, rig):
    rig.take_in(50_000, rows=1_000)
    rig.start()
    rig.wait_until_settled()
    rig.pause()
    server.kill()
    log = max((server.folder / "wal" / "meterhouse" / "raw").rglob("*.wal"), key=lambda file: file.stat().st_size)
    whole = bytearray(log.read_bytes())
    whole[5] ^= 0xFF  # the first byte of the first entry's text
    log.write_bytes(whole)
    server.start()
    lost = rig.taken_in - sum(total.count for total in rig.store.totals().values())
    assert lost > 0
    rig.start()
    answers = []
    rig.parts.housekeeping.asked.append(answers.append)
    until(lambda: answers)
    rig.check_nothing_is_lost()
    assert "store_had_lost" in rig.alarms


def test_S8_a_reading_older_than_what_is_kept_is_set_aside_at_once(tmp_path):
    with InfluxServer() as server:
        make_ready(server.url, "town", Retention(raw_days=1))
        rig = Rig(tmp_path, server.url)
        check_what_is_too_old_is_set_aside_at_once(rig)
        rig.close()


@pytest.mark.parametrize(
    ("break_it", "said", "mend_it"),
    [
        ("SET PASSWORD FOR meterhouse = 'another'", "401", None),
        ("DROP DATABASE meterhouse", "404", "store init"),
    ],
)
def test_S9_a_store_that_knows_us_no_more_raises_an_alarm_and_costs_no_reading(server, rig, break_it, said, mend_it):
    rig.take_in(500)
    rig.start()
    rig.wait_until_settled()
    admin = connect(influx_address(server.url))
    admin.ask_json(break_it)
    rig.take_in(500)
    until(lambda: said in rig.alarms.get("store_unavailable", ""))
    time.sleep(1)
    assert rig.settled == 500
    if mend_it:
        assert f"run meterhouse {mend_it}" in rig.alarms["store_unavailable"]
        make_ready(server.url, "town")
    else:
        with pytest.raises(StoreUnavailable, match="check the user and password"):
            admin.ask_json("SHOW DATABASES")
        secret = server.server.password
        again = connect(influx_address(server.url.replace(secret, "another")))
        again.ask_json(f"SET PASSWORD FOR meterhouse = '{secret}'")
        again.client.close()
    admin.client.close()
    rig.wait_until_settled()
    assert rig.alarms == {}
    if mend_it is None:
        rig.check_nothing_is_lost()
    else:  # what the database held went with it; what came since is there
        assert rig.store.totals()[POWER].count == 500


def wrong_password(server):
    make_ready(server.url, "town")
    return server.url.replace(server.server.password, "another")


def no_database(server):
    return server.url


def another_site(server):
    make_ready(server.url, "village")
    return server.url


def newer_schema(server):
    make_ready(server.url, "town")
    wire = connect(influx_address(server.url))
    wire.write("daily", b'meterhouse schema=2i,site="town" %d' % (now_ms() + 1))
    wire.client.close()
    return server.url


def dead_server(server):
    make_ready(server.url, "town")
    server.kill()
    return server.url


def set_password(server):
    ask(server, "SET PASSWORD FOR meterhouse = 'another'")


def prepare(server):
    ask(server, "DROP DATABASE meterhouse")
    make_ready(server.url, "town")


def ask(server, query):
    admin = connect(influx_address(server.url))
    admin.ask_json(query)
    admin.client.close()


@pytest.mark.parametrize(
    ("break_it", "said", "mend"),
    [
        (wrong_password, "check the user and password", set_password),
        (no_database, "run meterhouse store init", prepare),
        (another_site, "holds the readings of site 'village', the registry is of site 'town'", prepare),
        (newer_schema, "written by a newer Meterhouse (schema 2, this one reads 1)", prepare),
        (dead_server, "does not answer", InfluxServer.start),
    ],
)
def test_S9_a_store_that_would_take_nothing_is_told_before_the_first_reading(tmp_path, break_it, said, mend):
    with InfluxServer() as server, closing(Rig(tmp_path, break_it(server))) as rig:
        rig.start()
        until(lambda: said in rig.alarms.get("store_unavailable", ""))
        mend(server)
        until(lambda: rig.alarms == {})
        assert rig.store.writes_s == []
        rig.take_in(500)
        rig.wait_until_settled()
        rig.check_nothing_is_lost()


def test_S9_a_store_that_goes_away_while_nothing_comes_is_told(server, rig, monkeypatch):
    monkeypatch.setattr(store_writer, "PROBE_EVERY_S", 0.5)
    rig.take_in(500)
    rig.start()
    rig.wait_until_settled()
    server.kill()
    until(lambda: "does not answer" in rig.alarms.get("store_unavailable", ""))
    server.start()
    until(lambda: rig.alarms == {})
    rig.check_nothing_is_lost()
