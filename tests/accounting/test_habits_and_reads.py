"""What thousands of worlds by chance found wrong: habits, hand reads, near neighbours, standstills, first rises."""

from dataclasses import replace

import numpy as np
import pytest

from accounting.habit import usual_beginning
from accounting.ledger import Stretch, stitched
from accounting.local_time import DAY_MS, HOUR_MS
from accounting.registers import straightened
from accounting.spells import Outcome, Spell

GREATEST = 5_000.0


def judged(t_ms, x, **more):
    """What was used, how many hours are estimated, and what the spells turned out to be."""
    total = straightened(np.asarray(t_ms), np.asarray(x, float), **{"max_rate": GREATEST, **more})
    estimated = np.diff(total.t_ms)[total.estimated[1:]].sum() / HOUR_MS
    return float(total.total[-1] - total.total[0]), float(estimated), [one.outcome for one in total.spells]


def daily(every, days, by_day=16.6, at_night=16.6):
    """A register that begins again each midnight, read a minute after the hour."""
    t_ms = np.arange(0, days * DAY_MS, every) + HOUR_MS // 60
    hour = t_ms % DAY_MS / HOUR_MS
    return t_ms, np.round(at_night * hour + (by_day - at_night) * np.clip(hour - 8, 0, 10), 3)


@pytest.mark.parametrize(
    "silent_h",
    [
        [(10, 13.8), (14.8, 28.4)],  # from its work to the morning after: it looks as if its work had been false
        [(5.9, 16.9), (17.5, 41.6)],
        [(16.5, 143.3), (144.4, 151.9)],  # what it shows then is more than its pace in the long silence explains
        [(17.7, 90.1), (91.1, 110.8)],
    ],
)
@pytest.mark.parametrize("at_night", [0.4, 16.6])
@pytest.mark.parametrize("every", [HOUR_MS // 4, HOUR_MS])
def test_a_register_that_begins_again_each_midnight_did_so_in_a_silence(every, at_night, silent_h):
    """What it shows after the silence lies near what it showed before: its habit decides."""
    t_ms, x = daily(every, 20, at_night=at_night)
    hours = t_ms / HOUR_MS - 8 * 24
    heard = ~np.any([(hours > start) & (hours < end) for start, end in silent_h], axis=0)
    used, _, outcomes = judged(t_ms[heard], x[heard], max_rate=67.3)
    x = x[heard]
    assert used == pytest.approx(np.where(np.diff(x) < 0, x[1:], np.diff(x)).sum())
    assert set(outcomes) == {Outcome.RESET}


def test_one_beginning_is_no_habit_and_a_register_at_a_lower_level_is_counted_on():
    """Nobody can tell whether it began again or is another one: a person is asked, and what it grows by is use."""
    t_ms, x = daily(HOUR_MS, 6)
    heard = (t_ms < DAY_MS + 17.5 * HOUR_MS) | ((t_ms > 2 * DAY_MS + 15.5 * HOUR_MS) & (t_ms < 3 * DAY_MS))
    used, estimated, outcomes = judged(t_ms[heard], x[heard], max_rate=67.3)
    lasted = x[heard][-1] - x[heard][np.flatnonzero(np.diff(t_ms[heard]) > DAY_MS / 2)[0] + 1]
    assert used >= 23 * 16.6 + 17 * 16.6 + lasted
    assert estimated >= 22
    assert outcomes[0] is Outcome.RESET


@pytest.mark.parametrize("grown", [0, 1, 3])
def test_a_register_that_falls_by_less_than_its_pace_is_held_only_until_it_grows(grown):
    """One reading of a moment before is held; a lower level at which it goes on is not: those hours were used."""
    t_ms = np.arange(60) * HOUR_MS
    x = 1_000 + 16.6 * np.arange(60.0)
    x[30 : 31 + grown] -= 3 * 16.6
    if grown == 3:
        x[30:] = x[30] + 16.6 * np.arange(30)
    used, _, outcomes = judged(t_ms, x)
    if grown:
        assert outcomes
    else:
        assert (used, outcomes) == (pytest.approx(59 * 16.6), [])
    if grown == 3:
        assert used == pytest.approx(58 * 16.6)


def spell(since_h, first_h, outcome=Outcome.RESET):
    """A spell whose first reading follows the last one before it."""
    return Spell(round(since_h * HOUR_MS), round(first_h * HOUR_MS), round(first_h * HOUR_MS) + 1, 9.0, 0.0, outcome)


@pytest.mark.parametrize(
    ("found", "start", "end", "begun"),
    [
        ([spell(23, 24), spell(47, 48)], 70, 80, 70),
        ([spell(23, 24), spell(47, 48)], 60, 66, None),  # not at that time of the day
        ([spell(23, 24), spell(48, 49)], 60, 80, 71),  # the clocks were put back
        ([spell(23, 24), spell(50, 52)], 60, 80, None),  # two by chance
        ([spell(23, 24)], 60, 80, None),
        ([spell(1, 24), spell(25, 48)], 60, 80, None),  # nobody knows when
        ([spell(23, 24, Outcome.FALSE), spell(47, 48)], 60, 80, None),
        ([spell(23, 24), spell(47, 48)], 230, 250, None),  # long ago
    ],
)
def test_a_habit_is_what_happened_twice_in_a_week_at_one_time_of_the_day(found, start, end, begun):
    known = usual_beginning(found, start * HOUR_MS, end * HOUR_MS)
    assert known == (None if begun is None else begun * HOUR_MS)


def swapped(face, closing):
    """A device with whole units times 40 that rises first an hour before it is replaced, and the one after it."""
    t_ms = np.arange(len(face) + 40) * HOUR_MS // 2
    x = np.concatenate([face, np.full(40, 1_204.0)])
    at = int(t_ms[len(face)]) - HOUR_MS // 4
    return t_ms, x, (Stretch(), Stretch(at, opening=1_204.0, closing=closing))


@pytest.mark.parametrize("closing", [4_691.0, 4_731.0])
def test_a_first_rise_that_a_person_read_off_the_device_is_use(closing):
    t_ms, x, stretches = swapped(np.append(np.full(12, 4_651.0), np.full(2, 4_691.0)), closing)
    total = stitched(t_ms, x, stretches, max_rate=GREATEST, is_new=True, is_limit_known=False)
    assert total.total[-1] - total.total[0] == closing - 4_651
    assert total.spells == ()
    unread = (stretches[0], replace(stretches[1], closing=None))
    (doubt,) = stitched(t_ms, x, unread, max_rate=GREATEST, is_new=True, is_limit_known=False).spells
    assert doubt.outcome is Outcome.IN_DOUBT


@pytest.mark.parametrize("every", [60_000, 300_000, HOUR_MS // 4, HOUR_MS])
@pytest.mark.parametrize("below", [0.97, 0.8, 0.3])
def test_a_neighbour_below_that_nearly_reaches_the_register_is_no_new_one(below, every):
    """It comes back exactly to where it was, by a leap such as the neighbour's register never made."""
    t_ms = np.arange(100) * every
    x = np.full(100, 1_132.1)
    x[40:50] = np.round(below * 1_132.1 + np.arange(10) * 0.8, 1)
    assert judged(t_ms, x) == (0.0, 11 * every / HOUR_MS, [Outcome.FALSE])


@pytest.mark.parametrize("every", [300_000, HOUR_MS // 4, HOUR_MS])
def test_a_neighbour_near_zero_that_grows_fast_is_no_reset(every):
    """The register returns to where it would be by a leap that it never made, whatever the neighbour's pace."""
    t_ms = np.arange(300) * every
    x = np.round(29.4 + np.arange(300) * 1.7, 3)
    true = x[-1] - x[0]
    x[213:215] = 0.588, 20.6
    assert judged(t_ms, x) == (pytest.approx(true), 3 * every / HOUR_MS, [Outcome.FALSE])


@pytest.mark.parametrize("every", [HOUR_MS // 2, 3 * HOUR_MS, 12 * HOUR_MS])
def test_a_slower_neighbour_of_a_young_register_is_no_new_one(every):
    t_ms = np.arange(60) * every
    x = np.round(49.58 + np.arange(60) * 1.62 * every / HOUR_MS * 2, 1)
    true = x[-1] - x[0]
    x[9:12] = np.round(x[9:12] * 0.6, 1)
    assert judged(t_ms, x)[::2] == (pytest.approx(true), [Outcome.FALSE])


def test_a_false_value_amid_a_standstill_leaves_it_one():
    """What the register leaps by afterwards was used since it first showed what it then stood at."""
    t_ms = np.arange(100) * HOUR_MS
    x = np.where(np.arange(100) < 80, 2_414.5, 2_424.5)
    x[20] = 12_041_055.0
    used, estimated, _ = judged(t_ms, x, max_rate=3.3)
    assert (used, estimated) == (10.0, 80.0)


def test_a_first_rise_before_a_false_spell_is_confirmed_by_what_follows_the_spell():
    t_ms = np.arange(1_200) * HOUR_MS // 4
    x = np.floor(80 + t_ms / HOUR_MS * 0.341) * 40
    rise = int(np.flatnonzero(np.diff(x))[0]) + 1
    true = x[-1] - x[0]
    x[rise + 2 : rise + 100] = 3_827_590 + np.arange(98) * 3.0
    assert judged(t_ms, x, is_new=True) == (true, 24.75, [Outcome.FALSE])


@pytest.mark.parametrize("every", [16, 32, 64])
def test_noise_of_arithmetic_is_not_the_last_digit_by_which_a_register_flickers(every):
    """Now and then its last digit flickers, of which arithmetic makes 36590.700000000004."""
    t_ms, rows = np.arange(2_000) * 10_000, np.arange(2_000)
    true = np.round(np.floor(365_901 + t_ms / HOUR_MS * 25 + 1e-6) / 10, 6)
    x = np.where((rows % every < every // 2) & (rows % 2 == 1), true - 0.1, true)
    used, estimated, outcomes = judged(t_ms, x)
    assert (used, estimated, outcomes) == (pytest.approx(true[-1] - true[0]), 0.0, [])
