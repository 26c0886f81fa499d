"""Whatever a broker delivers, the next message is heard: bytes from a broker of our own, and by both real ones."""

import random

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from rigs.patience import until
from rigs.raw_broker import CONNACK, RawBroker, length, packet, publish, text, user_property

from facility.broker_address import broker_address
from facility.system_alarm import SystemAlarm
from ingest.subscriber import Subscriber
from process.client import LARGEST_PACKET
from process.line import BrokerLine
from process.packets import MOST_PROPERTIES, readable

LIVE = b"meterhouse/1/up/edge-1/live"
CRC = user_property(b"crc", b"12345678")
BOM = "\ufeff".encode()
GOOD = publish(LIVE, b"good", CRC, mid=9)

SPOILT = {
    "U+FEFF in a value": user_property(b"x", BOM),
    "U+FEFF in a name": user_property(BOM, b"x"),
    "U+0000": user_property(b"x", b"a\x00b"),
    "no UTF-8": user_property(b"x", b"\xff\xfe"),
    "a surrogate": user_property(b"x", b"\xed\xa0\x80"),
    "a content type with U+FEFF": b"\x03" + text(BOM),
    "a response topic with U+FEFF": b"\x08" + text(BOM),
    "a property twice": b"\x01\x00\x01\x00",
    "one of another packet": b"\x11\x00\x00\x00\x05",
    "a value out of range": b"\x01\x07",
    "a topic alias of nothing": b"\x23\x00\x00",
}


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT)
def test_a_message_is_heard_without_the_property_that_cannot_be_read(spoilt):
    heard = []
    with RawBroker(publish(LIVE, b"first", spoilt + CRC), GOOD) as broker:
        subscriber = Subscriber(broker_address(broker.url))
        subscriber.start()
        until(lambda: heard.extend(subscriber.take(10, 0.05)) or len(heard) == 2)
        assert all(map(subscriber.acknowledge, heard))
        until(lambda: broker.acknowledged == [1, 9])
        subscriber.stop()
    assert [(one.payload, one.crc) for one in heard] == [(b"first", "12345678"), (b"good", "12345678")]
    assert len(broker.greetings) == 1, "the connection stays"


def test_a_topic_that_is_no_text_is_heard_as_a_strangers():
    heard = []
    with RawBroker(publish(b"meterhouse/1/up/\xff\xfe/live", b"x", CRC), GOOD) as broker:
        subscriber = Subscriber(broker_address(broker.url))
        subscriber.start()
        until(lambda: heard.extend(subscriber.take(10, 0.05)) or len(heard) == 2)
        subscriber.stop()
    assert "\N{REPLACEMENT CHARACTER}" in heard[0].topic
    assert len(broker.greetings) == 1


def test_who_sends_what_cannot_be_read_again_and_again_is_named(logged):
    says = [publish(LIVE, b"%d" % i, user_property(b"x", BOM), mid=i) for i in range(1, 40)]
    with RawBroker(*says) as broker:
        subscriber = Subscriber(broker_address(broker.url))
        subscriber.start()
        until(lambda: subscriber.waiting == len(says))
        assert "came: 39," in subscriber.troubles()[SystemAlarm.UNREADABLE_PACKETS]
        assert LIVE.decode() in subscriber.troubles()[SystemAlarm.UNREADABLE_PACKETS]
        subscriber.stop()
    assert len([line for line in logged if line["event"] == "packet_unreadable"]) == 1, "not one line for each"


HOPELESS = {
    "a topic longer than its packet": packet(0x32, b"\xff\xff" + LIVE),
    "properties longer than their packet": packet(0x32, text(LIVE) + b"\x00\x01" + length(9_999)),
    "a length without an end": packet(0x32, text(LIVE) + b"\x00\x01" + b"\xff\xff\xff\xff"),
    "nothing": packet(0x32, b""),
    "of no known kind": packet(0x00, b"abc"),
    "larger than we said that we take": b"\x32" + length(LARGEST_PACKET + 1) + text(LIVE) + b"\x00\x01\x00" * 1000,
}


@pytest.mark.parametrize("spoilt", HOPELESS.values(), ids=HOPELESS)
def test_a_session_that_holds_what_nobody_can_read_is_given_up_after_three_times(spoilt, monkeypatch):
    monkeypatch.setattr("process.mqtt.FIRST_WAIT_S", 0.05)
    monkeypatch.setattr("process.mqtt.LAST_WAIT_S", 0.1)
    with RawBroker(spoilt) as broker:
        subscriber = Subscriber(broker_address(broker.url))
        subscriber.start()
        until(lambda: len(broker.greetings) == 4 and subscriber.is_subscribed)
        assert subscriber.troubles()[SystemAlarm.UNREADABLE_PACKETS]
        broker.says = (GOOD,)
        subscriber.ask_again()
        until(lambda: subscriber.take(1, 0.05))
        assert subscriber.is_alive
        subscriber.stop()
    clean = [bool(flags & 0x02) for flags in broker.greetings]
    assert clean == [False, False, False, True, False], "and the session after it is kept again"


WORDS = user_property(b"x", BOM) + b"\x1f" + text(BOM) + b"\x21\x00\x05"
ACKNOWLEDGED = {
    "a CONNACK that says why": (packet(0x20, b"\x00\x00" + length(len(WORDS)) + WORDS), None),
    "a PUBACK": (CONNACK, packet(0x40, b"\x00\x07\x10" + length(6) + b"\x1f" + text(BOM))),
    "a SUBACK": (CONNACK, packet(0x90, b"\x00\x63" + length(6) + b"\x1f" + text(BOM) + b"\x01")),
}


@pytest.mark.parametrize(("connack", "more"), ACKNOWLEDGED.values(), ids=ACKNOWLEDGED)
def test_what_the_broker_says_of_itself_is_survived_too(connack, more, monkeypatch):
    monkeypatch.setattr("rigs.raw_broker.CONNACK", connack)
    with RawBroker(*([more] if more else []), GOOD) as broker:
        subscriber = Subscriber(broker_address(broker.url))
        subscriber.start()
        until(lambda: subscriber.take(1, 0.05))
        subscriber.stop()
    assert len(broker.greetings) == 1


def test_thousands_of_properties_cost_no_more_than_a_few():
    """paho's time grows with their square: minutes for one message of a few hundred kilobytes."""
    many = CRC + b"".join(user_property(b"k", b"%d" % i) for i in range(60_000))
    read = Properties(PacketTypes.PUBLISH)
    read.unpack(readable(0x32, publish(LIVE, b"", many)[1 + 3 :])[2 + len(LIVE) + 2 :])
    assert len(read.UserProperty) == MOST_PROPERTIES


def test_no_bytes_end_the_thread_that_listens(monkeypatch):
    monkeypatch.setattr("process.mqtt.FIRST_WAIT_S", 0.01)
    monkeypatch.setattr("process.mqtt.LAST_WAIT_S", 0.02)
    chance = random.Random(15)  # noqa: S311
    good = [GOOD, *(publish(LIVE, b"p", one) for one in SPOILT.values()), b"\xe0\x02\x00\x00", b"\xd0\x00"]

    def spoilt():
        data = bytearray(chance.choice(good))
        for _ in range(chance.randrange(1, 5)):
            data[chance.randrange(len(data))] = chance.choice([chance.randrange(256), 0, 0xFF, 0x80])
        return bytes(data)

    with RawBroker(forgets=False) as broker:
        address = broker_address(broker.url)
        line = BrokerLine(address, "fuzz", heard=lambda _: None, up=lambda: line.client.subscribe([("a", 1), ("b", 1)]))
        for _ in range(60):
            broker.says = tuple(spoilt() for _ in range(20))
            if not broker.greetings:
                line.start(5)
            before = len(broker.greetings)
            line.drop()
            until(lambda: len(broker.greetings) > before)  # noqa: B023
            assert line.is_alive
        broker.says = ()
        line.stop()
