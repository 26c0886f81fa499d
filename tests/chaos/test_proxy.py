"""The faulty link does what each of its modes says."""

import select
import socket
import threading
from contextlib import suppress

import pytest
from rigs.proxy import Proxy

SOON_S = 0.3


@pytest.fixture
def echo():
    """A server that says back what it hears."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection):
        with connection, suppress(ConnectionResetError):
            while heard := connection.recv(1000):
                connection.sendall(heard)

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def link(echo):
    proxy = Proxy(echo)
    yield proxy
    proxy.stop()


@pytest.fixture
def connect(link):
    opened = []

    def make():
        opened.append(socket.create_connection(("127.0.0.1", link.port), 5))
        return opened[-1]

    yield make
    for connection in opened:
        connection.close()


def ask(connection, word):
    connection.sendall(word)
    return connection.recv(1000)


def is_silent(connection):
    return select.select([connection], [], [], SOON_S)[0] == []


def test_a_good_link_passes_both_ways_and_counts(link, connect):
    line = connect()
    assert ask(line, b"hello") == b"hello"
    assert link.carried == 5


def test_a_black_hole_holds_everything_and_lets_it_flow_in_the_end(link, connect):
    line = connect()
    assert ask(line, b"before") == b"before"
    link.set_mode("blackhole")
    line.sendall(b"held")
    assert is_silent(line)
    link.set_mode("ok")
    assert line.recv(1000) == b"held"


def test_a_reset_ends_what_is_open_and_what_is_opened(link, connect):
    line = connect()
    assert ask(line, b"before") == b"before"
    link.set_mode("rst")
    with pytest.raises(ConnectionResetError):
        line.recv(1000)
    with pytest.raises(ConnectionError):
        assert ask(connect(), b"during"), "ended without a word"
    link.set_mode("ok")
    assert ask(connect(), b"after") == b"after"


def test_lost_answers_do_not_come_later_and_the_link_is_reset(link, connect):
    line = connect()
    assert ask(line, b"before") == b"before"
    link.set_mode("dropack")
    line.sendall(b"lost")
    assert is_silent(line)
    link.set_mode("ok")
    with pytest.raises(ConnectionResetError):
        line.recv(1000)
    assert link.carried == len(b"beforelost")
