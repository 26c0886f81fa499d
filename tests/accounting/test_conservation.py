"""Whatever happens to a meter, its intervals sum to what its registers say was used."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rigs.meter_lives import lives

from accounting.intervals import use_of
from accounting.ledger import stitched
from accounting.local_time import HOUR_MS

QUARTER = HOUR_MS // 4
FEEDER = 100_000.0  # units an hour: more than these meters ever deliver


@settings(deadline=None, max_examples=400)
@given(lives(), st.randoms(use_true_random=False), st.sampled_from([QUARTER, HOUR_MS, 24 * HOUR_MS]))
def test_intervals_sum_to_closing_minus_opening_whatever_happens(life, random, step_ms):
    order = list(range(len(life.t_ms)))
    order += [random.randrange(len(order)) for _ in range(5)]
    random.shuffle(order)
    t_ms, x = np.array(life.t_ms)[order], np.array(life.x)[order]
    total = stitched(t_ms, x, life.stretches, max_rate=FEEDER)
    edges = np.arange(0, max(life.t_ms) + step_ms, step_ms)
    use = use_of(total, edges)
    assert np.nansum(use.qty) == pytest.approx(total.total[-1] - total.total[0], rel=1e-9, abs=1e-6)
    slack = 1e-6 + 1e-14 * max(life.x) * len(life.x)  # what doubles can tell of a register of ten digits
    assert life.true - life.untold - slack <= np.nansum(use.qty) <= life.true + slack
    assert np.nanmin(use.qty) >= 0
    assert (np.nan_to_num(use.est_qty) <= np.nan_to_num(use.qty) + 1e-6).all()
    assert ((use.completeness >= 0) & (use.completeness <= 1 + 1e-12)).all()
