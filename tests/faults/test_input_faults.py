"""Faults I6 to I9 and B9 of what comes in: missing, mistyped, invented, crafted, spoilt."""

from __future__ import annotations

import json
import os
import re
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from rigs.ingest_rig import (
    CATALOGUE,
    ENERGY,
    IDENTITIES,
    POWER,
    Client,
    Ingest,
    batch,
    encode,
)
from rigs.intake_in_memory import Trial, inbound
from rigs.patience import until
from rigs.trials import FULL, seeded

from facility import wire
from facility.documents.site_schema import Slug
from facility.errors import Rejected
from ingest.decode import sender
from ingest.gaps import Gaps
from meterhouse.servers.broker import start_broker
from stores.readings.influx.line_protocol import ReadingLines, line_head
from stores.readings.sqlite.store import SqliteStore
from stores.records.database import open_records
from stores.records.quarantine.quarantine import Quarantine

FAST = {"deadline": None, "suppress_health_check": list(HealthCheck)}
EPOCH = "e1"


# I6


class Believer:
    """An agent that believes its messages done: it greets with nothing pending, and answers only when asked."""

    def __init__(self, chance, numbers):
        self.chance, self.numbers = chance, numbers

    def hello(self, newest, ep=EPOCH):
        return wire.Hello(v=1, dev="edge-1", ep=ep, oldest=1, newest=newest, pending=[])

    def answer(self, first, last, ep=EPOCH):
        if self.chance.random() < 0.5:
            return wire.Tombstones(1, "edge-1", ep, [wire.Tombstone(first, last, "not_held")])
        return batch(first, last - first + 1, ep=ep, lane="backlog")


def test_I6_every_gap_is_asked_for_and_closed_within_a_minute():
    chance = seeded()
    agent, opened, closed, now_s = Believer(chance, 0), {}, {}, 0.0
    with Trial() as trial:
        streams, gaps = trial.pipeline.streams, Gaps(trial.pipeline.streams)
        for i in range(5_000 if FULL else 1_500):
            now_s += 0.2
            first = 1 + 5 * i
            if chance.random() < 0.01:
                opened[first] = now_s
            else:
                trial.take(inbound(batch(first, 5)))
            if i % 10 == 9 or len(opened) > len(closed):
                _ask(trial, gaps, agent, now_s, first + 4 if i % 10 == 9 else None)
            closed |= {k: now_s for k in opened if k not in closed and streams.of(("edge-1", EPOCH)).covers(k, k + 4)}
        newest = first + 4
        for _ in range(300):  # nothing more is said but greetings
            now_s += 0.2
            _ask(trial, gaps, agent, now_s, newest)
            closed |= {k: now_s for k in opened if k not in closed and streams.of(("edge-1", EPOCH)).covers(k, k + 4)}
        assert len(opened) > 5
        assert closed.keys() == opened.keys()
        assert max(closed[k] - opened[k] for k in opened) < 60
        assert list(streams.of(("edge-1", EPOCH))) == [(1, newest)]
        trial.store_all()
        totals, stones = trial.watermarks.totals(), trial.watermarks.tombstones()
        buried = sum(last - first + 1 for _, _, first, last, _ in stones)
        assert totals["stored"] + totals["quarantined"] + buried == newest


def _ask(trial, gaps, agent, now_s, newest):
    if newest is not None:
        for hello in trial.take(inbound(agent.hello(newest), "hello")).hellos:
            gaps.note(hello, now_s)
    for ranges in gaps.due(now_s).values():
        for first, last in ranges:
            answer = agent.answer(first, last)
            trial.take(inbound(answer, "backlog"))


def test_I6_a_gap_that_grows_with_every_greeting_is_still_asked_for():
    with Trial() as trial:
        gaps, asked = Gaps(trial.pipeline.streams), []
        trial.take(inbound(batch(1, 5)))
        for i in range(1, 30):  # all that the agent said since is lost, and it goes on
            gaps.note(wire.Hello(v=1, dev="edge-1", ep=EPOCH, oldest=1, newest=5 + i, pending=[]), 2.0 * i)
            asked += gaps.due(2.0 * i).get(("edge-1", EPOCH), [])
        assert asked == [(6, 21)]


@pytest.mark.broker
def test_I6_dropped_messages_are_nacked_and_brought_over_a_real_broker(tmp_path):
    chance, asked = seeded(), set()
    with start_broker(tmp_path / "broker", IDENTITIES) as broker:
        ingest = Ingest(tmp_path, broker, patience_s=0.5).start()
        edge, agent = Client(broker, "edge-1", "meterhouse/1/ack/edge-1"), Believer(chance, 0)
        dropped = [i for i in range(300) if chance.random() < 0.01] or [7]
        for i in range(300):
            if i not in dropped:
                edge.pour(batch(1 + 5 * i, 5))

        def closed():
            edge.send(agent.hello(1500), "hello")
            for ack in edge.acks(0):
                for first, last in set(ack.nack) - asked:
                    asked.add((first, last))
                    edge.send(agent.answer(first, last), "backlog")
            return edge.acks()[-1].store_hw == 1500

        until(closed)
        assert sum(last - first + 1 for first, last in asked) == 5 * len(dropped)
        stones = sum(last - first + 1 for _, _, first, last, _ in ingest.watermarks.tombstones())
        assert sum(ingest.stored().values()) + stones == 1500
        edge.close()
        ingest.close()


# I7

ANY_VALUE = st.one_of(
    st.integers(),
    st.integers(0, 10_000),
    st.floats(0, 10_000),
    st.floats(),
    st.text(max_size=5),
    st.booleans(),
    st.none(),
    st.just([]),
    st.just({"a": 1}),
)


@pytest.fixture(scope="module")
def typed():
    """One SQLite store that many trials go on writing to: the type of a series is fixed by its first value."""
    with Trial() as trial:
        store = SqliteStore(trial.folder / "readings.db")
        yield store
        store.close()


@settings(max_examples=100_000 if FULL else 2_000, **FAST)
@given(st.lists(ANY_VALUE, min_size=1, max_size=6), st.integers(0, 3), ANY_VALUE)
def test_I7_a_value_of_another_type_is_coerced_or_set_aside_before_the_store(typed, values, column, other):
    said = json.loads(encode(batch(1, len(values))))
    said["x"] = values
    if column:
        said["ptq"[column - 1]] = [other] * len(values)
    with Trial(store=typed) as trial:
        text = json.dumps(said).replace("Infinity", "1e999").replace("NaN", "null")  # those are no JSON
        trial.take(inbound(text.encode()))
        trial.store_all()
        totals, stages = trial.watermarks.totals(), {item.stage for item in trial.quarantine.kept.values()}
        assert totals["stored"] + totals["quarantined"] in {0, len(values)}  # 0: its numbers could not be read
        assert totals["stored"] + totals["quarantined"] or trial.quarantine.kept
        assert "store" not in stages
        if not column:
            fit = [x for x in values if type(x) in {int, float} and 0 <= x <= 10_000]
            assert totals["stored"] == len(fit)
            assert totals["quarantined"] == len(values) - len(fit)


# I8


def test_I8_a_hundred_thousand_invented_ids_open_no_series(tmp_path):
    chance, ids = seeded(), 100_000
    engine = open_records(f"sqlite:///{tmp_path / 'records.db'}")
    store, quarantine = SqliteStore(tmp_path / "readings.db"), Quarantine(engine)
    with Trial(store=store, quarantine=quarantine) as trial:
        trial.take(inbound(batch(1, 2, points=[POWER, ENERGY], p=[0, 1])))
        trial.store_all()
        before = store.totals()
        for i in range(ids // 500):
            names = ["".join(chance.choices(string.ascii_lowercase, k=8)) + "/co2/total" for _ in range(500)]
            message = batch(3 + 500 * i, 500, points=names, p=list(range(500)))
            trial.take(inbound(message))
            trial.take(inbound(batch(1, 1, dev=names[0][:8]), agent=names[0][:8]))  # agents may be invented, too
        trial.store_all()
        assert store.totals() == before
        assert quarantine.counts() == {"unknown_point": ids, "unknown_agent": 0}
        assert trial.watermarks.totals() == {"stored": 2, "quarantined": ids, "reopened": 0}
        assert list(trial.watermarks.streams()) == [("edge-1", EPOCH)]
        assert len(trial.gate._known) <= 256
    store.close()
    engine.dispose()


# I9

SLUG = TypeAdapter(Slug)
CRAFTED = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="ab1_-\\\"'`,= \n\r\t;/+#$\x00é", max_size=20),
    st.sampled_from(["a\n", "a,b=c", "a b", "admin value=1\n", 'x"; DROP SERIES', "m1\\", "m1,role=head"]),
)


@settings(max_examples=100_000 if FULL else 2_000, **FAST)
@given(CRAFTED)
def test_I9_an_id_that_the_registry_lets_in_needs_no_escape(text):
    try:
        SLUG.validate_python(text)
    except ValidationError:
        return
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", text)
    assert line_head("reading", {"meter": text}) == f"reading,meter={text}"


@settings(max_examples=100_000 if FULL else 2_000, **FAST)
@given(st.text(min_size=1))
def test_I9_a_tag_never_opens_another_tag_field_or_line(text):
    try:
        head = line_head("reading", {"meter": text, "site": "s"})
    except Rejected:
        assert "\\" in text or not text.isprintable()
        return
    assert "\n" not in head
    plain = re.sub(r"\\.", "", head)
    assert (plain.count(","), plain.count("="), plain.count(" ")) == (2, 2, 0)


@settings(max_examples=100_000 if FULL else 2_000, **FAST)
@given(CRAFTED, CRAFTED, CRAFTED)
def test_I9_what_a_sender_crafts_reaches_no_line_and_no_table(agent, point, epoch):
    lines = ReadingLines(CATALOGUE)
    with Trial() as trial:
        trial.take(
            inbound(batch(1, 2, points=[POWER, point], p=[0, 1], ep=epoch)),
            inbound(batch(1, 1, dev=agent), agent=agent.replace("/", "")),
        )
        trial.store_all()
        for name, series in trial.store.read(list(trial.store.totals()), 0, 2**62).items():
            assert name == POWER
            assert len(series) == 1
        for item in trial.quarantine.kept.values():
            assert all(text.isprintable() for text in (item.agent, item.epoch, item.topic, item.detail))
        with pytest.raises(KeyError):
            lines.encode(batch(1, 1, points=[point + "?"]).readings())


# B9: what no agent of ours would say


def _spoilt(payload, chance):
    """Bytes near a good message: flipped, cut, doubled, or with a token of JSON where another was."""
    data = bytearray(payload)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(data) + 1)
        end = at + chance.randrange(12)
        data[at:end] = chance.choice(
            [os.urandom(chance.randrange(6)), b"", bytes(data[at:end]) * 3, *TOKENS, b"[" * chance.randrange(2000)]
        )
    return bytes(data)


TOKENS = [
    b"NaN",
    b"1e999",
    b"-1",
    b"9" * 30,
    b'"x"',
    b"null",
    b"{}",
    b"true",
    b"\xff\xfe",
    b"\\ud800",
    b"4611686018427387904",
]


def test_more_points_than_their_numbers_can_tell_apart_are_refused_by_the_sender_and_by_us():
    many = batch(1, 1, points=[""] * 65_537, p=[65_536])
    with Trial() as trial:
        group = trial.take(inbound(many), inbound(batch(2, 1)))
        assert group.refused_messages == 1
        assert [item.reason for item in trial.quarantine.items()] in ([], ["malformed"])
        assert group.entries[-1].readings is not None


def test_B9_spoilt_payloads_are_refused_and_nothing_breaks():
    chance, trials = seeded(), 100_000 if FULL else 4_000
    tomb = wire.Tombstones(1, "edge-1", EPOCH, [wire.Tombstone(1, 9, "outbox_full")])
    hello = wire.Hello(v=1, dev="edge-1", ep=EPOCH, oldest=3, newest=9, pending=[(4, 9)])
    status = wire.Status(v=1, dev="edge-1", state="online", figures={"rows": 3.0})
    good = [(batch(1, 4, q=[0, 1, 2, 3]), "live"), (tomb, "backlog"), (hello, "hello"), (status, "status")]
    with Trial() as trial:
        gaps = Gaps(trial.pipeline.streams)
        for i in range(trials):
            message, what = chance.choice(good)
            payload = _spoilt(encode(message), chance)
            for greeting in trial.take(inbound(payload, what, crc=chance.choice([None, None, "no"]))).hellos:
                gaps.note(greeting, i / 10)
            gaps.due(i / 10)
            if i % 500 == 499:
                trial.store_all()
        trial.take(inbound(batch(10**9, 4)))
        trial.store_all()
        assert trial.watermarks.stored(("edge-1", EPOCH)).covers(10**9, 10**9 + 3)
        assert {item.stage for item in trial.quarantine.kept.values()} <= {"decode", "check"}


@settings(max_examples=100_000 if FULL else 2_000, **FAST)
@given(st.text(alphabet=st.characters(exclude_characters="/"), min_size=1, max_size=30))
def test_B9_any_name_in_a_topic_is_somebody_we_do_not_know(agent):
    message = inbound(b"{}", "live", agent=agent)
    assert sender(message.topic) == (agent, "live")
    with Trial() as trial:
        group = trial.take(message)
        trial.store_all()
        assert (group.refused_messages, len(trial.quarantine.kept)) == (1, 1)
        assert trial.watermarks.totals()["stored"] == 0


def test_B9_a_status_may_say_anything_and_the_figures_are_still_json():
    with Trial() as trial:
        status = wire.Status(v=1, dev="edge-1", state="online", figures={"\x00": 1e300})
        assert trial.take(inbound(status, "status")).statuses == [status]
        with pytest.raises(Rejected):
            trial.pipeline._read(inbound(b'{"v":1,"dev":"edge-1","state":"up"}', "status"), None, 0)
