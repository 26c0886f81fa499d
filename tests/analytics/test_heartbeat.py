"""The word outward that all is well: whoever watches there hears nothing while it is not, and no log tells the key."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from rigs.patience import until

from analytics.heartbeat import Heartbeat
from facility.errors import ConfigError, StoreUnavailable
from facility.status import AgentStatus, Instance, Overview, ProcessSeen, ProcessStatus

KEY = "k3y-0f-the-site"
AGENT = AgentStatus("edge-1", "online", 1.0)


def process(name, alarms=(), untold_s=0.0):
    status = ProcessStatus(alarms=dict.fromkeys(alarms, ""))
    return ProcessSeen(Instance(name, "north", "/data", 1), status, untold_s, 600.0)


WELL = Overview([process("ingest"), process("analytics"), process("console")], [AGENT])
DEGRADED = Overview([process("ingest"), process("analytics"), process("console", untold_s=90)], [AGENT])
DOWN = Overview([process("ingest", untold_s=90), process("analytics")], [AGENT])
UNHEARD = Overview([process("ingest"), process("analytics", ["heartbeat_fails"])], [AGENT])


class Watcher(ThreadingHTTPServer):
    """Somebody outside; answers with ``code``."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Heard)
        self.heard, self.code = [], 200
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Heard(BaseHTTPRequestHandler):
    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        self.server.heard.append((self.command, self.path, self.rfile.read(length)))
        self.send_response(self.server.code)
        self.send_header("Location", f"/moved/{len(self.server.heard)}")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - http.server's own name

    def log_message(self, *_):
        pass


@contextmanager
def beating(url, method, overview):
    stop = threading.Event()
    heartbeat = Heartbeat(url, method, 0.02, overview, stop)
    with heartbeat:
        yield heartbeat
    stop.set()
    if url:
        heartbeat._thread.join()


def sent(watcher, method, overview, path=f"/ping/{KEY}", words=2):
    """What arrives outside while Meterhouse stands so; where nothing should, what came in some rounds."""
    rounds = []

    def seen():
        rounds.append(None)
        return overview

    watcher.heard.clear()
    with beating(watcher.url + path, method, seen):
        until(lambda: len(watcher.heard) >= words and len(rounds) > 4)
    return {(what, where, body) for what, where, body in watcher.heard}


@pytest.fixture(scope="module")
def watcher():
    with Watcher() as made:
        yield made


def test_by_post_the_state_is_told_and_nothing_else(watcher):
    ((what, where, body),) = sent(watcher, "post", WELL)
    assert (what, where, json.loads(body)) == ("POST", f"/ping/{KEY}", {"state": "well"})
    ((_, _, body),) = sent(watcher, "post", DEGRADED)
    assert json.loads(body) == {"state": "degraded"}


def test_by_get_only_what_is_well_is_told_unless_the_address_has_a_place_for_the_state(watcher):
    assert sent(watcher, "get", WELL) == {("GET", f"/ping/{KEY}", b"")}
    assert sent(watcher, "get", DEGRADED, words=0) == set()
    assert sent(watcher, "get", DEGRADED, path="/push?msg={state}") == {("GET", "/push?msg=degraded", b"")}


@pytest.mark.parametrize("method", ["post", "get"])
def test_where_no_readings_are_taken_in_silence_is_the_word(watcher, method):
    assert sent(watcher, method, DOWN, path="/?s={state}", words=0) == set()


def test_where_nobody_can_see_silence_is_the_word(watcher):
    rounds = []

    def away():
        rounds.append(None)
        raise StoreUnavailable("gone")

    watcher.heard.clear()
    with beating(watcher.url, "post", away):
        until(lambda: len(rounds) > 4)
    assert watcher.heard == []


def test_that_it_was_not_heard_does_not_keep_it_from_being_told_again(watcher):
    assert sent(watcher, "get", UNHEARD) == {("GET", f"/ping/{KEY}", b"")}


def test_a_watcher_that_is_away_is_one_line_and_an_alarm_and_the_key_is_in_neither(watcher, logged):
    watcher.code = 500
    try:
        with beating(f"{watcher.url}/ping/{KEY}", "post", lambda: WELL) as heartbeat:
            status = heartbeat.beside(ProcessStatus)
            until(lambda: "heartbeat_fails" in status().alarms)
            assert status().alarms == {"heartbeat_fails": "the answer was 500"}
            watcher.code = 200
            until(lambda: not status().alarms)
    finally:
        watcher.code = 200
    assert [line["event"] for line in logged] == ["heartbeat_fails", "heartbeat_arrives_again"]
    with beating(f"http://127.0.0.1:9/{KEY}", "post", lambda: WELL) as heartbeat:
        until(lambda: heartbeat.beside(ProcessStatus)().alarms)
    assert KEY not in str(logged)


def test_an_address_that_sends_us_elsewhere_has_not_answered(watcher):
    watcher.code = 302
    try:
        with beating(f"{watcher.url}/ping", "get", lambda: WELL) as heartbeat:
            until(lambda: heartbeat.beside(ProcessStatus)().alarms)
    finally:
        watcher.code = 200
    assert {where for _, where, _ in watcher.heard if where.startswith("/moved")} == set()


@pytest.mark.parametrize(
    "url", ["watch.site", "ftp://watch/x", "http://u:pw@watch/x", "http://watch/a b", "http://", "file:///etc"]
)
def test_what_is_no_address_is_one_sentence_that_does_not_repeat_it(url):
    with pytest.raises(ConfigError) as raised:
        Heartbeat(url, "post", 60, lambda: WELL, threading.Event())
    assert str(raised.value).startswith("METERHOUSE_HEARTBEAT: cannot be used (allowed: an address such as")
    assert url not in str(raised.value)


def test_without_an_address_nobody_is_told():
    with beating("", "post", lambda: WELL) as heartbeat:
        assert not heartbeat._thread.is_alive()
        assert not heartbeat.beside(ProcessStatus)().alarms
