import json
import random
import uuid

import pytest
from rigs.ingest_rig import ENERGY, FOREIGN, LEVELLESS, NOW_MS, POWER, Ingest, batch, encode
from rigs.patience import until

from facility import wire


@pytest.fixture
def epoch():
    """The broker lives as long as the module: each test speaks in a stream of its own."""
    return uuid.uuid4().hex


def stored_up_to(edge):
    return edge.acks()[-1].store_hw if edge.heard else 0


def status_of(ingest):
    return ingest.status.as_status(ingest.subscriber.waiting)


def test_a_good_batch_is_stored_announced_and_acknowledged(ingest, edge, connect, epoch):
    console = connect("console", "meterhouse/1/accepted/town")
    edge.send(batch(n=5, ep=epoch))
    until(lambda: stored_up_to(edge) == 5)
    ack = edge.acks()[-1]
    assert (ack.epoch, ack.store_hw, ack.journal_hw, ack.ranges) == (epoch, 5, 5, [])
    assert ack.store_id == ingest.watermarks.store_id
    assert ingest.stored() == {POWER: 5}
    until(lambda: console.heard)
    assert wire.decode(wire.Accepted, console.heard[0][1]).x == [1, 2, 3, 4, 5]


def test_a_property_that_the_client_library_refuses_stops_nobody(ingest, edge, epoch):
    """U+FEFF is lawful (MQTT 5.0, 1.5.4); the library ended the connection, and the broker delivered it again."""
    for first in (1, 2, 3):
        one = batch(first, 1, ep=epoch)
        edge.say(wire.up_topic(one.dev, "live"), encode(one), more=[("\ufeff", "\ufeff")])
    until(lambda: stored_up_to(edge) == 3)
    edge.send(batch(4, 2, ep=epoch))
    until(lambda: stored_up_to(edge) == 5)
    until(lambda: "edge-1/live" in status_of(ingest).alarms.get("unreadable_packets", ""))
    assert ingest.stored() == {POWER: 5}


def test_while_the_store_is_down_the_journal_takes_in_and_pages_hear_but_nothing_may_be_freed(
    ingest, edge, connect, epoch
):
    console = connect("console", "meterhouse/1/accepted/town")
    ingest.store.is_up = False
    edge.send(batch(ep=epoch))
    until(lambda: ingest.store.attempts >= 2)
    assert [(ack.journal_hw, ack.store_hw) for ack in edge.acks()] == [(5, 0)]
    until(lambda: console.heard)
    assert ingest.stored() == {}
    until(lambda: status_of(ingest).state == "store_unavailable")
    ingest.store.is_up = True
    until(lambda: stored_up_to(edge) == 5)
    assert ingest.stored() == {POWER: 5}
    until(lambda: status_of(ingest).state == "running")


def test_what_was_not_stored_before_a_stop_is_stored_after_the_next_start(tmp_path, broker, edge, epoch):
    first = Ingest(tmp_path, broker).start()
    first.store.is_up = False
    edge.send(batch(ep=epoch))
    until(lambda: first.store.attempts)
    first.close()
    second = Ingest(tmp_path, broker).start()
    try:
        greeting = wire.Hello(v=1, dev="edge-1", ep=epoch, oldest=1, newest=5, pending=[])  # a word may be lost
        until(lambda: stored_up_to(edge) == 5 or edge.send(greeting, "hello"), pause_s=0.5)
        assert second.stored() == {POWER: 5}
        assert second.watermarks.totals() == {"stored": 5, "quarantined": 0, "reopened": 0}
    finally:
        second.close()


def test_a_restart_keeps_watermark_and_store_id(tmp_path, broker, edge, epoch):
    first = Ingest(tmp_path, broker).start()
    edge.send(batch(n=5, ep=epoch))
    until(lambda: stored_up_to(edge) == 5)
    before = edge.acks()[-1]
    first.close()
    second = Ingest(tmp_path, broker).start()
    try:
        heard = len(edge.heard)
        edge.send(wire.Hello(v=1, dev="edge-1", ep=epoch, oldest=1, newest=9, pending=[]), "hello")
        after = edge.acks(heard + 1)[-1]
        assert (after.store_id, after.epoch, after.store_hw) == (before.store_id, epoch, 5)
    finally:
        second.close()


def test_duplicates_in_any_order_count_once(ingest, edge, epoch):
    batches = [batch(first, 10, ep=epoch) for first in range(1, 101, 10)] * 2
    random.Random(5).shuffle(batches)  # noqa: S311 - an order, no secret
    for one in batches:
        edge.send(one)
    until(lambda: stored_up_to(edge) == 100)
    assert ingest.stored() == {POWER: 100}
    assert ingest.watermarks.totals() == {"stored": 100, "quarantined": 0, "reopened": 0}


def test_a_hole_holds_the_watermark_and_ranges_tell_what_lies_above(ingest, edge, epoch):
    edge.send(batch(1, 5, ep=epoch))
    edge.send(batch(11, 5, ep=epoch))
    until(lambda: stored_up_to(edge) == 5 and edge.acks()[-1].ranges)
    assert (edge.acks()[-1].journal_hw, edge.acks()[-1].ranges) == (5, [(11, 15)])
    stone = wire.Tombstone(start=6, end=10, reason="outbox_full")
    edge.send(wire.Tombstones(v=1, dev="edge-1", ep=epoch, tomb=[stone]), "backlog")
    until(lambda: edge.acks()[-1].store_hw == 15)
    assert ingest.watermarks.tombstones() == [("edge-1", epoch, 6, 10, "outbox_full")]


def test_bad_readings_go_to_quarantine_and_good_ones_beside_them_are_stored(ingest, edge, epoch):
    edge.send(
        batch(
            n=8,
            ep=epoch,
            points=[POWER, ENERGY, "m9/co2/total", FOREIGN, LEVELLESS],
            p=[0, 1, 2, 3, 4, 0, 0, 0],
            t=[*[NOW_MS] * 5, NOW_MS + 300_001, 1, NOW_MS + 1],
            x=[50.0, 7.0, 1.0, 1.0, 230.0, 1.0, 1.0, 20_000.0],
        )
    )
    until(lambda: stored_up_to(edge) == 8)
    assert ingest.stored() == {POWER: 1, ENERGY: 1}
    assert ingest.quarantine.counts() == {
        "unknown_point": 1,
        "foreign_point": 1,
        "no_level": 1,
        "in_future": 1,
        "before_2000": 1,
        "out_of_range": 1,
    }
    assert ingest.watermarks.totals() == {"stored": 2, "quarantined": 6, "reopened": 0}
    (item,) = ingest.quarantine.items(reason="unknown_point")
    assert (item.agent, item.epoch, item.first_seq, item.last_seq) == ("edge-1", epoch, 3, 3)
    assert json.loads(item.payload)["points"] == ["m9/co2/total"]


def test_a_value_that_is_no_number_does_not_take_its_neighbours_along(ingest, edge, epoch):
    edge.send(batch(n=3, ep=epoch, x=[1.0, float("nan"), 3.0]))
    until(lambda: stored_up_to(edge) == 3)
    assert ingest.stored() == {POWER: 2}
    assert ingest.quarantine.counts() == {"not_finite": 1}


def test_a_message_refused_whole_is_kept_and_its_numbers_stay_open_where_they_are_not_sure(ingest, edge, epoch):
    good = encode(batch(ep=epoch))
    live = wire.up_topic("edge-1", "live")
    edge.say(live, good, crc="00000000")
    edge.say(live, b"{not json")
    edge.say(live, good.replace(b'"v":1', b'"v":2'))
    edge.say(live, encode(batch(ep=epoch, dev="edge-2")))
    edge.say(live, encode(batch(ep="")))
    until(lambda: len(ingest.quarantine.items()) == 5)
    reasons = {item.reason for item in ingest.quarantine.items()}
    assert reasons == {"crc_mismatch", "malformed", "unknown_version", "wrong_sender", "bad_epoch"}
    assert {(item.kind, item.count) for item in ingest.quarantine.items()} == {("message", 0)}
    assert edge.heard == []
    edge.send(batch(ep=epoch))  # and the next good one passes
    until(lambda: stored_up_to(edge) == 5)


def test_a_batch_that_its_agent_made_wrong_is_set_aside_with_its_numbers(ingest, edge, epoch):
    edge.send(batch(ep=epoch, t=[2**63] * 5))
    until(lambda: stored_up_to(edge) == 5)  # sending it again would not help
    (item,) = ingest.quarantine.items()
    assert (item.reason, item.epoch, item.first_seq, item.last_seq, item.count) == ("malformed", epoch, 1, 5, 5)
    edge.send(batch(6, 2, ep=epoch))
    until(lambda: stored_up_to(edge) == 7)
    assert ingest.watermarks.totals() == {"stored": 2, "quarantined": 5, "reopened": 0}


def test_an_agent_whose_oldest_rows_are_gone_is_not_waited_for(ingest, edge, epoch):
    edge.send(wire.Hello(v=1, dev="edge-1", ep=epoch, oldest=501, newest=505, pending=[(501, 505)]), "hello")
    edge.send(batch(501, 5, ep=epoch))
    until(lambda: stored_up_to(edge) == 505)
    assert ingest.watermarks.tombstones() == [("edge-1", epoch, 1, 500, "not_held")]


def test_what_agents_say_and_how_late_readings_are_is_told(ingest, edge, epoch):
    edge.send(wire.Status(v=1, dev="edge-1", state="online", at_ms=NOW_MS, figures={"rows": 3.0}), "status")
    edge.send(batch(n=2, ep=epoch, t=[NOW_MS - 2000, NOW_MS - 1000]))
    edge.send(batch(3, 1, ep=epoch, lane="backlog", t=[NOW_MS - 10**9]))
    until(lambda: stored_up_to(edge) == 3)
    until(lambda: status_of(ingest).figures["stored"] == 3)
    figures = status_of(ingest).figures
    latency = [figures[f"live_{name}"] for name in ("latency_p50_s", "latency_p95_s", "samples")]
    assert latency == [1.5, 1.95, 2]
    assert (figures["received"], figures["stored"], figures["quarantined"]) == (3, 3, 0)
    (agent,) = ingest.status.agents()
    assert (agent.agent, agent.state, agent.figures, agent.store_hw) == ("edge-1", "online", {"rows": 3.0}, 3)
