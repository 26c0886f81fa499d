"""When counters learn: each fourth Monday, some each week; each Monday while they know little."""

import numpy as np
import pytest

from accounting.local_time import HOUR_MS
from analytics.learned_when import EVERY_WEEKS, MONDAY_MS, RECORD_H, WEEK_MS, Learner

WEEKS = 30
T_MS = MONDAY_MS + 2900 * WEEK_MS + HOUR_MS * np.arange(WEEKS * 168)
NAMES = [f"meter-{n}/energy_import/total" for n in range(200)]


def fits(name, first, *, little=(), known_ms=None):
    learner = Learner(name, lambda row: row // 168 in little)
    return [one.fit_at // 168 for one in learner.terms(T_MS, first, known_ms)]


@pytest.mark.parametrize("name", NAMES[:8])
def test_a_counter_learns_each_fourth_monday_whichever_hour_is_the_first(name):
    found = {fit for first in range(5 * 168, 20 * 168, 31) for fit in fits(name, first)}
    assert np.diff(sorted(found)).tolist() == [EVERY_WEEKS] * (len(found) - 1)
    assert len(found) > 4
    for first in range(5 * 168, 20 * 168, 31):
        assert fits(name, first)[0] == max(fit for fit in found if fit * 168 <= first)


def test_no_week_has_all_of_an_estate():
    last = WEEKS * 168 - 1
    learned = [sum(week in fits(name, last - 4 * 168) for name in NAMES) for week in range(WEEKS - 4, WEEKS)]
    assert sum(learned) == len(NAMES)
    assert max(learned) < 0.4 * len(NAMES)


def test_what_knew_little_is_learned_anew_the_next_monday():
    found = fits(NAMES[0], 11 * 168, little=range(16))
    later = [week for week in found if week > 16]
    assert found[: -len(later)] == [11, 12, 13, 14, 15, 16]
    assert np.diff(later).tolist() == [EVERY_WEEKS] * (len(later) - 1)
    once = later[0]
    assert fits(NAMES[0], once * 168 + 200, little={once})[:2] == [once + 1, once + EVERY_WEEKS]


def test_nothing_is_learned_after_what_is_known_and_stretches_follow_each_other():
    first = 10 * 168 + 50
    known_ms = int(T_MS[17 * 168 - 1])
    stretches = list(Learner(NAMES[3], lambda _: False).terms(T_MS, first, known_ms))
    assert all(one.fit_at < 17 * 168 for one in stretches)
    assert stretches[0].start == 10 * 168 - RECORD_H
    assert [one.end for one in stretches] == [*(one.start for one in stretches[1:]), len(T_MS)]
