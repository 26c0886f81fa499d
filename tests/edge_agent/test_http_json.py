"""Answers over HTTP as devices give them: whole, in chunks, refused, endless, dripping."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager

import pytest
from rigs.bare_server import BareServer
from rigs.http_peers import HttpJsonPeer
from rigs.patience import PATIENCE_S, within
from rigs.servers import free_port

from edge_agent.devices import Device
from edge_agent.drivers.base import Answer, BusSeat, NoAnswerError
from edge_agent.drivers.http_json import HttpJsonDriver
from facility.catalogue import Bus
from facility.model import Meter, Name

BODY = b'{"now":{"w":840.5}}'
CHUNKS = b"5\r\n" + BODY[:5] + b"\r\ne\r\n" + BODY[5:] + b"\r\n0\r\n\r\n"
POINT = "m1/active_power/total"
READ = Answer({POINT: 840.5})


def answer_of(port, timeout_s=PATIENCE_S):
    """What a device at a port says of its power."""
    profile = HttpJsonPeer.profile
    meter = Meter("m1", Name("M"), "b", profile.id, "a", "line", "7", poll_s=1)
    device = Device(meter, profile, {f"m1/{place.name}": place for place in profile.points})
    bus = Bus("line", f"http://127.0.0.1:{port}", timeout_s)
    driver = HttpJsonDriver(BusSeat(bus, (device,), list.append, lambda: (0, 0), time.monotonic))
    (ask,) = driver.plan(device, [POINT])
    return driver.answer(ask)


def said(*parts):
    """The same of a device that answers with these bytes."""
    port = free_port()
    with BareServer(port, lambda _: b"".join(parts)):
        return answer_of(port)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n" + BODY,
        b"HTTP/1.0 200 OK\nContent-Length: 19\n\n" + BODY,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"
        + BODY[:5]
        + b"\r\ne\r\n"
        + BODY[5:]
        + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n" + BODY,
    ],
    ids=["length", "old", "chunks", "continue"],
)
def test_an_answer_is_taken_as_soon_as_it_is_whole_though_the_connection_stays_open(reply):
    with within(PATIENCE_S / 2):
        assert said(reply) == READ


@pytest.mark.parametrize(
    ("status", "put_off", "may_pass"),
    [("404 Not Found", False, False), ("401 Unauthorized", False, False), ("302 Found\r\nLocation: /x", False, False),
     ("500 Internal Server Error", False, True), ("503 Service Unavailable", True, False)],
)  # fmt: skip
def test_a_refusal_names_its_points_and_is_no_silence(status, put_off, may_pass):
    answer = said(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % status.encode())
    why = {POINT: f"/power is answered with HTTP {status[:3]}"}
    why = {POINT: f"{why[POINT]}: it wants a password, which is not given"} if status.startswith("401") else why
    assert (answer.values, answer.unread, answer.put_off) == ({}, {} if put_off else why, why if put_off else {})
    assert answer.may_pass == may_pass


def test_what_is_no_json_is_told_and_may_be_over_the_next_time():
    answer = said(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html")
    assert answer.unread[POINT].startswith("/power: not JSON")
    assert answer.may_pass


@pytest.mark.parametrize("reply", [b"220 ftp ready\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000])
def test_what_is_no_http_is_no_answer(reply):
    with pytest.raises(NoAnswerError):
        said(reply)


@contextmanager
def dripping(port):
    """A device that says a byte now and then, and never all of it."""
    stop, listening = threading.Event(), socket.create_server(("127.0.0.1", port))

    def drip():
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            try:
                while not stop.wait(0.05):
                    connection.sendall(b" ")
            except OSError:
                return  # it was hung up on

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        listening.close()


def test_an_answer_that_drips_is_waited_for_no_longer_than_the_bus_says():
    port = free_port()
    with dripping(port), within(PATIENCE_S / 2), pytest.raises(NoAnswerError, match="no answer in time"):
        answer_of(port, timeout_s=0.3)
