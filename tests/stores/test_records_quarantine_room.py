"""Quarantine is bounded: what waits is kept before what comes, and nothing leaves without a trace."""

import random
from contextlib import contextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa
from rigs.patience import within
from rigs.poison import poison

from stores.records.database import writing
from stores.records.errands import Errands
from stores.records.quarantine.quarantine import ItemState, Quarantine, QuarantineItem
from stores.records.quarantine.tables import quarantine as quarantine_table

REASONS = ("malformed", "unknown_point", "crc_mismatch", "out_of_range", "no_level")


@pytest.fixture
def small(engine):
    return Quarantine(engine, bound_bytes=1000)


def test_a_payload_beyond_the_bound_is_dropped_and_its_row_kept(small, now):
    small.put(*(poison(now, n) for n in range(1, 13)))
    kept = small.items()
    assert [i.first_seq for i in kept if i.payload_dropped] == [12, 11]
    assert {len(i.payload) for i in kept if not i.payload_dropped} == {100}
    assert small.counts() == {"unknown_point": 12}
    size = small.size()
    assert (size.items, size.bytes, size.dropped, size.share) == (12, 1000, 2, 1.0)


@pytest.mark.parametrize(("items", "near", "over"), [(7, False, False), (8, True, False), (10, True, True)])
def test_people_are_told_before_it_is_full(small, now, items, near, over):
    small.put(*(poison(now, n) for n in range(items)))
    assert (small.size().is_near, small.size().is_over) == (near, over)


def test_a_small_payload_still_fits_where_a_large_one_did_not(small, now):
    small.put(poison(now, 1, size=900), poison(now, 2, size=101), poison(now, 3, size=100))
    assert [i.payload_dropped for i in small.items()] == [False, True, False]


def test_closed_payloads_make_room_the_oldest_first(small, now):
    small.put(*(poison(now, n) for n in range(1, 11)))
    for item in small.items()[-3:]:
        small.close_replayed(item.id, "stored 1 reading", now)
    small.put(poison(now, 11), poison(now, 12))
    assert small.size().dropped == 0
    assert [len(i.payload) for i in small.items(standing="closed")] == [100, 0, 0]
    small.put(poison(now, 13, size=101))
    assert [len(i.payload) for i in small.items(standing="closed")] == [100, 0, 0]  # it would not be enough


def test_what_had_no_room_is_kept_when_it_comes_again_and_there_is(small, now):
    small.put(*(poison(now, n) for n in range(1, 12)))
    assert small.items()[0].payload_dropped
    small.discard(small.items()[-1].id, "anna", "a test device", now, based_on=ItemState.WAITING)
    small.put(poison(now, 11))
    assert not small.items()[0].payload_dropped
    assert small.size().bytes == 1000


def test_a_replayed_item_that_comes_back_keeps_its_payload_from_the_newer_ones(small, now):
    small.put(*(poison(now, n) for n in range(1, 11)))
    for item in small.items():
        small.close_replayed(item.id, "stored 1 reading", now)
    small.put(poison(now, 3), poison(now, 20), poison(now, 4))
    assert {(i.first_seq, i.payload_dropped) for i in small.items()} == {(3, False), (4, False), (20, False)}


def test_what_comes_back_does_not_make_room_for_itself(small, now):
    """All that was closed waits again and fills the bound: a newer item finds no room, and the search for it ends."""
    small.put(*(poison(now, n) for n in range(1, 11)))
    for item in small.items():
        small.close_replayed(item.id, "stored 1 reading", now)
    small.put(*(poison(now, n) for n in range(1, 12)))
    assert [i.first_seq for i in small.items() if i.payload_dropped] == [11]
    assert small.size().bytes == 1000


def test_a_thousand_mixed_poison_items_are_counted_asked_for_and_closed(engine, now):
    """Nothing is counted twice, nothing vanishes, and a second replay finds nothing to do."""
    quarantine, errands = Quarantine(engine), Errands(engine)
    rng = random.Random(20261126)  # noqa: S311 - no secret
    items = [poison(now, n, rng.choice(REASONS), rng.randint(10, 400)) for n in range(1000)]
    quarantine.put(*items)
    quarantine.put(*rng.sample(items, 500))
    assert sum(quarantine.counts().values()) == 1000
    asked = errands.ask_all("anna", now)
    assert len(asked) == len(set(asked)) == 1000
    assert {i.state for i in quarantine.items(limit=1000)} == {ItemState.ASKED}
    done = 0
    while waiting := errands.waiting():
        for errand in waiting[:250]:
            again = quarantine.item(errand.item)
            if again.reason == "no_level":
                errands.settle(errand.id, "refused again: no_level", now)
            else:
                quarantine.close_replayed(errand.item, "stored 1 reading", now)
            done += 1
    assert done == 1000
    left = sum(item.reason == "no_level" for item in items)
    assert quarantine.counts() == {"no_level": left}
    assert len(quarantine.items(standing="closed", limit=1000)) == 1000 - left
    assert len(errands.ask_all("anna", now, reason="malformed")) == 0
    quarantine.put(*items)
    assert sum(quarantine.counts().values()) == 1000


@contextmanager
def statements_of(engine):
    """What the database is asked meanwhile."""
    asked = []

    def note(_connection, _cursor, statement, *_):
        asked.append(statement.split()[0])

    sa.event.listen(engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(engine, "before_cursor_execute", note)


def test_putting_is_fast_and_putting_the_same_is_faster(engine, now):
    """One transaction and a statement per 500 digests: an agent that resends poison costs little."""
    quarantine = Quarantine(engine)
    items = [poison(now, n, payload_reason) for n in range(200) for payload_reason in REASONS]
    with within(2), statements_of(engine) as first:
        quarantine.put(*items)
    with within(0.5), statements_of(engine) as again:
        quarantine.put(*(replace(item, received_at=now.replace(hour=20)) for item in items))
    assert quarantine.size().items == 1000
    assert first[1:] == ["SELECT", "SELECT", "SELECT", "INSERT"]  # the digests in two, the room, all rows at once
    assert again[1:] == ["SELECT", "SELECT"]


def test_the_room_is_counted_without_those_that_were_emptied(engine, now, database):
    """However many were ever closed: what fills the room stands in an index of its own."""
    fields = [name for name in QuarantineItem.__slots__ if name not in {"id", "state", "payload"}]
    gone = {"payload": b"", "payload_bytes": 0, "payload_dropped": True, "discarded_at": now}
    emptied = [replace(poison(now, n), discarded_at=now) for n in range(3000)]
    rows = [{name: getattr(one, name) for name in fields} | gone | {"digest": one.digest} for one in emptied]
    with writing(engine) as connection:
        connection.execute(sa.insert(quarantine_table), rows)
        connection.execute(sa.text("ANALYZE"))
    quarantine, asked = Quarantine(engine, bound_bytes=250), []
    quarantine.put(poison(now, 5000), poison(now, 5001))
    quarantine.discard(3001, "anna", "a test", now, based_on=ItemState.WAITING)
    sa.event.listen(engine, "before_cursor_execute", lambda _c, _cursor, text, values, *_: asked.append((text, values)))
    quarantine.put(poison(now, 5002))
    sums, emptying = [one for one in asked if "payload_bytes >" in one[0]]
    how = "EXPLAIN QUERY PLAN " if database == "sqlite" else "EXPLAIN "
    with engine.connect() as connection:
        for text, values in (sums, emptying):
            plan = " ".join(map(str, connection.exec_driver_sql(how + text, values)))
            assert "ix_quarantine_filled" in plan
