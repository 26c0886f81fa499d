"""Faults B1, B2, B5 and B9 of the broker: killed, overflowing, full of retained messages, spoken to in nonsense."""

from __future__ import annotations

import os
import socket
import time

import psutil
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from rigs.fault_rig import log_of
from rigs.ingest_process import T0_MS, Debian, Served, agent_playing, recorded, water_estate
from rigs.ingest_rig import IDENTITIES, POWER, Client, batch, encode
from rigs.patience import PATIENCE_S, until, within
from rigs.trials import FULL, seeded

from facility import wire
from meterhouse.servers.broker import start_broker

pytestmark = pytest.mark.broker


def said(first, n=1, **more):
    return batch(first, n, t=[T0_MS + first + i for i in range(n)], x=[float(first % 9_000)] * n, **more)


def test_B1_kill_9_of_the_broker_loses_nothing_of_what_an_agent_sends(tmp_path):
    rows, kills = (200_000, 50) if FULL else (12_000, 3)
    chance = seeded()
    with Debian() as broker, Served(tmp_path, broker, water_estate()) as ingest:
        with agent_playing(tmp_path, broker, rows) as agent:
            for kill in range(1, kills + 1):
                # Between two kills the broker must have carried something, else nothing is proved.
                ingest.until(lambda: ingest.count() >= rows * kill // (2 * kills))  # noqa: B023
                broker.kill()
                time.sleep(chance.uniform(0, 0.5))
                assert ingest.count() < rows
                broker.start()
            ingest.until(lambda: ingest.count() == rows, pause_s=0.1)
            assert agent.poll() is None
            ingest.until(lambda: ingest.totals().get("stored") == rows)
        assert ingest.stored() == recorded(rows)
        assert ingest.totals() == {"stored": rows, "quarantined": 0, "reopened": 0}
        assert ingest.child.restarts == 0
        assert "event=broker state=lost" in ingest.log


def test_B2_what_a_full_queue_drops_is_told_and_comes_again(tmp_path):
    """Debian's broker holds 1,000 messages for ingest; 2,000 and those of a real agent come while ingest is away.

    An alarm in less than 30 s. 5,000 messages with FULL=1.
    """
    rows, messages = 2_000, 5_000 if FULL else 2_000
    with Debian() as broker, Served(tmp_path, broker, water_estate()) as ingest:
        ingest.stop()  # its session stays
        edge = Client(broker, "edge-1", "meterhouse/1/ack/edge-1", client_id="another-edge")
        for i in range(messages):
            last = edge.pour(_flood(i + 1))
        last.wait_for_publish(PATIENCE_S)  # "Success", says the broker
        with agent_playing(tmp_path, broker, rows) as agent:
            until(lambda: "no_acknowledgement" in log_of(tmp_path / "edge"))  # it has sent, and nobody took it
            with within(30):
                ingest.start()
                ingest.until(lambda: "broker_drops_messages" in ingest.status().alarms)

            def done():
                return max((ack.store_hw for ack in edge.acks(0) if ack.epoch == "flood"), default=0)

            ingest.until(done)
            assert done() < messages  # the broker has kept what it could
            while (mark := done()) < messages:  # as an agent does: from the mark on
                edge.pour(_flood(mark + 1, min(500, messages - mark)))
                ingest.until(lambda: done() > mark)
            ingest.until(lambda: ingest.count() == rows + messages, pause_s=0.1)
            assert agent.poll() is None
        stored = ingest.stored()
        assert {p: [row for row in found if row[0] >= T0_MS] for p, found in stored.items()} == recorded(rows)
        ingest.until(lambda: ingest.totals() == {"stored": rows + messages, "quarantined": 0, "reopened": 0})
        edge.close()


def _flood(first, n=1):
    """Readings from before those of the recording."""
    t = [T0_MS - 10**8 + first + i for i in range(n)]
    return batch(first, n, points=["m0/water_volume/total"], t=t, ep="flood", lane="backlog")


def test_B5_of_thousands_of_retained_messages_none_is_taken_for_a_reading(tmp_path):
    """0 stored of 2,000 (20,000 with FULL=1): more than the broker holds for who is away."""
    many = 20_000 if FULL else 2_000
    with Debian() as broker, Served(tmp_path, broker) as ingest:
        edge = Client(broker, "edge-1", "meterhouse/1/ack/edge-1")
        for i in range(many // 2):  # they come while ingest listens …
            agent = "edge-1" if i % 100 == 0 else f"edge-{i}"
            message = said(i + 1, dev=agent)
            last = edge._publish(wire.up_topic(agent, "live"), encode(message), retain=True)
            if i % 500 == 0:
                last.wait_for_publish(PATIENCE_S)
        ingest.until(lambda: ingest.status().figures.get("retained_ignored") == many // 2)
        ingest.stop()
        for i in range(many // 2, many):  # … and while it is away
            last = edge._publish(wire.up_topic(f"edge-{i}", "live"), encode(said(i + 1, dev=f"edge-{i}")), retain=True)
            if i % 500 == 0:
                last.wait_for_publish(PATIENCE_S)
        last.wait_for_publish(PATIENCE_S)
        ingest.start()
        edge.send(said(1, 5, ep="good"))
        ingest.until(lambda: edge.heard and edge.acks()[-1].store_hw == 5)
        assert {ack.epoch for ack in edge.acks(0)} == {"good"}
        assert ingest.count() == 5
        assert ingest.totals() == {"stored": 5, "quarantined": 0, "reopened": 0}
        assert ingest.quarantined() == []
        edge.close()


def _frame(kind, body):
    """An MQTT packet with the length that it says (MQTT 5.0, 2.1)."""
    length, size = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        size.append(digit | (128 if length else 0))
        if not length:
            return bytes([kind]) + bytes(size) + body


def _text(text):
    data = text if isinstance(text, bytes) else text.encode()
    return len(data).to_bytes(2, "big") + data


def _hello(name, word, version=5):
    return _frame(
        0x10,
        _text("MQTT") + bytes([version, 0xC2]) + b"\x00\x3c" + (b"\x00" if version == 5 else b"") + _text(name)
        + _text(name) + _text(word),
    )  # fmt: skip


def _says(topic, payload, properties, qos=1):
    return _frame(0x30 | qos << 1, _text(topic) + b"\x00\x07" + bytes([len(properties)]) + properties + payload)


def _nonsense(broker, chance):
    """Packets as a broken or hostile client sends them: some from the first byte on, some after a good greeting."""
    good = [
        _hello("edge-2", broker.words["edge-2"]),
        _says(wire.up_topic("edge-2", "live"), b"{}", b"\x26" + _text("crc") + _text("0")),
        _frame(0x82, b"\x00\x01\x00" + _text("meterhouse/1/ack/edge-2") + b"\x01"),
        _frame(0xE0, b"\x00"),
        _frame(0x40, b"\x00\x07"),
        _frame(0xF0, b"\x15" + os.urandom(4)),
    ]
    packet = bytearray(chance.choice(good))
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(packet))
        packet[at : at + chance.randrange(3)] = os.urandom(chance.randrange(4))
        if not packet:
            break
    if chance.random() < 0.2:
        packet = bytearray(os.urandom(chance.randrange(1, 200)))
    return (b"" if chance.random() < 0.3 else good[0]) + bytes(packet)


def test_B9_nonsense_at_the_brokers_port_restarts_neither_broker_nor_ingest(tmp_path):
    chance, frames, at_once = seeded(), 100_000 if FULL else 2_000, 20
    with start_broker(tmp_path / "broker", IDENTITIES, kind="mosquitto") as broker, Served(tmp_path, broker) as ingest:
        with socket.create_connection(("127.0.0.1", broker.port), timeout=PATIENCE_S) as line:
            line.sendall(_hello("edge-2", broker.words["edge-2"]))
            assert line.recv(4)[0::3] == b"\x20\x00"  # else only the greeting would be tried
        begun = ingest.pid, psutil.Process(broker.process.pid).create_time()
        for _ in range(frames // at_once):
            lines = []
            for _ in range(at_once):
                line = socket.create_connection(("127.0.0.1", broker.port), timeout=PATIENCE_S)
                line.sendall(_nonsense(broker, chance))
                lines.append(line)
            time.sleep(0.002)
            for line in lines:
                line.close()
            ingest.supervisor.tend()
            assert broker.is_alive
        edge = Client(broker, "edge-1", "meterhouse/1/ack/edge-1")
        edge.send(said(1, 5))
        ingest.until(lambda: edge.heard and edge.acks()[-1].store_hw == 5)
        assert (ingest.pid, psutil.Process(broker.process.pid).create_time()) == begun
        assert ingest.stored() == {POWER: [(T0_MS + 1 + i, 1.0) for i in range(5)]}
        assert not [word for word in ("unexpected_error", "message_left_out", "Traceback") if word in ingest.log]
        edge.close()


def test_B9_whatever_properties_a_message_carries_ingest_goes_on(tmp_path):
    """All that a broker passes on: properties of every kind, names and texts of every script."""
    chance = seeded()
    with Debian() as broker, Served(tmp_path, broker) as ingest:
        edge = Client(broker, "edge-1", "meterhouse/1/ack/edge-1")
        for i in range(20_000 if FULL else 1_000):
            properties = Properties(PacketTypes.PUBLISH)
            text = "".join(chr(chance.choice([*range(32, 127), 0xE9, 0x4E2D, 0x1F600])) for _ in range(i % 30))
            properties.UserProperty = [("crc", text), (text, "crc"), ("crc", text[::-1])]
            properties.ContentType, properties.CorrelationData = text, os.urandom(i % 9)
            properties.MessageExpiryInterval, properties.PayloadFormatIndicator = chance.randrange(1, 2**31), 0
            properties.ResponseTopic = "answer" + text.replace("+", "").replace("#", "")
            name = text.replace("+", "").replace("#", "").replace("/", "") or "edge-1"
            last = edge.client.publish(f"meterhouse/1/up/{name}/live", os.urandom(i % 50), i % 2, properties=properties)
        last.wait_for_publish(PATIENCE_S)

        def is_acknowledged():
            edge.send(said(1, 5))  # again and again, as an agent does: the broker drops what it has no room for
            return edge.heard and edge.acks()[-1].store_hw == 5

        ingest.until(is_acknowledged, pause_s=1.0)
        assert ingest.count() == 5
        assert ingest.child.restarts == 0
        assert not [word for word in ("unexpected_error", "message_left_out", "Traceback") if word in ingest.log]
        edge.close()
