"""Whatever happens to a meter, and in whatever order its readings arrive, the rollups come out the same."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.meter_lives import lives
from rigs.rollup_hall import assert_same, batch, estate, everything, fed, ms, rows

from accounting.local_time import HOUR_MS
from facility.ledger.installation import BEGINNING, Installation
from facility.model import Ratio

POINT = "m0/energy_import/total"
BASE_MS = ms("2026-03-20T00:00")


def lived(life):
    """An estate whose first meter's ledger is that of a random life."""
    catalogue = estate()
    ledger = [
        Installation(
            "m0",
            since=BEGINNING if not k else datetime.fromtimestamp((BASE_MS + one.since_ms) / 1000, UTC),
            serial=f"s{k}",
            rolls_over_at=one.span,
            ct_ratio=one.true,
            told_ct_ratio=one.told,
            opening=one.opening,
            closing=one.closing,
            continues=one.continues,
        )
        for k, one in enumerate(life.stretches)
    ]
    points = (replace(catalogue.points[0], ratio=Ratio.CT), *catalogue.points[1:])
    return replace(catalogue, points=points, installations=tuple(ledger))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(lives(), st.integers(0, 2**32 - 1))
def test_rollups_of_a_random_life_do_not_depend_on_the_order_of_arrival(life, seed):
    catalogue, rng = lived(life), np.random.default_rng(seed)
    t_ms, kept = np.unique(np.array(life.t_ms) + BASE_MS, return_index=True)
    x = np.array(life.x)[kept]
    at_once = everything(fed(catalogue, batch(POINT, t_ms, x)))
    one_by_one = np.arange(len(t_ms))[:, None]
    for pieces in (one_by_one, np.array_split(rng.permutation(len(t_ms)), rng.integers(1, 8))):
        fed_in_pieces = fed(catalogue, *(batch(POINT, t_ms[part], x[part]) for part in pieces))
        assert_same(everything(fed_in_pieces), at_once)


def test_a_doubt_at_the_newest_reading_leaves_no_hour_after_it_once_it_is_over():
    """What rolled over seemed to have fallen until the readings between came."""
    x = np.array([*range(65_529, 65_536), *range(7)], float)
    catalogue = replace(estate(), installations=(Installation("m0", since=BEGINNING, rolls_over_at=65_536.0),))
    t_ms = BASE_MS + np.arange(len(x)) * HOUR_MS
    pieces = [[13, 6], [2, 1], [8, 12], [0, 7], [5, 3], [4, 11], [10, 9]]
    in_pieces = fed(catalogue, *(batch(POINT, t_ms[part], x[part]) for part in pieces))
    assert_same(everything(in_pieces), everything(fed(catalogue, batch(POINT, t_ms, x))))


@pytest.mark.parametrize("pause_h", [1, 2, 3, 6, 24])
@pytest.mark.parametrize("what", ["reset", "roll-over", "leap", "zero"])
def test_a_slow_meters_readings_count_the_same_one_by_one_as_at_once(pause_h, what):
    row = np.arange(24)
    steady = 5_000 + 10.0 * row
    x = {
        "reset": np.where(row < 10, steady, 10.0 * (row - 9)),
        "roll-over": (999_900 + 10.0 * row) % 1e6,
        "leap": steady + np.where(row >= 10, 5_000_000.0, 0.0),
        "zero": np.where(row == 10, 0.0, steady),
    }[what]
    used = {"reset": 230, "roll-over": 230, "leap": 220, "zero": 230}[what]
    catalogue, t_ms = estate(digits=6 if what == "roll-over" else None), BASE_MS + row * pause_h * HOUR_MS
    catalogue = replace(catalogue, meters=(replace(catalogue.meters[0], most_per_hour=50.0), *catalogue.meters[1:]))
    one_by_one = fed(catalogue, *(batch(POINT, [t], [value]) for t, value in zip(t_ms, x, strict=True)))
    assert np.nansum(rows(one_by_one, "usage_1h", {"meter": "m0"}).fields["qty"]) == pytest.approx(used)
    assert_same(everything(one_by_one), everything(fed(catalogue, batch(POINT, t_ms, x))))


@pytest.mark.parametrize("cuts", [((29, 60), (60, 140), (0, 29)), ((60, 140), (29, 60), (0, 29))])
def test_a_spell_is_judged_again_by_readings_that_come_of_the_week_before_it(cuts):
    """A slow meter shows too much for a day, then what it should; a week later it reaches what it had shown."""
    x = [86.0] * 11 + [87.0] * 16 + [93.0] * 20 + [88.0 + k // 19 for k in range(13, 106)]
    t_ms = BASE_MS + np.arange(len(x)) * HOUR_MS
    catalogue = estate()
    catalogue = replace(catalogue, meters=tuple(replace(one, most_per_hour=2.5) for one in catalogue.meters))
    parts = [batch(POINT, t_ms[a:b], x[a:b]) for a, b in cuts]
    assert_same(everything(fed(catalogue, *parts)), everything(fed(catalogue, batch(POINT, t_ms, x))))


def test_what_is_in_doubt_no_more_is_known_up_to_the_newest_reading():
    """Without what was read in between, a register at its end stood where it had been before it rolled over."""
    growth, last = np.cumsum([3_000.0, 5_000.0, 2_500.0, 4_500.0] * 15), [999_999.0] * 20
    x = [*(840_000 + growth[:38]), 0.0, *growth[:21], *last]
    t_ms = BASE_MS + np.arange(len(x)) * 24 * HOUR_MS
    catalogue = estate()
    catalogue = replace(catalogue, meters=tuple(replace(one, rolls_over_at=1e6) for one in catalogue.meters))
    parts = [batch(POINT, t_ms[a:b], x[a:b]) for a, b in ((0, 20), (43, 80), (20, 43))]
    assert_same(everything(fed(catalogue, *parts)), everything(fed(catalogue, batch(POINT, t_ms, x))))
