"""The judge sees every kind of wrong in stores made by hand; what it cannot see, no run can prove."""

import pytest
from chaos.readings import BAD, FOREIGN_POINT, UNKNOWN_POINT, Issue, Issued
from chaos.reckoning import Aside, Found, Oracle

from facility.model import ReadingBatch
from stores.readings.memory import MemoryStore

A, B = "m0/water_volume/total", "m1/water_volume/total"
GOOD = [Issued(A, 1_000, 1.0), Issued(A, 2_000, 2.0), Issued(A, 3_000, 3.0), Issued(B, 1_000, 7.5)]
BAD_ONE = Issued(A, 4_000, 4e9, "out_of_range")
ROWS = {A: [(1_000, 1.0), (2_000, 2.0), (3_000, 3.0)], B: [(1_000, 7.5)]}
REFUSED = Aside(A, 4_000, 4e9, "out_of_range")


def judge(rows=ROWS, aside=(REFUSED,), buried=(), ledger=5):
    return Oracle([*GOOD, BAD_ONE]).judge(Found(rows, aside, buried, ledger))


def wrong(verdict):
    return {name: n for name in ("set_aside", "lost", "spurious", "corrupt", "dup") if (n := getattr(verdict, name))}


def test_a_run_holds_when_each_reading_has_its_one_end():
    verdict = judge()
    assert (verdict.generated, verdict.stored, verdict.quarantined, verdict.tombstoned) == (5, 4, 1, 0)
    assert verdict.sum_error == 0
    assert verdict.holds


def test_a_tombstone_is_an_end_and_takes_its_value_out_of_the_sum():
    verdict = judge({**ROWS, B: []}, buried=[(B, 1_000)], ledger=4)
    assert (verdict.stored, verdict.tombstoned) == (3, 1)
    assert verdict.holds


def test_a_reading_in_no_place_is_lost():
    verdict = judge({A: ROWS[A]})
    assert wrong(verdict) == {"lost": 1}
    assert verdict.sum_error == 7.5
    assert not verdict.holds


def test_a_good_reading_that_was_refused_is_lost():
    assert wrong(judge({A: ROWS[A]}, [REFUSED, Aside(B, 1_000, 7.5, "out_of_range")])) == {"lost": 1}


def test_a_reading_refused_for_another_reason_than_its_own_is_lost():
    assert wrong(judge(aside=[REFUSED._replace(reason="in_future")])) == {"lost": 1}


@pytest.mark.parametrize("row", [(5_000, 99.0), (1_500, 0.0)])
def test_a_row_from_nowhere_is_spurious(row):
    assert wrong(judge({**ROWS, B: [*ROWS[B], row]})) == {"spurious": 1}


def test_a_row_of_an_unknown_point_is_spurious():
    assert wrong(judge({**ROWS, "m9/water_volume/total": [(1_000, 1.0)]})) == {"spurious": 1}


def test_a_bad_reading_that_was_stored_is_spurious():
    assert wrong(judge({**ROWS, A: [*ROWS[A], (4_000, 4e9)]}, aside=()))["spurious"] == 1


def test_a_tombstone_for_a_number_that_nobody_gave_is_spurious():
    assert wrong(judge(buried=[("", 0)])) == {"spurious": 1}


def test_a_wrong_value_is_corrupt():
    verdict = judge({**ROWS, B: [(1_000, 7.500000000000001)]})
    assert wrong(verdict) == {"corrupt": 1}
    assert verdict.sum_error


def test_two_values_that_changed_places_are_corrupt_though_count_and_sum_agree():
    verdict = judge({**ROWS, A: [(1_000, 2.0), (2_000, 1.0), (3_000, 3.0)]})
    assert wrong(verdict) == {"corrupt": 2}
    assert verdict.sum_error == 0


def test_a_reading_stored_at_another_time_is_corrupt_and_missing_at_its_own():
    assert wrong(judge({**ROWS, B: [(1_001, 7.5)]})) == {"corrupt": 1, "lost": 1}


def test_a_reading_stored_under_two_times_is_a_duplicate():
    assert wrong(judge({**ROWS, B: [*ROWS[B], (1_001, 7.5)]})) == {"dup": 1}


def test_a_reading_both_stored_and_refused_is_a_duplicate():
    assert wrong(judge(aside=[REFUSED, Aside(B, 1_000, 7.5, "out_of_range")])) == {"dup": 1}


def test_a_reading_refused_twice_is_a_duplicate():
    assert wrong(judge(aside=[REFUSED, REFUSED])) == {"dup": 1}


def test_a_reading_both_stored_and_tombstoned_is_a_duplicate():
    assert wrong(judge(buried=[(B, 1_000)])) == {"dup": 1}


def test_a_sequence_number_counted_twice_is_a_duplicate_though_the_store_shows_one_row():
    assert wrong(judge(ledger=6)) == {"dup": 1}


@pytest.mark.parametrize("reason", ["unexpected_error", "crashed_worker"])
def test_a_good_reading_that_is_nowhere_but_in_a_message_refused_whole_was_set_aside(reason):
    whole = [Aside(*reading[:3], reason, "message") for reading in GOOD]
    assert judge(aside=[REFUSED, *whole]).holds
    verdict = judge({A: ROWS[A]}, [REFUSED, *whole])
    assert wrong(verdict) == {"set_aside": 1}
    assert (verdict.quarantined, verdict.sum_error) == (1, 0)
    assert not verdict.holds


def test_an_ingest_that_sets_every_message_aside_does_not_hold():
    whole = [Aside(*reading[:3], "unexpected_error", "message") for reading in [*GOOD, BAD_ONE]]
    verdict = judge({}, whole)
    assert wrong(verdict) == {"set_aside": 4}
    assert not verdict.holds


def test_a_bad_reading_in_a_message_refused_whole_is_quarantined():
    assert judge(aside=[Aside(*BAD_ONE[:3], "unexpected_error", "message")]).holds


def test_a_real_store_that_overwrote_one_reading_by_another_is_seen():
    store = MemoryStore()
    for x in (1.0, 2.0):
        store.write(ReadingBatch([A], [0], [1_000], [x]))
    series = store.read([A], 0, 10_000)[A]
    rows = {A: list(zip(series.t_ms.tolist(), series.x.tolist(), strict=True))}
    verdict = Oracle([Issued(A, 1_000, 1.0), Issued(A, 2_000, 2.0)]).judge(Found(rows))
    assert wrong(verdict) == {"corrupt": 1, "lost": 1}


def test_what_is_issued_follows_from_the_seed_and_is_never_twice_the_same():
    issue = list(Issue(7, 20_000))
    assert issue == list(Issue(7, 20_000)) != list(Issue(8, 20_000))
    assert len({reading.x for reading in issue}) == len({reading.t_ms for reading in issue}) == 20_000
    assert {reading.bad for reading in issue} == {"", *BAD}
    assert {FOREIGN_POINT, UNKNOWN_POINT} < {reading.point for reading in issue}
    assert [r for i in range(7) for r in Issue(7, 20_000).portion(i, 7)] == issue


def test_what_came_under_two_numbers_since_an_outbox_was_put_back_counts_once():
    again = [(A, 4_000), (B, 1_000)]
    found = Found(ROWS, [REFUSED, REFUSED], ledger=7, again=again)
    assert Oracle([*GOOD, BAD_ONE]).judge(found).holds
    found = Found(ROWS, [REFUSED, REFUSED, REFUSED], ledger=7, again=again)
    assert wrong(Oracle([*GOOD, BAD_ONE]).judge(found)) == {"dup": 1}
    assert wrong(Oracle([*GOOD, BAD_ONE]).judge(Found(ROWS, [REFUSED], ledger=8, again=again))) == {"dup": 1}
    lost = Found({A: ROWS[A]}, [REFUSED], ledger=4, again=again)
    assert wrong(Oracle([*GOOD, BAD_ONE]).judge(lost)) == {"lost": 1}
