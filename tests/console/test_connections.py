"""Whoever connects and does nothing, or too little, holds neither descriptors nor memory nor the log of the console."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import ExitStack, contextmanager, suppress

import h11
import httpx
import pytest
from rigs.certificates import Authority
from rigs.console_process import ConsoleProcess, is_ended, trickle
from rigs.hasty_console import HASTE
from rigs.patience import until

from console.connections import FEWEST, LIMITS_S, MOST, READ_S, most_connections
from console.seats import MOST_EACH

FORM = "Content-Type: application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def console(sample):
    with ConsoleProcess(sample) as running:
        yield running


@pytest.fixture
def opened():
    with ExitStack() as stack:
        yield stack


def all_ended(them):
    until(lambda: all(is_ended(one) for one in them))


def test_nobody_is_waited_for_half_a_minute():
    assert LIMITS_S[h11.IDLE] + LIMITS_S[h11.SEND_BODY] <= 30
    assert READ_S < 30
    assert HASTE == 10


def test_who_says_nothing_at_all_is_sent_away(console, opened):
    them = [opened.enter_context(console.stranger()) for _ in range(20)]
    all_ended(them)
    assert console.answers()


def test_headers_that_come_byte_by_byte_are_not_waited_for(console, opened):
    one = opened.enter_context(console.stranger())
    sent = trickle(one, b"X-Slow: a\r\n" * 40)
    assert sent < 400  # a tenth of ten seconds, a busy machine aside
    assert console.answers()


def test_headers_of_a_second_request_are_waited_for_no_longer(console, opened):
    one = opened.enter_context(console.stranger(console.head("/health")))
    until(lambda: one.recv(65_536))
    assert trickle(one, b"GET /health HTTP/1.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n") < 400


def test_a_body_that_comes_byte_by_byte_is_not_waited_for(console, opened):
    head = console.head("/sign-in", FORM, "Content-Length: 9000", method="POST")
    assert trickle(opened.enter_context(console.stranger(head)), b"token=aaaa") < 400
    chunked = console.head("/sign-in", FORM, "Transfer-Encoding: chunked", method="POST")
    assert trickle(opened.enter_context(console.stranger(chunked)), b"1\r\na\r\n") < 400
    assert "Traceback" not in console.said


def test_who_does_not_read_what_is_answered_is_sent_away(console, opened):
    many = console.head("/static/htmx.min.js") * 400  # tens of megabytes, if it were read
    one = opened.enter_context(console.stranger(receives=4096))
    one.setblocking(False)
    sent = 0
    while sent < len(many):
        try:
            sent += one.send(many[sent:])
        except BlockingIOError:
            break
    until(lambda: _is_cut(one))
    assert console.memory_mib < 300
    assert console.answers()


def _is_cut(one):
    try:
        one.send(b"GET")
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return False


def test_headers_without_end_are_refused(console, opened):
    for begin, more in ((b"GET / HTTP/1.1\r\n", b"X-Many: " + b"a" * 4000 + b"\r\n"), (b"", b"a" * 4000)):
        assert trickle(opened.enter_context(console.stranger(begin)), more, whole=True, pause_s=0) < 1000
    assert console.memory_mib < 300


def test_requests_that_come_at_once_are_answered_in_their_order(console, opened):
    asked = console.head("/health") * 50 + console.head("/health", "Connection: close")
    one = opened.enter_context(console.stranger(asked))
    answer = b""
    while more := one.recv(65_536):
        answer += more
    assert answer.count(b"HTTP/1.1 200 OK") == 51


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n b: folded\r\n\r\nGET",
        b"GET /%ff%00/../.. HTTP/1.1\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n",
        b"\r\n" * 5000,
        bytes(range(256)) * 20,
    ],
)
def test_what_is_no_request_of_ours_breaks_nothing(console, opened, said):
    one = opened.enter_context(console.stranger(said))
    until(lambda: is_ended(one))
    assert console.answers()
    assert "Traceback" not in console.said
    assert " 500 " not in console.said


def test_sixty_streams_at_once_get_a_dozen_seats(console, sample, opened):
    session = sample.session_now("Crowd")
    asked = console.head("/events", f"Cookie: meterhouse_session={session}")
    crowd = [opened.enter_context(console.stranger(asked)) for _ in range(60)]
    statuses = [one.recv(12)[9:] for one in crowd]
    assert statuses.count(b"200") == MOST_EACH
    assert statuses.count(b"429") == 60 - MOST_EACH
    for one in crowd:
        one.close()
    with console.client(session) as client:
        until(lambda: _has_a_seat(client))  # those who left have left their seats


def _has_a_seat(client):
    with client.stream("GET", "/events") as answer:
        return answer.status_code == 200


def test_idle_connections_at_the_limit_of_descriptors_keep_nobody_out(sample):
    with ConsoleProcess(sample, descriptors=64) as console:
        with crowding(console.port) as crowd:
            until(lambda: len(crowd) > 300)
            with console.client(sample.session_now()) as client:
                until(lambda: _is_shown(client))
        until(console.answers)
        assert len(console.said) < 100_000
        assert "Traceback" not in console.said


@pytest.mark.parametrize("greets", [False, True], ids=["silent", "greeting"])
def test_a_crowd_at_the_limit_of_descriptors_keeps_nobody_out_by_tls(sample, tmp_path, greets):
    """Strangers that never greet, and strangers that greet and then ask nothing."""
    authority = Authority(tmp_path)
    certificate, key = authority.sign("console", "IP:127.0.0.1")
    trusts = ssl.create_default_context(cafile=str(authority.ca))
    given = {"METERHOUSE_CERT": str(certificate), "METERHOUSE_KEY": str(key)}
    with ConsoleProcess(sample, descriptors=64, tls=trusts, **given) as console:
        with crowding(console.port, trusts if greets else None) as crowd:
            until(lambda: len(crowd) > 100)
            with console.client(sample.session_now()) as client:
                until(lambda: _is_shown(client))
        until(console.answers)
        assert console.descriptors < 64
        assert "Traceback" not in console.said


@contextmanager
def crowding(port, trusts=None):
    """Strangers who connect as long as this lasts, and greet by TLS where they trust somebody; their lines."""
    crowd, stop = [], threading.Event()

    def crowd_in():
        while not stop.is_set() and len(crowd) < 2_000:
            with suppress(OSError):
                one = socket.create_connection(("127.0.0.1", port), timeout=5)
                crowd.append(trusts.wrap_socket(one, server_hostname="127.0.0.1") if trusts else one)

    strangers = threading.Thread(target=crowd_in)
    strangers.start()
    try:
        yield crowd
    finally:
        stop.set()
        strangers.join()
        for one in crowd:
            one.close()


def _is_shown(client):
    with suppress(httpx.TransportError):  # a line that was idle may have given way to the crowd
        return client.get("/").status_code == 200
    return False


def test_there_are_as_many_connections_as_descriptors_are_left(monkeypatch):
    for descriptors, expected in ((-1, MOST), (20, FEWEST), (300, 200), (10**6, MOST)):
        monkeypatch.setattr("resource.getrlimit", lambda _, soft=descriptors: (soft, soft))
        assert most_connections() == expected
