"""What leaves the outbox, in which order, and what alone lets rows go: the server's own acknowledgement."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager

import pytest
from rigs.patience import PATIENCE_S, until

from edge_agent.outbox.outbox import BACKLOG, LIVE, Outbox
from edge_agent.publisher import Publisher
from edge_agent.window import SendWindow
from facility import wire
from facility.ranges import RangeSet

pytestmark = pytest.mark.broker

T0 = 1_700_000_000_000


def samples(count, begin=0, point="m1/active_power/total"):
    return [(point, T0 + 1000 * (begin + i), float(begin + i), 0) for i in range(count)]


@contextmanager
def sending(outbox, url, *, silence_s=PATIENCE_S, rows=500, batches=20, monotonic=time.monotonic):
    window = SendWindow(outbox, "edge-1", silence_s=silence_s, rows=rows, batches=batches)
    commands = []
    publisher = Publisher(
        url,
        "edge-1",
        outbox,
        window,
        monotonic=monotonic,
        status=lambda: wire.Status(v=1, dev="edge-1", state="online"),
        command=commands.append,
    )
    publisher.window, publisher.commands = window, commands
    publisher.start()
    try:
        yield publisher
    finally:
        publisher.stop()


@pytest.fixture
def outbox(tmp_path):
    made = Outbox(tmp_path / "outbox.db", T0)
    yield made
    made.close()


def test_a_puback_frees_nothing_and_the_servers_acknowledgement_does(broker, server, outbox):
    outbox.commit(samples(1200))
    with sending(outbox, broker.url) as publisher:
        server.wait(lambda: server.hw == 1200)
        time.sleep(0.3)  # every PUBACK has come by now
        assert (outbox.store_hw, publisher.window.under_way) == (0, 3)
        server.acknowledge(store_hw=0)
        until(lambda: publisher.window.under_way == 0)
        assert outbox.store_hw == 0  # journalled is not stored
        server.acknowledge()
        until(lambda: outbox.store_hw == 1200)
        assert outbox.reader.held() == 1200  # acked rows stay for the replay window
    assert outbox.is_tidy


def test_an_acknowledgement_of_another_epoch_frees_nothing(broker, server, outbox):
    outbox.commit(samples(10))
    with sending(outbox, broker.url) as publisher:
        server.wait(lambda: server.hw == 10)
        server.acknowledge(epoch="another")
        server.acknowledge(store_hw=4)
        until(lambda: publisher.window.under_way == 0)
        assert outbox.store_hw == 4


def test_everything_under_way_is_sent_again_after_silence(broker, server, outbox, logged):
    outbox.commit(samples(20))
    with sending(outbox, broker.url, silence_s=0.3) as publisher:
        server.wait(lambda: server.received >= 40)
        assert publisher.window.resends >= 1
        server.acknowledge()
        until(lambda: outbox.store_hw == 20)
    again = next(line for line in logged if line["event"] == "no_acknowledgement")
    assert (again["batch"], again["batches"]) == (f"edge-1/{outbox.epoch}/1", 1)
    assert {row[2] for row in server.rows.values()} == {float(i) for i in range(20)}


def test_a_batch_to_which_nobody_listens_is_named_with_the_alarm(broker, outbox, logged):
    outbox.commit(samples(20))
    with sending(outbox, broker.url) as publisher:
        until(lambda: publisher.reasons.alarms["no_subscriber"])
    (alarm,) = [line for line in logged if line["event"] == "broker_alarm"]
    assert (alarm["alarm"], alarm["batch"]) == ("no_subscriber", f"edge-1/{outbox.epoch}/1")


def test_acknowledged_live_readings_do_not_hide_that_the_backlog_was_lost(outbox):
    outbox.commit(samples(40), BACKLOG)
    window = SendWindow(outbox, "edge-1", silence_s=3.0, rows=10)
    window.connected(0.0)
    assert [window.next(0.0).first for _ in range(4)] == [1, 11, 21, 31]  # and nobody hears them
    sent_again = []
    for second in range(1, 6):
        outbox.commit(samples(1, second, "door"), LIVE)
        while (message := window.next(float(second))) is not None:
            if message.lane == "live":
                live = [(message.first, message.last)]
                window.acknowledge(wire.Ack(1, "store-1", outbox.epoch, 0, 0, live), float(second))
            else:
                sent_again.append((second, message.first))
    assert sent_again[0] == (3, 1)


def test_a_server_that_remembers_few_ranges_gets_the_lowest_of_the_backlog_among_live_readings(outbox):
    window, done, most_ranges = SendWindow(outbox, "edge-1", silence_s=3.0, rows=1), RangeSet(), 3
    window.connected(0.0)
    for k in range(40):
        outbox.commit(samples(1, k, "recorded"), BACKLOG)
        outbox.commit(samples(1, k, "door"), LIVE)
    for second in range(60):
        outbox.commit(samples(1, 100 + second, "door"), LIVE)
        while (message := window.next(float(second))) is not None:
            done.add(message.first, message.last)
            done.keep_lowest(most_ranges)
            window.acknowledge(wire.Ack(1, "store-1", outbox.epoch, done.watermark, 0, done.above), float(second))
    assert done.watermark == outbox.newest


def test_no_more_than_the_window_is_under_way(broker, server, outbox):
    outbox.commit(samples(100))
    with sending(outbox, broker.url, rows=2) as publisher:
        server.wait(lambda: server.received == 32)  # 20 batches less 4 that are kept for live readings
        time.sleep(0.2)
        assert (server.received, publisher.window.under_way) == (32, 16)
        outbox.commit(samples(2, 1000))
        publisher.wake()
        server.wait(lambda: server.batches[-1].lane == "live")
        assert server.batches[-1].first == 101


def test_live_readings_go_before_the_backlog(broker, server, outbox):
    outbox.commit(samples(30_000), BACKLOG)
    with sending(outbox, broker.url) as publisher:
        server.wait(lambda: server.received == 8_000)  # the window is full: 20 batches less 4 for live readings
        outbox.commit([("door", T0, 1.0, 0)], LIVE)
        publisher.wake()
        server.wait(lambda: server.batches[-1].lane == "live")
        server.answers = "always"
        server.acknowledge()
        server.wait(lambda: server.hw == 30_001)
    assert [batch.lane for batch in server.batches].index("live") == 16  # of 61


def test_ranges_above_the_watermark_are_not_sent_again(broker, server, outbox):
    outbox.commit(samples(1500))
    with sending(outbox, broker.url, silence_s=0.4):
        server.wait(lambda: server.hw == 1500)
        server.batches.clear()
        server.acknowledge(journal_hw=0, store_hw=0, ranges=[(501, 1000)])
        server.wait(lambda: {batch.first for batch in server.batches} >= {1, 1001})
        assert 501 not in {batch.first for batch in server.batches}


def test_another_store_gets_everything_that_is_still_held(broker, server, outbox):
    outbox.commit(samples(700))
    with sending(outbox, broker.url):
        server.wait(lambda: server.hw == 700)
        server.acknowledge()
        until(lambda: outbox.store_hw == 700)
        server.rows.clear()
        server.store_id = "store-2"
        server.acknowledge(journal_hw=0, store_hw=0)
        server.wait(lambda: len(server.rows) == 700)


def test_a_nack_and_a_replay_command_bring_rows_again(broker, server, outbox):
    outbox.commit(samples(100))
    with sending(outbox, broker.url):
        server.wait(lambda: server.hw == 100)
        server.acknowledge()
        until(lambda: outbox.store_hw == 100)
        server.batches.clear()
        server.acknowledge(nack=[(10, 12)])
        server.wait(lambda: [(b.first, len(b.x)) for b in server.batches] == [(10, 3)])
        server.command("replay", [(50, 59)])
        server.wait(lambda: [(b.first, len(b.x)) for b in server.batches][1:] == [(50, 10)])


def test_hello_tells_what_is_held_on_connect_and_with_every_tenth_batch(broker, server, outbox):
    outbox.commit(samples(24))
    server.answers = "always"
    with sending(outbox, broker.url, rows=2):
        server.wait(lambda: server.hw == 24)
        server.wait(lambda: len(server.hellos) == 2)
    assert (server.hellos[0].oldest, server.hellos[0].newest, server.hellos[0].pending) == (1, 24, [(1, 24)])


def test_on_a_quiet_line_it_greets_until_all_is_stored_so_that_a_restarted_server_answers(broker, server, outbox):
    outbox.commit(samples(24))
    with sending(outbox, broker.url, silence_s=1e6, monotonic=lambda: 50 * time.monotonic()) as publisher:
        server.wait(lambda: server.hw == 24)
        server.acknowledge(store_hw=0)  # its last word before it ends: journalled, not stored
        until(lambda: publisher.window.pending_rows() == 0)
        server.batches.clear()
        server.answers = "always"
        until(lambda: outbox.store_hw == 24)
        time.sleep(0.6)  # half a minute: what was on its way has come
        greeted = len(server.hellos)
        time.sleep(1.2)  # a minute
    assert (len(server.hellos), server.batches) == (greeted, [])


def test_pause_and_resume_reach_the_agent_and_goodbye_is_said(broker, server, outbox):
    with sending(outbox, broker.url) as publisher:
        server.wait(lambda: server.statuses)
        server.command("pause")
        server.command("resume")
        until(lambda: publisher.commands == ["pause", "resume"])
    server.wait(lambda: server.statuses[-1].state == "offline")


def test_malformed_words_from_the_server_are_counted_and_survived(broker, server, outbox):
    with sending(outbox, broker.url) as publisher:
        server.wait(lambda: server.hellos)
        server.client.publish(wire.ack_topic("edge-1"), b"{", 1)
        until(lambda: publisher.malformed == 1)
        outbox.commit(samples(3))
        publisher.wake()
        server.wait(lambda: server.hw == 3)


def test_rows_dropped_on_purpose_travel_as_tombstones(broker, server, outbox):
    outbox.commit(samples(10))
    outbox._db.execute("UPDATE reading SET x = 99 WHERE seq = 4")
    with sending(outbox, broker.url):
        server.wait(lambda: server.hw == 10)
    assert [(tomb.start, tomb.end, tomb.reason) for tomb in server.tombs] == [(4, 4, "crc_mismatch")]


def test_an_outbox_that_fails_for_a_while_does_not_end_the_publisher(broker, server, outbox, monkeypatch):
    failures = iter([sqlite3.OperationalError("database or disk is full")] * 3)
    sound = outbox.rows

    def rows(*asked):
        for failure in failures:
            raise failure
        return sound(*asked)

    monkeypatch.setattr(outbox, "rows", rows)
    outbox.commit(samples(10))
    with sending(outbox, broker.url) as publisher:
        server.wait(lambda: server.hw == 10)
        assert publisher.is_alive


def test_a_goodbye_that_cannot_be_said_is_not_waited_for(outbox):
    with sending(outbox, "mqtt://127.0.0.1:1") as publisher:
        publisher._up = True  # the link has gone, and nobody has noticed yet


def test_a_batch_too_large_for_the_wire_is_split(broker, server, outbox):
    outbox.commit([(f"{'m' * 1000}{i}", T0, 1.0, 0) for i in range(500)])
    with sending(outbox, broker.url):
        server.wait(lambda: server.hw == 500)
    assert len(server.batches) == 3


def test_what_is_asked_for_and_no_longer_held_is_answered_with_a_tombstone(broker, server, outbox):
    outbox.commit(samples(30))
    with sending(outbox, broker.url):
        server.wait(lambda: server.hw == 30)
        server.acknowledge()
        until(lambda: outbox.store_hw == 30)
        with outbox._writing, outbox._transaction():
            outbox._db.execute("DELETE FROM reading WHERE seq <= 20")
        server.batches.clear()
        server.acknowledge(nack=[(5, 22), (29, 400)])
        server.wait(lambda: {batch.first for batch in server.batches} == {21, 29} and server.tombs)
        assert [(tomb.start, tomb.end, tomb.reason) for tomb in server.tombs] == [(5, 20, "not_held")]


def test_an_outbox_that_went_back_begins_a_new_epoch_instead_of_giving_numbers_twice(broker, server, outbox):
    outbox.commit(samples(10))
    epoch = outbox.epoch
    with sending(outbox, broker.url):
        server.wait(lambda: server.hw == 10)
        server.batches.clear()
        server.acknowledge(journal_hw=50, store_hw=50)
        server.wait(lambda: server.batches)
        assert (server.batches[0].first, len(server.batches[0].x)) == (1, 10)
        assert server.batches[0].ep == outbox.epoch != epoch
        assert outbox.store_hw == 0
