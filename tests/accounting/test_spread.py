"""What a silence's exact backlog is spread by: the meter's own week."""

import numpy as np
import pytest

from accounting.intervals import gaps_of, use_between, use_of
from accounting.local_time import HOUR_MS
from accounting.registers import straightened
from accounting.spread import WEEK_H, weekly_shape

WEEK = np.arange(WEEK_H)


def test_the_shape_is_the_mean_of_each_hour_of_the_week():
    qty = np.concatenate((WEEK, WEEK + 2.0))
    assert weekly_shape(qty, np.tile(WEEK, 2)).tolist() == (WEEK + 1.0).tolist()


def test_an_hour_that_was_never_measured_takes_its_hour_of_the_day():
    qty = np.where(WEEK % 24 == 9, 30.0, 2.0)
    qty[3 * 24 + 9] = qty[:3] = np.nan
    shape = weekly_shape(qty, WEEK)
    assert shape[3 * 24 + 9] == 30
    assert shape[1] == 2
    assert weekly_shape(np.full(WEEK_H, np.nan), WEEK) is None


def peer(t_ms, x, limit):
    """The loop of a peer's normalisation: an hour without a reading is 0, the next gets all, or 0 above a limit."""
    hours, before, out = {}, None, []
    for at, value in zip(t_ms // HOUR_MS, x, strict=True):
        hours[int(at)] = value
    for hour in range(25):
        if hour not in hours:
            out.append(0.0)
            continue
        grown = 0.0 if before is None else hours[hour] - before
        out.append(grown if grown <= limit else 0.0)
        before = hours[hour]
    return sum(out[1:])


@pytest.mark.parametrize(("limit", "kept"), [(500.0, 1_100.0), (999.999, 1_100.0)])
def test_of_100_kwh_an_hour_with_12_hours_without_readings_a_peer_loses_1300_and_we_lose_nothing(limit, kept):
    t_ms = np.arange(25, dtype=np.int64) * HOUR_MS
    x = 1_000.0 + 100 * np.arange(25)
    heard = (np.arange(25) <= 6) | (np.arange(25) >= 19)  # twelve readings did not come
    assert peer(t_ms[heard], x[heard], limit) == kept
    use = use_between(t_ms[heard], x[heard], t_ms)
    assert use.qty.sum() == 2_400
    assert use.qty.tolist() == pytest.approx([100.0] * 24)
    assert use.est_qty.sum() == pytest.approx(1_300)


def test_a_night_without_readings_gets_a_night_and_a_day_gets_a_day():
    load = np.where((WEEK % 24 >= 8) & (WEEK % 24 < 18) & (WEEK < 120), 50.0, 5.0)
    t_ms = np.arange(WEEK_H + 1, dtype=np.int64) * HOUR_MS
    x = np.concatenate(([0.0], np.cumsum(load)))
    heard = (np.arange(WEEK_H + 1) < 30) | (np.arange(WEEK_H + 1) > 50)
    total = straightened(t_ms[heard], x[heard])
    assert gaps_of(total) == [(29 * HOUR_MS, 51 * HOUR_MS)]
    use = use_of(total, t_ms, weights=load)
    assert use.qty.tolist() == pytest.approx(load.tolist())
    assert use.est_qty.sum() == pytest.approx(load[29:51].sum())


def test_the_backlog_is_exact_whatever_the_shape_says():
    t_ms = np.array([0, 1, 9, 10]) * HOUR_MS
    use = use_between(t_ms, np.array([0, 4, 17.5, 20]), np.arange(11) * HOUR_MS, weights=np.arange(10.0) ** 2)
    assert use.qty.sum() == pytest.approx(20)
    assert use.qty[1:9].sum() == pytest.approx(13.5)


def test_readings_faster_than_the_feeder_can_deliver_wait_and_a_standstill_is_spread():
    t_ms = np.arange(12, dtype=np.int64) * HOUR_MS
    stood = np.array([0, 10, 20, 20, 20, 20, 60, 70, 80, 90, 100, 110.0])
    use = use_between(t_ms, stood, t_ms, max_rate=12.0)
    assert use.qty.tolist() == pytest.approx([10.0] * 11)
    assert use.est_qty[2:6].tolist() == pytest.approx([10.0] * 4)
    impossible = np.array([0, 10, 20, 90, 40, 50, 60, 70, 80, 90, 100, 110.0])
    assert use_between(t_ms, impossible, t_ms, max_rate=12.0).qty.sum() == pytest.approx(110)


def test_a_silence_of_today_is_spread_as_exactly_as_one_of_1970():
    today = 1_790_000_000_000 // HOUR_MS * HOUR_MS
    t_ms, x = np.array([0, 1_801, 240_000]) * 1_000, np.array([0.0, 12.0, 5_012.0])
    edges, weights = np.arange(68, dtype=np.int64) * HOUR_MS, 1 + np.arange(67.0) % 7
    use, later = (use_of(straightened(t_ms + at, x), edges + at, weights=weights) for at in (0, today))
    assert np.abs(use.qty - later.qty).max() < 1e-11
