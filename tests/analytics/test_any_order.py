"""Whatever happens to a meter, and in whatever order its readings arrive, the rollups come out the same."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from meter_lives import lives
from test_rollups import assert_same, batch, estate, everything, fed, ms

from facility.ledger import BEGINNING, Installation
from facility.profile import Ratio

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
    t_ms, rows = np.unique(np.array(life.t_ms) + BASE_MS, return_index=True)
    x = np.array(life.x)[rows]
    pieces = np.array_split(rng.permutation(len(t_ms)), rng.integers(1, 8))
    shuffled = fed(catalogue, *(batch(POINT, t_ms[part], x[part]) for part in pieces))
    assert_same(everything(shuffled), everything(fed(catalogue, batch(POINT, t_ms, x))))
