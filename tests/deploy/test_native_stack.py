"""The server of docker-compose.yml as native processes: its scripts and configuration, real databases, a real broker.

The demo's estate runs through them from simulated registers to a page and to alerts.
"""

import os
import re
import signal
import ssl
import sys
import time
import urllib.request
from contextlib import ExitStack
from datetime import UTC, datetime
from http.cookiejar import CookieJar

import pytest
import urllib3
from rigs.command_line import meterhouse
from rigs.influx2_server import need_influxd2
from rigs.native_stack import COMPOSE, SCRIPTS, SERVER, EmptyInflux2, NativeStack, ProfilePostgres, secret_folder
from rigs.patience import PATIENCE_S, until
from rigs.postgres_server import need_postgres
from rigs.servers import free_port, need_mosquitto

from demo.estate import AGENT, Addresses, write_site
from demo.history import write_history
from demo.shift import open_shift
from demo.world import World
from device_profiles import load_profiles
from facility.broker_address import password_variable
from meterhouse.control import Control
from meterhouse.demo.progress import read_state
from meterhouse.demo.report import compare_alerts, conservation
from meterhouse.demo.run import device_topics
from meterhouse.servers.broker import start_broker
from meterhouse.servers.broker_files import TopicRights
from meterhouse.up.prepare import ServerFolder, broker_url
from meterhouse.up.settings import UpSettings
from stores.records.database import open_records
from stores.records.status.board import StatusBoard
from stores.site_file import read_site

pytestmark = pytest.mark.thorough

DAY_MS = 86_400_000
HISTORY_DAYS = 60
"""Of the fifteen months that the demo itself replays."""

LEARNED_FOR_LONGER = "continuous_flow"
"""What a meter's nights were like before is learned over more than that."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    need_mosquitto()
    need_influxd2()
    need_postgres()
    folder = tmp_path_factory.mktemp("stack")
    with ExitStack() as opened:
        word = (secret_folder(folder) / "password").read_text()
        databases = opened.enter_context(EmptyInflux2()), opened.enter_context(ProfilePostgres(word))
        made = NativeStack(folder, *databases)
        opened.callback(made.end)
        prepared = made.prepare()
        assert prepared.returncode == 0, prepared.stderr
        yield made


def test_prepare_makes_every_secret_and_done_again_changes_none(stack):
    kept = {
        path: path.read_bytes() for folder in (stack.data, stack.given) for path in folder.rglob("*") if path.is_file()
    }
    assert {"influx_url", "influx_token", "influx_database", "admin_password"} == {
        path.name for path in stack.given.iterdir()
    }
    assert [path for path in kept if path.suffix != ".pem" and path.stat().st_mode & 0o077] == []
    assert not (stack.data / "records.db").exists()
    again = stack.prepare()
    assert again.returncode == 0, again.stderr
    changed = [path for path, content in kept.items() if path.read_bytes() != content]
    assert changed == []


def test_what_prepare_was_told_holds_for_every_later_command(stack):
    """In a container a command knows the data folder and nothing else."""
    shown = meterhouse("settings", "show", data=stack.data).stdout
    for name in ("METERHOUSE_STORE", "METERHOUSE_RECORDS", "METERHOUSE_LISTEN", "METERHOUSE_BROKER_AT"):
        assert re.search(rf"{name}\s.*settings\.env:\d+", shown), shown
    forgetful = stack.prepare(METERHOUSE_BROKER_AT="")
    assert forgetful.returncode == 0, forgetful.stderr
    assert f"METERHOUSE_BROKER_AT=localhost:{stack.broker}\n" in (stack.data / "settings.env").read_text()


def test_grafanas_account_reads_one_levels_database_and_nothing_else(stack):
    """Whatever it asks for, and in whichever language; what it must not see lies in the store beside it."""
    token = (stack.given / "influx_token").read_text()
    assert (stack.given / "influx_database").read_text() == "meterhouse-internal"
    http = urllib3.PoolManager(headers={"Authorization": f"Token {token}"}, retries=False)
    owner = urllib3.PoolManager(headers={"Authorization": f"Token {stack.token()}"}, retries=False)
    api = stack.influx.address
    for database in ("meterhouse", "meterhouse-internal"):
        place = f"{api}/api/v2/write?org=meterhouse&bucket={database}%2Fdaily"
        assert owner.request("POST", place, body="building_1d,building=b qty=7 1000000000000000000").status == 204

    def asked(database):
        query = f'SELECT qty FROM "{database}"."daily"."building_1d"'  # noqa: S608 - our own words
        return http.request("GET", f"{api}/query", fields={"db": database, "q": query}).data.decode()

    assert "qty" in asked("meterhouse-internal")
    assert "qty" not in asked("meterhouse")
    flux = 'from(bucket: "meterhouse/daily") |> range(start: 0)'
    answer = http.request("POST", f"{api}/api/v2/query?org=meterhouse", json={"query": flux})
    assert (answer.status != 200, b"qty" in answer.data) == (True, False)
    shown = http.request("GET", f"{api}/api/v2/buckets").json()["buckets"]
    assert {one["name"].partition("/")[0] for one in shown} == {"meterhouse-internal"}
    line = "reading,site=x value=1"
    written = http.request("POST", f"{stack.influx.address}/api/v2/write?org=meterhouse&bucket=meterhouse", body=line)
    assert written.status in {401, 403, 404}
    made = http.request("POST", f"{stack.influx.address}/api/v2/buckets", json={"name": "mine", "orgID": "x"})
    assert made.status in {401, 403, 404, 400}


class DemoEstate:
    """The demo's meters beside a stack: Modbus by TCP and by a serial line, sensors by a broker of their own."""

    def __init__(self, stack):
        self.stack, self.folder = stack, stack.folder / "demo"
        self.folder.mkdir()
        self.shift = open_shift(self.folder, datetime.now(UTC), None)
        topics = tuple(device_topics())
        sides = {"devices": TopicRights(writes=topics), "edge-devices": TopicRights(reads=topics)}
        self.radio = start_broker(self.folder / "radio", sides)
        places = {"gateway_port": free_port(), "line_port": free_port(), "broker": self.radio.url_for("edge-devices")}
        self.site = write_site(self.folder, self.shift, Addresses.on_this_machine(self.folder, **places))
        kept = self.site.read_text().replace("id: demo-estate", "id: site")  # as "prepare" has called it
        self.site.write_text(kept)
        profiles = load_profiles()
        world = World(self.shift, read_site(self.site, profiles), profiles)
        now_ms = time.time_ns() // 1_000_000
        write_history(self.folder / "history", world, now_ms, lived_until_ms=now_ms - HISTORY_DAYS * DAY_MS)

    def start(self, join):
        devices = {"METERHOUSE_DATA": str(self.folder), "METERHOUSE_DEVICES_BROKER": self.radio.url_for("devices")}
        self.stack.start("devices", sys.executable, "-m", "demo.devices", **devices)
        words = COMPOSE["edge"]["command"]
        assert words[:3] == ["meterhouse", "edge", "--join"]
        self.stack.start("edge", *words[:3], str(join), **{
            "METERHOUSE_DATA": str(self.folder / "device"),
            "METERHOUSE_REPLAY": str(self.folder / "history"),
            "METERHOUSE_BACKLOG_RATE": "0",
            "METERHOUSE_BACKLOG_DELAY_S": "0",
            password_variable("radio"): self.radio.words["edge-devices"],
        })  # fmt: skip

    @property
    def outbox(self):
        return self.folder / "device" / "outbox.db"


@pytest.fixture(scope="module")
def estate(stack):
    """Broker by its entry script, processes by their commands, one agent by its join file; returns once all is looked
    through."""
    with ExitStack() as leave:
        leave.callback(stack.end)
        stack.start("mosquitto", SCRIPTS / "mosquitto.sh", place=stack.data / "broker")
        demo = DemoEstate(stack)
        leave.callback(demo.radio.stop)
        applied = meterhouse("site", "apply", str(demo.site), "--accept", data=stack.data)
        assert applied.returncode == 0, applied.stderr
        stack.start("ingest", *COMPOSE["ingest"]["command"])
        added = meterhouse("agent", "add", AGENT, "--out", str(stack.folder / "edge-1.join"), data=stack.data)
        assert added.returncode == 0, added.stderr
        demo.start(stack.folder / "edge-1.join")
        records = open_records(stack.kept("METERHOUSE_RECORDS"))
        leave.callback(records.dispose)
        board = StatusBoard(records)

        def await_(is_so):
            until(
                lambda: stack.check() or is_so(read_state(board)),
                limit_s=PATIENCE_S * 4,
                says=lambda: "\n".join(map(stack.said, stack.processes)),
                pause_s=1,
            )

        await_(lambda state: state.history >= 1)  # what came before is looked through once, as analytics begins
        for name in ("analytics", "console"):
            stack.start(name, *COMPOSE[name]["command"])
        await_(lambda state: state.is_analysed and state.live_samples > 50)
        for name in SERVER:
            until(lambda one=name: stack.is_healthy(one), says=lambda one=name: stack.said(one), pause_s=1)
        yield demo


@pytest.mark.long
def test_the_demos_readings_come_through_the_same_files_and_every_one_is_counted(stack, estate):
    records, store = open_records(stack.kept("METERHOUSE_RECORDS")), stack.kept("METERHOUSE_STORE")
    operator = broker_url(ServerFolder(stack.data), stack.settings(UpSettings), "operator")
    with Control(operator, AGENT) as control:
        control.send("pause")

        def is_level():
            counted = conservation(estate.outbox, store, records)
            return counted.produced == counted.stored + counted.quarantined > 20_000 and counted.sum_error < 1e-3

        until(is_level, says=lambda: str(conservation(estate.outbox, store, records)), pause_s=1)
        control.send("resume")
    found, _ = compare_alerts(records, estate.shift, datetime.now(UTC))
    records.dispose()
    assert {fault["kind"] for fault in found if not fault["found"]} <= {LEARNED_FOR_LONGER}


@pytest.mark.long
def test_its_buildings_stand_on_the_page_by_tls_for_who_has_the_link(stack, estate):
    link = meterhouse("sign-in", "--as", "Ada", data=stack.data).stdout.strip()
    assert link.startswith(f"https://127.0.0.1:{stack.console}/sign-in?token=")
    trusts = ssl.create_default_context(cafile=str(stack.data / "secrets/ca.pem"))
    browser = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=trusts), urllib.request.HTTPCookieProcessor(CookieJar())
    )
    page, token = link.split("?")
    with browser.open(page, token.encode(), PATIENCE_S) as answer:
        assert answer.url.endswith("/account/second-factor"), "an administrator is asked for a phone first"
    with browser.open(f"https://127.0.0.1:{stack.console}/", timeout=PATIENCE_S) as answer:
        text = answer.read().decode()
    assert "Building b33" in text


@pytest.mark.long
def test_its_dashboards_are_made_for_grafana(stack, estate):
    assert stack.prepare().returncode == 0
    assert len(list((stack.boards / "en").glob("*.json"))) >= 12


@pytest.mark.long
def test_who_makes_no_progress_is_not_well(stack, estate):
    os.kill(stack.processes["console"].pid, signal.SIGSTOP)
    pulse = stack.data / "console.pulse"
    os.utime(pulse, (pulse.stat().st_mtime - 3600,) * 2)
    stuck = meterhouse("healthy", "console", data=stack.data)
    os.kill(stack.processes["console"].pid, signal.SIGCONT)
    assert (stuck.returncode, "has made no progress" in stuck.stderr) == (1, True)


def test_an_influxdb_that_somebody_else_has_set_up_is_left_alone(stack, tmp_path):
    refused = meterhouse("prepare", "--begin", "--influx", stack.influx.address, data=tmp_path / "other")
    assert refused.returncode == 2
    assert "was set up by somebody else" in refused.stderr


def test_a_site_keeps_the_id_under_which_its_readings_stand(stack, tmp_path):
    site = (stack.data / "site.yaml").read_text()
    (tmp_path / "site.yaml").write_text(re.sub(r"(?m)^  id: site\b", "  id: other", site))
    refused = meterhouse("site", "apply", str(tmp_path / "site.yaml"), data=stack.data)
    assert refused.returncode == 2
    assert "holds the readings of 'site': a site keeps its id (allowed: site)" in refused.stderr
    exported = meterhouse("site", "export", data=stack.data).stdout
    assert re.search(r"(?m)^  id: site\b", exported)


def test_records_that_are_there_are_not_left_behind(stack, tmp_path):
    assert meterhouse("prepare", "--begin", data=tmp_path).returncode == 0
    kept = (tmp_path / "settings.env").read_bytes()
    asked = ("prepare", "--begin", "--postgres", f"127.0.0.1:{stack.postgres.port}", "--postgres-password")
    password = secret_folder(stack.folder) / "password"
    for file, sentence in (
        (tmp_path / "none", "cannot be read"),
        (password, f"the records of this server stand in {tmp_path}/records.db"),
    ):
        refused = meterhouse(*asked, str(file), data=tmp_path)
        assert (refused.returncode, sentence in refused.stderr) == (2, True), refused.stderr
    assert (tmp_path / "settings.env").read_bytes() == kept
