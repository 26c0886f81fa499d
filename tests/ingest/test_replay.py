"""What waits in quarantine is taken in again once the estate allows it, exactly once in effect."""

import dataclasses
from datetime import UTC, datetime
from math import fsum

import pytest
from rigs.ingest_rig import CATALOGUE, ENERGY, NOW_MS, POWER, Ingest, batch, encode
from rigs.patience import until

from facility import wire
from facility.levels import Level
from facility.model import Point
from facility.quantities import Quantity
from ingest.gate import Gate
from stores.records.quarantine.quarantine import ItemState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MENDED = dataclasses.replace(
    CATALOGUE,
    points=(
        *(dataclasses.replace(point, level=Level.INTERNAL) for point in CATALOGUE.points),
        Point("m1", Quantity.CURRENT, level=Level.INTERNAL),
    ),
)
LEVELLESS, UNKNOWN = "m1/voltage/total", "m1/current/total"


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr("ingest.errand_runner.EVERY_S", 0.05)


def stored_up_to(edge):
    return edge.acks()[-1].store_hw if edge.heard else 0


def replay_all(ingest):
    asked = ingest.errands.ask_all("a test", NOW)
    until(lambda: all(errand.done_at for errand in ingest.errands.errands(asked)))
    return [errand.outcome for errand in ingest.errands.errands(asked)]


def test_readings_are_stored_once_the_estate_knows_them_and_the_rest_waits_on(ingest, edge, tmp_path):
    t = [NOW_MS - i for i in range(4)]
    points, x = [LEVELLESS, UNKNOWN, POWER], [230.0, 5.0, 50.0, 1e9]
    edge.send(batch(n=4, ep=tmp_path.name, points=points, p=[0, 1, 2, 1], t=t, x=x))
    until(lambda: stored_up_to(edge) == 4)
    assert ingest.watermarks.totals() == {"stored": 1, "quarantined": 3, "reopened": 0}
    assert sorted(replay_all(ingest)) == [
        "refused again: no_level: as before",
        "refused again: unknown_point: as before",
    ]
    ingest.parts.doorway.gate = Gate(MENDED)
    assert sorted(replay_all(ingest)) == ["stored 1", "stored 1, refused again 1"]
    assert ingest.stored() == {POWER: 1, LEVELLESS: 1, UNKNOWN: 1}
    until(lambda: ingest.watermarks.totals() == {"stored": 3, "quarantined": 1, "reopened": 0})
    (left,) = ingest.quarantine.items()
    assert (left.reason, left.first_seq, left.count) == ("out_of_range", 4, 1)
    assert fsum(total.total for total in ingest.readings.totals().values()) == 285.0
    assert replay_all(ingest) == ["refused again: out_of_range: as before"]
    assert ingest.stored() == {POWER: 1, LEVELLESS: 1, UNKNOWN: 1}


def test_a_whole_message_is_read_again(ingest, edge, tmp_path):
    edge.send(batch(n=3, ep=tmp_path.name, points=["m1/current/total"], dev="edge-1"))
    edge.say(wire.up_topic("edge-1", "live"), encode(batch(4, 2, ep=tmp_path.name, t=[2**63, 1])))
    until(lambda: stored_up_to(edge) == 5)
    assert ingest.quarantine.counts() == {"unknown_point": 3, "malformed": 2}
    ingest.parts.doorway.gate = Gate(MENDED)
    assert sorted(replay_all(ingest)) == ["refused again: malformed: t holds a number beyond all times", "stored 3"]
    assert ingest.stored() == {UNKNOWN: 3}


def test_a_message_whose_numbers_were_open_is_taken_in_unless_its_agent_was_quicker(ingest, edge, tmp_path):
    strangers = dataclasses.replace(CATALOGUE, agents=CATALOGUE.agents[1:])
    ingest.parts.doorway.gate = Gate(strangers)
    for epoch in ("quick", "slow"):
        edge.send(batch(n=3, ep=tmp_path.name + epoch))
    until(lambda: ingest.quarantine.size().items == 2)
    ingest.parts.doorway.gate = Gate(CATALOGUE)
    edge.send(batch(n=3, ep=tmp_path.name + "quick"))
    until(lambda: stored_up_to(edge) == 3)
    assert replay_all(ingest) == ["its agent has sent the same readings again", "stored 3"]
    until(lambda: ingest.watermarks.totals() == {"stored": 6, "quarantined": 0, "reopened": 0})
    assert ingest.quarantine.size().items == 0


def test_a_damaged_message_and_a_discarded_item_are_never_taken_in(ingest, edge, tmp_path):
    edge.say(wire.up_topic("edge-1", "live"), encode(batch(ep=tmp_path.name)), crc="00000000")
    edge.send(batch(n=1, ep=tmp_path.name, points=[LEVELLESS], x=[1.0]))
    until(lambda: len(ingest.quarantine.items()) == 2)
    given_up = next(item for item in ingest.quarantine.items() if item.reason == "no_level")
    ingest.quarantine.discard(given_up.id, "a test", "not wanted", NOW, based_on=ItemState.WAITING)
    ingest.parts.doorway.gate = Gate(MENDED)
    assert replay_all(ingest) == [
        "refused again: crc_mismatch: it was damaged on its way, and its agent sends it again"
    ]
    assert ingest.stored() == {}
    assert ingest.quarantine.item(given_up.id).state is ItemState.DISCARDED


def test_a_replay_cut_short_by_a_crash_counts_once(tmp_path, broker, edge):
    epoch = tmp_path.name
    first = Ingest(tmp_path, broker).start()
    edge.send(batch(n=2, ep=epoch, points=[LEVELLESS], x=[1.0, 2.0]))
    until(lambda: stored_up_to(edge) == 2)
    first.parts.doorway.gate = Gate(MENDED)
    first.store.is_up = False
    first.errands.ask_all("a test", NOW)
    until(lambda: first.store.attempts > 1)
    first.close()
    second = Ingest(tmp_path, broker)
    second.parts.doorway.gate = Gate(MENDED)
    second.start()
    try:
        until(lambda: second.watermarks.totals() == {"stored": 2, "quarantined": 0, "reopened": 0})
        assert (second.stored(), second.errands.waiting()) == ({LEVELLESS: 2}, [])
        edge.send(batch(3, 1, ep=epoch, points=[ENERGY]))
        until(lambda: stored_up_to(edge) == 3)
    finally:
        second.close()


def test_a_thousand_poison_messages_are_conserved_and_a_second_replay_changes_nothing(ingest, edge, tmp_path):
    epoch = tmp_path.name
    points = ([UNKNOWN], [LEVELLESS], [POWER], [POWER])
    edge.send_all(
        batch(i + 1, 1, ep=epoch, points=points[i % 4], x=[-5.0 if i % 4 == 2 else float(i)], t=[NOW_MS - i])
        for i in range(1000)
    )
    until(lambda: stored_up_to(edge) == 1000)
    assert ingest.watermarks.totals() == {"stored": 250, "quarantined": 750, "reopened": 0}
    ingest.parts.doorway.gate = Gate(MENDED)
    replay_all(ingest)
    until(lambda: ingest.watermarks.totals() == {"stored": 750, "quarantined": 250, "reopened": 0})
    assert (sum(ingest.stored().values()), ingest.quarantine.counts()) == (750, {"out_of_range": 250})
    replay_all(ingest)
    assert (sum(ingest.stored().values()), ingest.quarantine.counts()) == (750, {"out_of_range": 250})
