"""What was refused waits, once, with its reason."""

from dataclasses import replace

import pytest

from facility.errors import Rejected
from stores.records.audit import Audit
from stores.records.quarantine import Quarantine, QuarantineItem


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
    quarantine.discard(kept.id, "anna", "a test device", now)
    assert quarantine.items() == []
    assert quarantine.counts() == {}
    assert quarantine.item(kept.id) == kept
    assert Audit(engine).entries()[0].detail == "a test device"
    quarantine.put(item)
    assert quarantine.items() == []
    with pytest.raises(Rejected, match="no item"):
        quarantine.discard(kept.id, "anna", "again", now)


def test_nothing_is_there_before_anything_came(quarantine):
    assert (quarantine.items(), quarantine.counts(), quarantine.item(1)) == ([], {}, None)
