"""Faults B6, B7 and X3: a refused topic, a stolen client id, and what is said again or in another's name."""

import time

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from rigs.ingest_process import Served, agent_playing, recorded, water_estate
from rigs.ingest_rig import FOREIGN, IDENTITIES, POWER, Client, batch
from rigs.outbox_fact import fact
from rigs.patience import until
from rigs.trials import FULL

from facility import wire
from meterhouse.servers.broker import start_broker
from meterhouse.servers.broker_files import TopicRights

pytestmark = pytest.mark.broker


REFUSED = "event=broker_alarm alarm=refused lasts=true"


def test_B6_a_refused_topic_frees_no_row_is_an_alarm_and_costs_nothing_once_it_is_allowed(tmp_path):
    heard_only = IDENTITIES | {"edge-1": TopicRights(IDENTITIES["edge-1"].reads, ())}
    rows, folder, log = 200, tmp_path / "broker", tmp_path / "edge" / "log"
    outbox = tmp_path / "edge" / "outbox.db"
    with (
        start_broker(folder, heard_only, kind="mosquitto") as broker,
        Served(tmp_path, broker, water_estate()) as ingest,
        agent_playing(tmp_path, broker, rows),
    ):
        until(lambda: log.exists() and REFUSED in log.read_text(), says=log.read_text)
        until(lambda: fact(outbox, "newest") == rows)
        assert fact(outbox, "store_hw") == 0
        assert ingest.count() == 0
        broker.stop()
        with start_broker(folder, IDENTITIES, port=broker.port, kind="mosquitto"):
            ingest.until(lambda: fact(outbox, "store_hw") == rows)
            assert ingest.stored() == recorded(rows)
        assert REFUSED.replace("true", "false") in log.read_text()


def test_B7_whoever_takes_ingests_client_id_gets_none_of_what_waits_in_its_session(tmp_path):
    with start_broker(tmp_path / "broker", IDENTITIES, kind="mosquitto") as broker, Served(tmp_path, broker) as ingest:
        edge = Client(broker, "edge-1", "meterhouse/1/ack/edge-1")
        ingest.stop()
        for i in range(100):
            edge.send(batch(i + 1, 1))
        heard, answers = [], []
        thief = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="ingest", protocol=mqtt.MQTTv5)
        thief.username_pw_set("edge-2", broker.words["edge-2"])
        thief.on_connect = lambda *a: answers.append(a[3])
        thief.on_message = lambda *a: heard.append(a[2])
        thief.connect("127.0.0.1", broker.port, clean_start=False)
        thief.loop_start()
        until(lambda: answers)
        thief.subscribe("#", 1)
        time.sleep(0.3)
        thief.disconnect()
        thief.loop_stop()
        with ingest:
            ingest.until(lambda: edge.heard and edge.acks()[-1].store_hw == 100)
            assert ingest.count() == 100
        assert heard == []
        edge.close()


def test_X3_what_is_said_again_a_thousand_times_or_in_anothers_name_changes_nothing(tmp_path):
    with start_broker(tmp_path / "broker", IDENTITIES, kind="mosquitto") as broker, Served(tmp_path, broker) as ingest:
        edge = Client(broker, "edge-1", "meterhouse/1/ack/edge-1")
        edge.send(batch(1, 5))
        ingest.until(lambda: edge.heard and edge.acks()[-1].store_hw == 5)
        before, totals = ingest.stored(), ingest.totals()
        edge.send_all([batch(1, 5)] * (5_000 if FULL else 1_000))
        edge.send_all([batch(1, 5, x=[9.0] * 5), batch(1, 5, lane="backlog", x=[8.0] * 5)])
        theirs = batch(1, 5, dev="edge-2", points=(FOREIGN,))
        edge.say(wire.up_topic("edge-1", "live"), wire.encode(theirs))  # the topic is ours, the words are another's
        edge.send(batch(6, 1, points=(FOREIGN,)))  # our name, another's point
        edge.send(batch(7, 1))
        ingest.until(lambda: edge.acks()[-1].store_hw == 7)
        assert ingest.stored() == {POWER: [*before[POWER], (batch(7, 1).t[0], 7.0)]}
        assert ingest.totals() == totals | {"stored": totals["stored"] + 1, "quarantined": 1}
        assert {item.reason for item in ingest.quarantined()} == {"foreign_point", "wrong_sender"}
        edge.close()
