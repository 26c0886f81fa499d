"""What accounting finds of a register is said of its meter: when, by which texts, and until somebody has decided."""

from dataclasses import replace

import numpy as np
import pytest
from rigs.worlds import CATALOGUE, FRIDAY_EVENING, HOURS, POINT, REGISTER_FROM, at, hours_ms, register_window

from accounting.spells import Outcome, SpellsInMemory
from analytics.detectors.counter_fault import AGAIN, LEAPT, CounterFault
from analytics.models import Models
from analytics.window import read_window
from stores.readings.memory import MemoryStore


def findings(window, hour=HOURS):
    return list(CounterFault().detect(window.scene(at(hour))))


def window_with(*changes, **register):
    return register_window({"changes": list(changes), **register})


FALLEN = {"hour": FRIDAY_EVENING, "add": -30_000.0}


def test_a_register_that_fell_is_told_with_what_it_showed_before_and_after():
    window = window_with(FALLEN)
    hours = [hour for hour in range(REGISTER_FROM, HOURS) if findings(window, hour)]
    assert FRIDAY_EVENING < hours[0] <= FRIDAY_EVENING + 3
    assert hours == list(range(hours[0], HOURS))
    (one,) = findings(window)
    assert (one.meter, one.message, one.since) == ("main", "", at(FRIDAY_EVENING))
    assert one.params["before_qty"] - one.params["level_qty"] == pytest.approx(30_000, rel=0.01)


def test_a_leap_and_what_happens_again_and_again_have_texts_of_their_own():
    (leapt,) = findings(window_with({"hour": FRIDAY_EVENING, "add": 2_000_000.0}))
    resets = [{"hour": FRIDAY_EVENING - late, "restarts_at": 0.0} for late in (100, 31, 0)]
    (again,) = findings(window_with(*resets))
    assert (leapt.message, again.message, again.params["number"]) == (LEAPT, AGAIN, 3)


def test_what_never_returned_nor_grew_is_told_once_it_has_been_in_doubt_for_two_hours():
    window = window_with({"hour": FRIDAY_EVENING, "hours": HOURS, "set": 7.0})
    (spell,) = window.spells[POINT["main"]]
    assert (spell.outcome, spell.until_ms) == (Outcome.IN_DOUBT, None)
    assert [len(findings(window, FRIDAY_EVENING + late)) for late in (0, 1, 2, 3)] == [0, 0, 1, 1]


@pytest.mark.parametrize("accepted", [True, False])
def test_it_is_quiet_once_a_person_has_decided(accepted):
    window = window_with(FALLEN)
    decided = {point: [replace(one, accepted=accepted) for one in found] for point, found in window.spells.items()}
    assert findings(window)
    assert not findings(replace(window, spells=decided))


def test_a_roll_over_that_is_none_is_told_for_a_day_and_only_where_the_ledger_knows_the_end():
    reset = {"hour": FRIDAY_EVENING, "restarts_at": 0.0}
    known, unknown = window_with(reset, digits=6), window_with(reset)
    hours = [hour for hour in range(FRIDAY_EVENING, HOURS) if findings(known, hour)]
    assert 20 < len(hours) <= 24
    assert not any(findings(unknown, hour) for hour in range(FRIDAY_EVENING, HOURS))


def test_a_window_takes_the_spells_of_counters_that_have_any():
    book, span = SpellsInMemory(), (int(hours_ms(1)[0]), int(hours_ms(HOURS)[-1]))
    found = window_with(FALLEN).spells[POINT["main"]]
    book.replace(POINT["main"], *span, found)
    window = read_window(MemoryStore(), CATALOGUE, Models(are_on=False), *span, spells=book)
    assert {point: tuple(some) for point, some in window.spells.items()} == {POINT["main"]: tuple(found)}
    assert np.isfinite([one.level for one in found]).all()
