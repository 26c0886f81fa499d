"""What was refused waits, once, with its reason."""

from dataclasses import replace

import pytest

from stores.records.audit import Audit
from stores.records.quarantine.quarantine import ItemState, Quarantine, QuarantineItem, Tally
from stores.records.stale import Stale


@pytest.fixture
def item(now):
    return QuarantineItem(
        received_at=now,
        stage="check",
        kind="reading",
        reason="unknown_point",
        detail="no point 'x/active_power/total'",
        topic="meterhouse/1/up/edge-1/live",
        agent="edge-1",
        epoch="e1",
        first_seq=10,
        last_seq=12,
        count=3,
        payload=b'{"v":1}',
    )


@pytest.fixture
def quarantine(engine):
    return Quarantine(engine)


def test_an_item_is_kept_as_it_came(quarantine, item):
    quarantine.put(item)
    (kept,) = quarantine.items()
    assert replace(kept, id=0) == item
    assert quarantine.item(kept.id) == kept


def test_the_same_item_is_kept_once(quarantine, item, now):
    quarantine.put(item)
    quarantine.put(replace(item, received_at=now.replace(hour=20)), item)
    assert len(quarantine.items()) == 1


def test_another_range_reason_or_payload_is_another_item(quarantine, item):
    quarantine.put(item, replace(item, first_seq=11), replace(item, reason="late"), replace(item, payload=b""))
    assert len(quarantine.items()) == 4


def test_a_message_that_could_not_be_read_has_no_sequence(quarantine, item):
    quarantine.put(replace(item, kind="message", first_seq=None, last_seq=None, count=0, reason="malformed"))
    (kept,) = quarantine.items(reason="malformed")
    assert kept.first_seq is None


def test_readings_are_counted_by_reason(quarantine, item):
    quarantine.put(item, replace(item, first_seq=20), replace(item, reason="out_of_range", count=1))
    assert quarantine.counts() == {"unknown_point": 6, "out_of_range": 1}
    assert [i.reason for i in quarantine.items(limit=1)] == ["out_of_range"]
    assert len(quarantine.items(reason="unknown_point")) == 2


def test_a_discarded_item_waits_no_longer_and_stays_on_record(quarantine, engine, item, now):
    quarantine.put(item)
    (kept,) = quarantine.items()
    quarantine.discard(kept.id, "anna", "a test device", now, based_on=ItemState.WAITING)
    assert quarantine.items() == []
    assert quarantine.counts() == {}
    on_record = quarantine.item(kept.id)
    assert (on_record.state, on_record.payload) == (ItemState.DISCARDED, item.payload)
    assert (on_record.discarded_by, on_record.discard_reason) == ("anna", "a test device")
    assert quarantine.items(standing="closed") == [on_record]
    assert Audit(engine).entries()[0].detail == "a test device"
    with pytest.raises(Stale, match="anna, 2026-11-23 09:30 UTC: discarded: a test device"):
        quarantine.discard(kept.id, "anna", "again", now, based_on=ItemState.WAITING)
    assert len(Audit(engine).entries()) == 1


def test_what_a_person_discarded_stays_discarded_when_the_very_same_comes_again(quarantine, item, now):
    quarantine.put(item)
    quarantine.discard(quarantine.items()[0].id, "anna", "a test device", now, based_on=ItemState.WAITING)
    quarantine.put(item)
    assert quarantine.items() == []
    assert len(quarantine.items(standing=None)) == 1


def test_a_replayed_item_is_closed_with_what_came_of_it(quarantine, item, now):
    quarantine.put(item, replace(item, first_seq=20))
    first = quarantine.items()[-1]
    quarantine.close_replayed(first.id, "stored 3 readings", now)
    assert quarantine.counts() == {"unknown_point": 3}
    closed = quarantine.item(first.id)
    assert (closed.state, closed.outcome, closed.replayed_at) == (ItemState.REPLAYED, "stored 3 readings", now)
    quarantine.close_replayed(first.id, "again", now)
    assert quarantine.item(first.id) == closed


def test_what_was_replayed_and_is_refused_again_waits_again(quarantine, item, now):
    quarantine.put(item)
    (kept,) = quarantine.items()
    quarantine.close_replayed(kept.id, "stored 3 readings", now)
    later = now.replace(hour=20)
    quarantine.put(replace(item, received_at=later))
    (back,) = quarantine.items()
    assert back == replace(kept, received_at=later)


def test_what_a_replay_refuses_again_is_kept_with_the_closing(quarantine, item, now):
    quarantine.put(item)
    (kept,) = quarantine.items()
    rest = replace(item, first_seq=12, count=1, reason="out_of_range")
    quarantine.close_replayed(kept.id, "stored 2 readings, 1 refused: out_of_range", now, again=[rest])
    assert quarantine.counts() == {"out_of_range": 1}
    quarantine.close_replayed(quarantine.items()[0].id, "refused again: out_of_range", now, again=[rest])
    assert [i.state for i in quarantine.items()] == [ItemState.WAITING]


def test_pages_follow_one_another_and_hold_one_agents_items(quarantine, item):
    quarantine.put(*(replace(item, first_seq=n, agent=f"edge-{n % 2}") for n in range(1, 8)))
    first = quarantine.items(limit=3)
    second = quarantine.items(limit=3, before=first[-1].id)
    assert [i.first_seq for i in first + second] == [7, 6, 5, 4, 3, 2]
    assert [i.first_seq for i in quarantine.items(agents=["edge-1"], reason="unknown_point")] == [7, 5, 3, 1]
    assert quarantine.items(agents=["edge-1"], reason="late") == []
    assert quarantine.agents() == ["edge-0", "edge-1"]


def test_tallies_tell_items_readings_and_unread_messages(quarantine, item):
    message = replace(item, kind="message", count=0, reason="malformed")
    quarantine.put(item, replace(item, first_seq=20), message, replace(message, agent="edge-2"))
    assert quarantine.tallies() == [Tally("malformed", 2, 0, 2), Tally("unknown_point", 2, 6, 0)]
    assert quarantine.tallies(agents=["edge-2"]) == [Tally("malformed", 1, 0, 1)]


def test_an_excerpt_is_obeyed_by_no_terminal(item):
    hostile = replace(item, payload=b"a\x1b[2J\xff\n\xe2\x80\xae<b>" + b"x" * 99)
    assert hostile.excerpt(16) == "a\N{REPLACEMENT CHARACTER}[2J\\xff\n\N{REPLACEMENT CHARACTER}<b>xxx"


def test_nothing_is_there_before_anything_came(quarantine):
    assert (quarantine.items(), quarantine.counts(), quarantine.item(1)) == ([], {}, None)
