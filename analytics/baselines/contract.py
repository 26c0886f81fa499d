"""What every baseline can do: learn a meter's normal use, and say what it expects and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from analytics.baselines.band import Tails
    from analytics.baselines.hours import Hours
    from analytics.baselines.port import Expectation, FitQuality, Floats


class Baseline(Protocol):
    """Options in the constructor, data in ``fit``, what was learned in attributes that end in ``_``.

    ``y`` (n,) is use in each of the hours (n,) in the counter's unit, NaN where missing; fitting skips those hours.
    What is expected is in the same unit.
    """

    quality_: FitQuality
    tails_: Tails
    """How likely an ordinary hour strays so far: of errors of weeks that were held back."""

    def fit(self, hours: Hours, y: Floats) -> Self:
        """Learn from these hours. Raises ``Insufficient`` when they do not suffice."""

    def predict(self, hours: Hours) -> Expectation:
        """What normal use would be in these hours, (n,)."""
