"""One command brings a server up, safely; what cannot be is one sentence, and nothing has changed."""

import os
import re
import signal
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from rigs.certificates import Authority
from rigs.patience import PATIENCE_S, until
from rigs.site_server import SiteServer, newer

from facility.errors import ConfigError
from meterhouse.commands.access import LINK_VALID_S
from meterhouse.up.folder import holder
from meterhouse.up.prepare import ServerFolder
from meterhouse.up.run import RunningServer
from meterhouse.up.settings import UpSettings
from stores.records.database import open_records
from stores.records.people import People


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A server that runs, as two commands make one."""
    with SiteServer(tmp_path_factory.mktemp("site") / "data") as server:
        server.make()
        server.said = server.start()
        yield server


@pytest.fixture
def resting(tmp_path):
    """A server that has its files and does not run."""
    with SiteServer(tmp_path / "data") as server:
        server.make()
        yield server


def test_the_page_answers_by_tls_of_the_sites_own_authority(site):
    assert site.open("/health") == (200, '{"state":"ok"}')
    assert f"running: {site.address}" in site.said


def test_a_wrong_ca_is_refused_by_the_client_and_plaintext_by_the_server(site, tmp_path):
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        site.open("/health", Authority(tmp_path).ca)
    for port in (site.console, site.broker):
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with suppress(ConnectionResetError):
                assert b"HTTP" not in plain.recv(100)


def test_the_first_administrator_comes_in_by_the_printed_link_once(site):
    link = re.search(r"https://\S+/sign-in\?token=\S+", site.said)[0]
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]
    assert _signed_in(site, token)[0] == 200
    status, page = _signed_in(site, token)
    assert status == 403
    assert 'role="alert"' in page


def _signed_in(site, token):
    trusts = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(site.ca)))
    browser = urllib.request.build_opener(trusts, urllib.request.HTTPCookieProcessor(CookieJar()))
    form = urllib.parse.urlencode({"token": token}).encode()
    try:
        with browser.open(f"{site.address}/sign-in", form, PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_an_expired_link_is_one_sentence(site):
    records = open_records(f"sqlite:///{site.folder}/records.db")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for token in (People(records).invite("Ada", yesterday, LINK_VALID_S), "unknown.token"):
        status, page = _signed_in(site, token)
        assert (status, page.count('role="alert"')) == (403, 1)
    records.dispose()


def test_everything_listens_to_this_machine_alone_by_default(site):
    inodes = {
        link.split("[")[1][:-1]
        for pid in site.pids().values()
        for fd in Path(f"/proc/{pid}/fd").iterdir()
        if (link := _link(fd)).startswith("socket:")
    }
    listening = {row[1].split(":")[0] for row in _tcp() if row[3] == "0A" and row[9] in inodes}
    assert listening == {"0100007F"}


def _link(fd):
    try:
        return str(fd.readlink())
    except OSError:
        return ""


def _tcp():
    return [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]


def test_no_secret_lies_open_or_stands_in_a_command_line(site):
    open_files = [
        path
        for path in site.folder.rglob("*")
        if path.is_file() and path.suffix != ".pem" and path.stat().st_mode & 0o077
    ]
    assert open_files == []
    words = re.findall(r'": "([^"]+)"', (site.folder / "secrets" / "passwords.json").read_text())
    assert len(words) == len(set(words)) >= 4
    assert all(len(word) >= 40 for word in words)
    spoken = [_bytes(f"/proc/{pid}/cmdline") for pid in site.pids().values()] + [
        site.logs().encode(),
        site.said.encode(),
    ]
    assert not [word for word in words for text in spoken if word.encode() in text]


def _bytes(path):
    return Path(path).read_bytes()


def test_a_second_server_on_the_folder_is_refused(site):
    refused = site.run("up")
    assert refused.returncode == 2
    assert refused.stderr.strip() == f"a server already runs in {site.folder}; 'meterhouse down' ends it"


def test_who_gets_nowhere_or_dies_is_started_anew(site):
    before = site.pids()
    assert before.keys() == {"broker", "ingest", "analytics", "console"}
    os.kill(before["ingest"], signal.SIGKILL)
    os.kill(before["broker"], signal.SIGKILL)
    until(lambda: all(name in site.pids() and site.pids()[name] != before[name] for name in ("ingest", "broker")))
    assert site.pids()["console"] == before["console"]
    status = site.run("status")
    assert status.returncode == 0 or until(lambda: site.run("status").returncode == 0, pause_s=1)


def test_restart_begins_anew_with_what_the_settings_say_now(site):
    before = holder(site.folder)
    site.set("METERHOUSE_SESSION_HOURS", "3")
    restarted = site.run("restart")
    assert restarted.returncode == 0, restarted.stderr
    after = holder(site.folder)
    assert (after.pid, after.begun > before.begun) == (before.pid, True)
    assert b"METERHOUSE_SESSION_HOURS=3" in _bytes(f"/proc/{site.pids()['console']}/environ")
    assert site.open("/health")[0] == 200


def test_restart_with_settings_that_cannot_be_used_leaves_it_running(site):
    file = site.folder / "settings.env"
    kept = file.read_text()
    try:
        file.write_text(kept[: len(kept) // 2])
        refused = site.run("restart")
    finally:
        file.write_text(kept)
    assert refused.returncode == 2
    assert "written by half" in refused.stderr
    assert site.open("/health")[0] == 200


def test_who_supervises_may_be_killed_and_the_command_given_again(resting):
    resting.start()
    pids = resting.pids()
    os.kill(holder(resting.folder).pid, signal.SIGKILL)
    until(lambda: not [pid for pid in pids.values() if _runs(pid)])
    ca = resting.ca.read_bytes()
    resting.start()
    assert resting.open("/health")[0] == 200
    assert resting.ca.read_bytes() == ca
    down = resting.run("down")
    assert (down.returncode, holder(resting.folder)) == (0, None)
    assert resting.run("down").stderr.strip() == f"no server runs in {resting.folder}"


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _state(folder):
    beside = {"up.lock", "up.json"}
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name not in beside}


def _refused(server, sentence, *words, **env):
    before = _state(server.folder)
    done = server.run("up", *words, **env)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert re.search(sentence, done.stderr), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert _state(server.folder) == before
    assert holder(server.folder) is None


def test_what_is_wrong_is_one_sentence_and_changes_nothing(resting, tmp_path):
    for where, port in (("METERHOUSE_LISTEN", resting.console), ("METERHOUSE_BROKER_LISTEN", resting.broker)):
        with socket.create_server(("127.0.0.1", port)):
            _refused(resting, rf"{where}: 127\.0\.0\.1:{port} cannot be listened on \(Address already in use\)")
    _refused(resting, "METERHOUSE_LISTEN: 'nowhere' is no host:port", METERHOUSE_LISTEN="nowhere")
    _refused(resting, "METERHOUSE_LOG_LEVEL: 'loud' cannot be used", METERHOUSE_LOG_LEVEL="loud")
    _refused(resting, "METERHOUSE_TICK_S: 'often' cannot be used", METERHOUSE_TICK_S="often")
    _refused(resting, "the certificate .* ends on .*, in (0 days|1 day)", **_given(tmp_path))
    _refused(resting, "given together", METERHOUSE_CERT="/some.pem")
    site = (resting.folder / "site.yaml").read_text()
    (resting.folder / "site.yaml").write_text(site.replace("timezone: ", "timezone: Mars/"))
    _refused(resting, r"site.yaml:6: unknown time zone 'Mars")
    (resting.folder / "site.yaml").write_text(site)
    settings = (resting.folder / "settings.env").read_text()
    (resting.folder / "settings.env").write_text(settings[: len(settings) // 2])
    _refused(resting, "settings.env: ends too early: it was written by half")
    (resting.folder / "settings.env").write_text(settings)
    newer(resting.folder)
    _refused(resting, "was written by a newer Meterhouse")
    for words in (("prepare",), ("restart",), ("agent", "list"), ("prepare", "--begin")):
        before = _state(resting.folder)
        done = resting.run(*words)
        assert (done.returncode, "newer Meterhouse" in done.stderr) == (2, True), (words, done.stderr)
        assert _state(resting.folder) == before


def _given(folder):
    certificate, key = Authority(folder).sign("given", "IP:127.0.0.1")
    return {"METERHOUSE_CERT": str(certificate), "METERHOUSE_KEY": str(key)}


def test_without_files_of_a_server_it_says_how_to_make_them(tmp_path):
    with SiteServer(tmp_path / "data") as server:
        done = server.run("up")
    assert done.returncode == 2
    assert done.stderr.strip() == f"there is no server in {tmp_path / 'data'}: 'meterhouse init' makes one"
    assert not (tmp_path / "data").exists()


def test_records_of_a_newer_meterhouse_are_refused_by_every_process(resting):
    newer(resting.folder)
    for process in ("ingest", "analytics", "console", "edge"):
        done = resting.run(process, METERHOUSE_AGENT="edge-1", METERHOUSE_BROKER="mqtt://a:b@127.0.0.1:1")
        assert (done.returncode, "newer Meterhouse" in done.stderr) == (2, True), done.stderr


def test_without_mosquitto_only_a_trial_of_this_machine_is_started(resting, monkeypatch):
    """The embedded broker has no rights and forgets: nobody gets it without asking."""
    monkeypatch.setattr("meterhouse.up.run.find_mosquitto", lambda: None)
    monkeypatch.setenv("METERHOUSE_DATA", str(resting.folder))
    settings = UpSettings(listen=resting.listen, broker_listen=f"127.0.0.1:{resting.broker}")
    folder = ServerFolder(resting.folder)
    with pytest.raises(ConfigError, match=r"no MQTT broker: install mosquitto .* or try .* with --trial"):
        _start(RunningServer(folder, settings))
    wide = settings.model_copy(update={"broker_listen": f"192.0.2.1:{resting.broker}"})
    with pytest.raises(ConfigError, match="listens to this machine alone"):
        _start(RunningServer(folder, wide, trial=True))
    trial = RunningServer(folder, settings, trial=True)
    try:
        trial.start()
        trial.wait_until_ready()
        assert resting.open("/health")[0] == 200
        assert trial.supervisor.pids().keys() == {"ingest", "analytics", "console"}
    finally:
        trial.stop()


def _start(server):
    try:
        server.start()
    finally:
        server.stop()
