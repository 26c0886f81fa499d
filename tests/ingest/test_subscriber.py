import socket
import threading

import pytest
from rigs.ingest_rig import IDENTITIES, Client
from rigs.patience import PATIENCE_S, until
from rigs.servers import free_port

from facility.broker_address import BrokerAddress, broker_address
from facility.errors import ConfigError
from ingest import subscriber as subscriber_module
from ingest.subscriber import Subscriber
from meterhouse.servers.broker import start_broker

LIVE = "meterhouse/1/up/edge-1/live"


@pytest.fixture
def listen(broker):
    opened = []

    def make(address=None):
        subscriber = Subscriber(address or broker_address(broker.url_for("ingest")))
        subscriber.start()
        opened.append(subscriber)
        until(lambda: subscriber.is_subscribed)
        return subscriber

    yield make
    for subscriber in opened:
        subscriber.stop()


def drain(subscriber, n):
    taken = []
    until(lambda: taken.extend(subscriber.take(100, 0.02)) or len(taken) >= n)
    return taken


def settle(subscriber):
    """Acknowledge what earlier tests left in the session."""
    while left := subscriber.take(100, 0.2):
        for message in left:
            subscriber.acknowledge(message)


def test_what_is_not_acknowledged_comes_again(listen, connect):
    edge, first = connect("edge-1"), listen()
    for i in range(10):
        edge.say(LIVE, b"%d" % i)
    dealt_with, kept = (taken := drain(first, 10))[:6], taken[6:]
    assert all(first.acknowledge(message) for message in dealt_with)
    first.stop()
    second = listen()
    again = []  # perhaps also some whose acknowledgement was still on its way
    until(lambda: again.extend(second.take(100, 0.02)) or (len(again) >= 4 and again[-1].payload == b"9"))
    assert [m.payload for m in again[-4:]] == [m.payload for m in kept]
    for message in again:
        second.acknowledge(message)


def test_a_full_queue_loses_nothing(listen, connect, monkeypatch):
    monkeypatch.setattr(subscriber_module, "QUEUE_MESSAGES", 5)
    edge, subscriber = connect("edge-1"), listen()
    for i in range(12):
        edge.say(LIVE, b"%d" % i)
    heard = set()

    def all_heard():
        for message in subscriber.take(3, 0.1):
            heard.add(message.payload)
            subscriber.acknowledge(message)
        return len(heard) == 12

    until(all_heard)
    settle(subscriber)


def test_a_failure_while_queueing_does_not_deafen_us(listen, connect, monkeypatch):
    edge, subscriber = connect("edge-1"), listen()
    failures = []
    with monkeypatch.context() as patch:
        patch.setattr(subscriber, "_put", lambda message: failures.append(message) or 1 / 0)
        edge.say(LIVE, b"bad luck")
        until(lambda: failures)
    edge.say(LIVE, b"next")
    assert {m.payload for m in drain(subscriber, 2)} == {b"bad luck", b"next"}
    settle(subscriber)


def test_an_acknowledgement_that_finds_the_connection_gone_does_not_wait_for_ever(listen, connect):
    edge, subscriber = connect("edge-1"), listen()
    settle(subscriber)
    edge.say(LIVE, b"in hand")
    # What an earlier session left may come before it.
    arrived = (one for some in iter(lambda: drain(subscriber, 1), []) for one in some)
    message = next(one for one in arrived if one.payload == b"in hand")
    subscriber._client.socket().shutdown(socket.SHUT_WR)  # nobody has noticed yet
    acknowledging = threading.Thread(target=subscriber.acknowledge, args=(message,), daemon=True)
    acknowledging.start()
    acknowledging.join(PATIENCE_S)
    assert not acknowledging.is_alive()
    settle(subscriber)


def test_B4_a_stale_packet_id_is_never_acknowledged(tmp_path, mosquitto_is_here):
    broker = start_broker(tmp_path, IDENTITIES, kind="mosquitto", port=free_port())
    subscriber = Subscriber(broker_address(broker.url_for("ingest")))
    subscriber.start()
    until(lambda: subscriber.is_subscribed)
    edge = Client(broker, "edge-1")
    for _ in range(10):
        edge.say(LIVE, b"old")
    old = drain(subscriber, 10)
    edge.close()
    broker.process.kill()  # and with it the session: nothing was saved yet
    broker.process.wait()
    broker.process.stdin.close()
    until(lambda: not subscriber.is_subscribed)
    assert not any(map(subscriber.acknowledge, old))
    with start_broker(tmp_path, IDENTITIES, kind="mosquitto", port=broker.port) as reborn:
        until(lambda: subscriber.is_subscribed)
        edge = Client(reborn, "edge-1")
        for i in range(10):
            edge.say(LIVE, b"new %d" % i)
        new = drain(subscriber, 10)
        assert {m.mid for m in new} == {m.mid for m in old}
        assert not any(map(subscriber.acknowledge, old))
        subscriber.ask_again()
        assert {m.payload for m in drain(subscriber, 10)} == {b"new %d" % i for i in range(10)}
        edge.close()
        subscriber.stop()


@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)  # the bundled one closes without a word
def test_a_wrong_password_is_a_mistake_for_a_person(broker):
    subscriber = Subscriber(BrokerAddress("127.0.0.1", broker.port, "ingest", "wrong"))
    subscriber.start()
    until(lambda: subscriber._line.state.refusal)
    with pytest.raises(ConfigError, match=r"refuses 'ingest': Not authorized|refuses 'ingest': Bad user"):
        subscriber.check()
    subscriber.stop()
