"""Spells on record: found again they are the same ones, decided ones stay decided, and looking is cheap."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from rigs.at_once import at_once

from accounting.spells import Outcome, Spell
from facility.errors import ConfigError, Rejected
from stores.records.accounting.recomputations import Recomputations
from stores.records.accounting.spells import Spells
from stores.records.accounting.tables import spell as table
from stores.records.audit import Audit
from stores.records.stale import Stale

MAIN, WATER = "main/energy_import/total", "water/water_volume/total"
EVER = 2**62
DOUBT = Spell(1_000, 2_000, None, 900.0, 0.0, Outcome.IN_DOUBT)
FALSE = Spell(1_000, 2_000, 5_000, 900.0, 0.0, Outcome.FALSE)
LEAP = Spell(8_000, 9_000, 10_000, 910.0, 1e6, Outcome.LEAP)
NEW = Spell(20_000, 21_000, 22_000, 1e6, 5e5, Outcome.NEW_REGISTER)


@pytest.fixture
def spells(engine):
    return Spells(engine)


def writes(engine):
    """What is written to the records from here on."""
    seen = []

    @sa.event.listens_for(engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_):
        if statement.split()[0] in {"INSERT", "UPDATE", "DELETE"}:
            seen.append(statement)

    return seen


def test_what_was_found_is_remembered_oldest_first(spells, engine):
    spells.replace(MAIN, 0, EVER, [LEAP, FALSE])
    assert list(spells.of(MAIN)) == [FALSE, LEAP]
    assert list(Spells(engine).of(MAIN)) == [FALSE, LEAP]
    assert list(spells.of(WATER)) == []


def test_only_those_of_the_time_are_replaced(spells):
    spells.replace(MAIN, 0, EVER, [FALSE, LEAP])
    spells.replace(MAIN, 2_001, 9_000, [])
    assert list(spells.of(MAIN)) == [FALSE, LEAP]
    spells.replace(MAIN, 9_000, 9_001, [])
    assert list(spells.of(MAIN)) == [FALSE]


def test_a_spell_that_turns_out_to_be_something_keeps_its_number(spells):
    spells.replace(MAIN, 0, EVER, [DOUBT])
    (asked,) = spells.asked()
    spells.replace(MAIN, 0, EVER, [FALSE])
    (found,) = spells.all_of()
    assert (found.number, found.spell, found.changes) == (asked.number, FALSE, asked.changes + 1)
    assert spells.asked() == []


def test_a_spell_whose_beginning_late_readings_move_is_still_that_spell(spells):
    spells.replace(MAIN, 0, EVER, [FALSE, LEAP])
    numbers = [one.number for one in spells.all_of()]
    earlier = replace(FALSE, since_ms=500, first_ms=1_500)
    later = replace(LEAP, first_ms=9_500)  # what it began with is gone: not within it any more
    spells.replace(MAIN, 0, EVER, [earlier, replace(later, since_ms=9_200)])
    first, second = spells.all_of()
    assert (first.number, first.spell) == (numbers[0], earlier)
    assert second.number > numbers[1]


def test_of_two_that_become_one_the_decided_one_is_kept(spells, engine):
    late = Spell(2_500, 3_000, 4_000, 0.0, 7.0, Outcome.NEW_REGISTER)
    spells.replace(MAIN, 0, EVER, [replace(DOUBT, until_ms=2_400, outcome=Outcome.NEW_REGISTER), late])
    decided = next(one.number for one in spells.all_of() if one.spell == late)
    with engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c.number == decided).values(accepted=True))
    whole = replace(FALSE, since_ms=500, first_ms=1_000)
    spells.replace(MAIN, 0, EVER, [whole])
    (one,) = spells.all_of()
    assert (one.number, one.spell) == (decided, replace(whole, accepted=True))


def test_a_number_is_never_given_twice(spells):
    spells.replace(MAIN, 0, EVER, [LEAP])
    (first,) = spells.all_of()
    spells.replace(MAIN, 0, EVER, [])
    spells.replace(WATER, 0, EVER, [NEW])
    (second,) = spells.all_of()
    assert second.number > first.number
    assert spells.spell(first.number) is None
    assert spells.spell(second.number) == second


def test_nothing_is_written_where_nothing_changed(spells, engine):
    spells.replace(MAIN, 0, EVER, [FALSE, LEAP])
    seen = writes(engine)
    spells.replace(MAIN, 0, EVER, [FALSE, LEAP])
    spells.replace(MAIN, 3_000, 8_000, [])
    spells.replace(WATER, 0, EVER, [])
    assert seen == []
    spells.replace(MAIN, 0, EVER, [FALSE, replace(LEAP, outcome=Outcome.FALSE)])
    assert len(seen) == 2, "the one that stayed was written again"


def test_what_another_process_finds_holds_at_once(spells, engine):
    other = Spells(engine)
    assert list(other.of(MAIN)) == []
    spells.replace(MAIN, 0, EVER, [DOUBT])
    assert list(other.of(MAIN)) == [DOUBT]
    spells.replace(WATER, 0, EVER, [NEW])
    spells.replace(WATER, 0, EVER, [])
    assert list(other.of(WATER)) == []
    spells.replace(MAIN, 0, EVER, [FALSE])
    assert list(other.of(MAIN)) == [FALSE]


def test_what_has_not_changed_is_not_read_again(spells, engine, now):
    spells.replace(MAIN, 0, EVER, [DOUBT])
    first = spells.of(MAIN)
    assert spells.of(MAIN) is first
    other = Spells(engine)
    (one,) = other.asked()
    other.decide(one.number, accepted=True, **BY, at=now, based_on=one.changes)
    assert [one.accepted for one in spells.of(MAIN)] == [True]
    other.replace(MAIN, 0, EVER, [])
    other.replace(MAIN, 0, EVER, [NEW])
    assert list(spells.of(MAIN)) == [NEW]


def test_a_counter_without_spells_costs_one_question(spells, engine):
    spells.replace(MAIN, 0, EVER, [FALSE])
    spells.of(WATER)
    asked = []

    @sa.event.listens_for(engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_):
        asked.append(statement)

    for k in range(10):
        spells.of(f"m{k}/energy_import/total")
    assert sum("SELECT" in one for one in asked) == 10


def test_those_that_wait_for_a_person_by_counter_and_time(spells):
    spells.replace(MAIN, 0, EVER, [FALSE, LEAP, NEW])
    spells.replace(WATER, 0, EVER, [DOUBT])
    assert [one.spell for one in spells.asked()] == [LEAP, NEW, DOUBT]
    assert [one.spell for one in spells.asked([WATER])] == [DOUBT]
    assert spells.counters_asked(2_001) == [MAIN, WATER]
    assert spells.counters_asked(2_000) == [MAIN]  # the water meter has been in doubt for a moment only
    assert [spells.number_asked(some) for some in (None, [WATER], [])] == [3, 1, 0]
    assert spells.asked([]) == []
    between = [(0, 1_000), (1_000, 1_001), (8_000, 8_001), (10_000, 20_000), (9_999, 20_001), (10**12, 10**13)]
    found = [[one.spell for one in spells.asked_between([MAIN, WATER], *span)] for span in between]
    assert found == [[], [DOUBT], [LEAP, DOUBT], [DOUBT], [LEAP, NEW, DOUBT], [DOUBT]]


def test_of_more_counters_than_a_database_takes_at_once(spells):
    spells.replace(MAIN, 0, EVER, [LEAP])
    many = [f"m{k}/energy_import/total" for k in range(70_000)]
    assert [one.spell for one in spells.asked([*many, MAIN])] == [LEAP]


def test_many_who_find_the_same_keep_it_once(records_url, spells):
    at_once(records_url, 6, lambda records, _: Spells(records).replace(MAIN, 0, EVER, [FALSE, LEAP]))
    assert [one.spell for one in spells.all_of()] == [FALSE, LEAP]


BY = {"by": "li", "reason": " another meter hangs there "}


def the_one(spells, found, at):
    """The number of a spell that was found, and what a decision of ``at`` about it is based on."""
    spells.replace(MAIN, 0, EVER, [found])
    (one,) = spells.all_of()
    return one.number, {**BY, "at": at, "based_on": one.changes}


@pytest.mark.parametrize(("accepted", "act"), [(True, "accept"), (False, "reject")])
@pytest.mark.parametrize("found", [DOUBT, LEAP, NEW])
def test_a_decision_stands_is_audited_and_its_use_is_computed_again(spells, engine, now, found, accepted, act):
    number, seen = the_one(spells, found, now)
    decided = spells.decide(number, accepted=accepted, **seen)
    assert decided == spells.spell(number)
    assert (decided.spell, decided.decided_by, decided.decided_at) == (replace(found, accepted=accepted), "li", now)
    assert list(spells.of(MAIN)) == [decided.spell]
    assert spells.asked() == []
    entry = Audit(engine).entries()[0]
    said = (entry.who, entry.what, entry.subject, entry.detail)
    assert said == ("li", f"meter.{act}", MAIN, f"spell {number}: another meter hangs there")
    (again,) = Recomputations(engine).open_ones()
    assert (again.points, again.first_ms, again.last_ms) == ((MAIN,), found.since_ms, now.timestamp() * 1000 - 1)
    assert (again.by, again.reason) == ("li", f"main: another meter hangs there: {act} spell {number}")


def test_a_decided_spell_that_is_found_again_stays_decided(spells, now):
    number, seen = the_one(spells, DOUBT, now)
    spells.decide(number, accepted=True, **seen)
    spells.replace(MAIN, 0, EVER, [replace(NEW, first_ms=2_000, since_ms=1_000)])
    (found,) = spells.all_of()
    assert (found.number, found.spell.accepted, found.decided_by) == (number, True, "li")
    assert spells.asked() == []


def test_a_decision_is_taken_back(spells, engine, now):
    number, seen = the_one(spells, DOUBT, now)
    decided = spells.decide(number, accepted=False, **seen)
    spells.ask_again(number, by="bo", at=now, reason="the wrong meter", based_on=decided.changes)
    (asked,) = spells.asked()
    assert (asked.number, asked.decision, asked.reason) == (number, None, "")
    assert [entry.what for entry in Audit(engine).entries()] == ["meter.ask-again", "meter.reject"]
    assert [one.first_ms for one in Recomputations(engine).open_ones()] == [DOUBT.since_ms] * 2
    with pytest.raises(Rejected, match=f"nobody has decided about spell {number}"):
        spells.ask_again(number, by="bo", at=now, reason="x", based_on=asked.changes)


@pytest.mark.parametrize(
    ("outcome", "what"),
    [
        (Outcome.FALSE, "returned to where it would have been"),
        (Outcome.RESET, "began again near"),
        (Outcome.ROLL_OVER, "passed its last"),
        (Outcome.STEP_BACK, "went on a little lower"),
    ],
)
def test_a_spell_that_asks_nobody_is_told_for_what_it_is(spells, engine, now, outcome, what):
    number, seen = the_one(spells, replace(FALSE, outcome=outcome), now)
    with pytest.raises(Rejected, match=f"spell {number} needs no decision: the register {what}"):
        spells.decide(number, accepted=True, **seen)
    assert (Audit(engine).entries(), Recomputations(engine).open_ones()) == ([], [])


def test_an_unknown_number_and_an_empty_reason_are_refused(spells, now):
    number, seen = the_one(spells, DOUBT, now)
    with pytest.raises(Rejected, match="there is no spell 99"):
        spells.decide(99, accepted=True, **seen)
    with pytest.raises(ConfigError, match="reason: is empty"):
        spells.decide(number, accepted=True, **{**seen, "reason": " "})


def test_who_decides_on_what_has_changed_meanwhile_is_told(spells, engine, now):
    number, seen = the_one(spells, DOUBT, now)
    spells.replace(MAIN, 0, EVER, [replace(DOUBT, until_ms=7_000, outcome=Outcome.NEW_REGISTER)])
    with pytest.raises(Stale, match="the spell was changed since you looked at it"):
        spells.decide(number, accepted=True, **seen)
    seen["based_on"] = spells.spell(number).changes
    decided = spells.decide(number, accepted=True, **seen)
    with pytest.raises(Stale, match=r"li, .*: accepted: another meter hangs there"):
        spells.decide(number, accepted=False, **seen)
    with pytest.raises(Rejected, match=f"spell {number} is decided already: li, .*: accepted"):
        spells.decide(number, accepted=False, **{**seen, "based_on": decided.changes})
    assert len(Audit(engine).entries()) == 1


def test_of_many_who_decide_one_is_heard(records_url, spells, engine, now):
    number, seen = the_one(spells, DOUBT, now)
    got = at_once(records_url, 6, lambda records, who: Spells(records).decide(number, accepted=who % 2 == 0, **seen))
    assert sum(isinstance(one, Stale) for one in got) == 5
    assert len(Recomputations(engine).open_ones()) == len(Audit(engine).entries()) == 1


def test_a_page_of_them_is_the_newest_first(spells, now):
    spells.replace(MAIN, 0, EVER, [FALSE, LEAP, NEW])
    spells.replace(WATER, 0, EVER, [DOUBT])
    waiting = spells.newest("waiting")
    assert [one.spell for one in waiting] == [DOUBT, NEW, LEAP]
    assert spells.newest("waiting", limit=2) == waiting[:2]
    assert spells.newest("waiting", before=waiting[1].number) == waiting[2:]
    assert spells.newest("waiting", [MAIN]) == waiting[1:]
    assert spells.newest("decided") == []
    decided = spells.decide(waiting[1].number, accepted=True, **BY, at=now, based_on=waiting[1].changes)
    assert (spells.newest("decided"), len(spells.newest("waiting"))) == ([decided], 2)
