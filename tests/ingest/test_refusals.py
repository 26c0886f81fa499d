"""What a hostile agent writes reaches neither a terminal nor a number that we count with."""

import time

import pytest
from rigs.ingest_rig import CATALOGUE, NOW_MS, batch, encode

from facility import wire
from facility.errors import Rejected
from ingest.decode import decode
from ingest.gate import Doorway, Gate
from ingest.own_clock import OwnClock
from ingest.pipeline import Pipeline
from ingest.refusals import MOST_CHARS, name_of, refused_message
from ingest.streams import Streams
from ingest.subscriber import Inbound


def inbound(said, what):
    payload = encode(said)
    return Inbound(1, 1, f"meterhouse/1/up/edge-1/{what}", payload, wire.crc(payload))


@pytest.mark.parametrize("oldest", [-5, 0, 2**62 + 1, 10**400])
def test_a_greeting_beyond_all_numbers_is_refused(oldest):
    hello = wire.Hello(v=1, dev="edge-1", ep="e1", oldest=1, newest=1, pending=[])
    payload = encode(hello).replace(b'"oldest":1', b'"oldest":%d' % oldest)
    with pytest.raises(Rejected, match="bad_sequence"):
        decode(Inbound(1, 1, "meterhouse/1/up/edge-1/hello", payload, wire.crc(payload)))


@pytest.mark.parametrize("epoch", ["\0", "e\x1b[2J", "e\n1"])
def test_an_epoch_that_cannot_be_printed_is_refused(epoch):
    with pytest.raises(Rejected, match="bad_epoch"):
        decode(inbound(batch(ep=epoch), "live"))


def test_what_a_stranger_wrote_is_told_without_its_control_characters():
    message = Inbound(1, 1, "meterhouse/1/up/e\x1b]0;x\x07/live", b"payload\0", None)
    item = refused_message(message, Rejected("wrong_sender", "\x1b[31m" + "x" * 9999 + "\0"), NOW_MS)
    assert all(text.isprintable() for text in (item.agent, item.topic, item.detail))
    assert len(item.detail) == MOST_CHARS
    assert item.payload == b"payload\0"
    assert name_of(message).isprintable()


def test_a_message_is_named_by_its_numbers_where_they_are_sure_and_else_by_its_topic():
    sound = inbound(batch(1201, ep="7"), "live")
    assert name_of(sound) == "edge-1/7/1201"
    assert name_of(Inbound(1, 1, sound.topic, sound.payload, "00000000")) == "edge-1/live"


def test_of_a_flood_of_refused_messages_one_a_minute_and_reason_is_a_warning(logged):
    pipeline = Pipeline(Doorway(Gate(CATALOGUE)), Streams({}), OwnClock(time.monotonic, lambda: True))
    flood = [Inbound(1, i, "meterhouse/1/up/stranger/live", b"{", None) for i in range(1_000)]
    group = pipeline.read(flood, NOW_MS)
    pipeline.read(flood, NOW_MS + 59_999)
    pipeline.read(flood, NOW_MS + 60_000)
    levels = [line["log_level"] for line in logged if line["event"] == "message_refused"]
    assert (levels, group.refused_messages) == (["warning"] * 2, 1_000)
