"""What people decide about registers reaches the stored figures, and leaves them again when it is taken back."""

from __future__ import annotations

import numpy as np
import pytest
from rigs.rollup_hall import NOW, batch, estate, ms, rows

from accounting.local_time import HOUR_MS
from accounting.spells import Outcome
from analytics.rollups.recompute import Recompute
from analytics.rollups.writer import RollupWriter
from stores.readings.memory import MemoryStore
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.accounting.recomputations import Recomputations
from stores.records.accounting.spells import Spells

POINT = "m0/energy_import/total"
BEGIN = ms("2026-03-02T00:00")
ODD = 100
"""The reading, hour by hour, with which something odd begins."""


class Meter:
    """One counter as analytics keeps it, and what people decide."""

    def __init__(self, records):
        self.records, self.catalogue, self.store = records, estate(), MemoryStore()
        self.spells, self._cursor, self._last = Spells(records), 0, 0
        self.analytics = Spells(records)  # of another process

    def writer(self):
        return RollupWriter(self.store, self.catalogue, ClosedMonths(self.records), self.analytics)

    def shows(self, *x):
        """The register shows this, an hour after the other, and each is taken up as it comes."""
        for value in x:
            self.store.write(batch(POINT, [BEGIN + self._last * HOUR_MS], [value]))
            self._last += 1
            changes = self.store.changes(self._cursor)
            self._cursor = changes.cursor
            self.writer().update(changes.ranges)

    def decide(self, *, accepted):
        (one,) = self.spells.asked([POINT])
        self.spells.decide(one.number, accepted=accepted, by="li", at=NOW, reason="r", based_on=one.changes)
        self.compute_again()

    def ask_again(self):
        (one,) = self.spells.newest("decided")
        self.spells.ask_again(one.number, by="li", at=NOW, reason="r", based_on=one.changes)
        self.compute_again()

    def compute_again(self):
        again = Recompute(self.store, self.writer(), self.catalogue, Recomputations(self.records))
        while again.step(round(NOW.timestamp() * 1000)):
            pass

    def use(self, name="qty"):
        """Hour by hour from the odd reading's own hour on: the hour before it leads into it."""
        found = rows(self.store, "usage_1h", {"meter": "m0"})
        return found.fields[name][found.t_ms >= BEGIN + (ODD - 1) * HOUR_MS].tolist()

    def outcomes(self):
        return [one.spell.outcome for one in self.spells.all_of()]


@pytest.fixture
def meter(records):
    meter = Meter(records)
    meter.shows(*(500 + 2 * np.arange(ODD)))
    return meter


def test_a_register_that_stands_at_zero_is_missing_until_somebody_accepts_it(meter):
    meter.shows(*[0.0] * 6)
    assert meter.outcomes() == [Outcome.IN_DOUBT]
    assert np.isnan(meter.use()).all()
    meter.decide(accepted=True)
    assert meter.use()[1:6] == [0.0] * 5
    assert meter.use("completeness")[1:5] == [1.0] * 4
    meter.ask_again()
    assert meter.outcomes() == [Outcome.IN_DOUBT]
    assert np.isnan(meter.use()).all()


def test_a_register_that_somebody_rejected_counts_on_once_it_goes_on_rising(meter):
    meter.shows(*[0.0] * 6)
    meter.decide(accepted=False)
    assert np.isnan(meter.use()).all()
    assert meter.spells.asked() == []
    meter.shows(2.0, 4.0, 6.0)
    assert np.nansum(meter.use()) == pytest.approx(6)
    assert meter.spells.asked() == []


def test_a_register_that_returns_after_somebody_rejected_what_it_showed_was_false(meter):
    meter.shows(*[0.0] * 6)
    meter.decide(accepted=False)
    meter.shows(*(500 + 2 * np.arange(ODD + 6, ODD + 12)))
    assert meter.outcomes() == [Outcome.FALSE]
    assert sum(meter.use()) == pytest.approx(2 * 12)
    assert min(meter.use("completeness")[1:6]) == 0


def test_a_leap_is_use_once_somebody_accepts_it_and_not_before(meter):
    far = 1e8 + 2 * np.arange(6)
    meter.shows(*far)
    assert meter.outcomes() == [Outcome.LEAP]
    assert np.nansum(meter.use()) == pytest.approx(10)
    meter.decide(accepted=True)
    assert sum(meter.use()) == pytest.approx(far[-1] - (500 + 2 * (ODD - 1)))
    assert sum(meter.use("est_qty")) == pytest.approx(far[0] - (500 + 2 * (ODD - 1)))
    meter.ask_again()
    meter.decide(accepted=False)
    assert np.nansum(meter.use()) == pytest.approx(10)
    assert meter.spells.asked() == []
