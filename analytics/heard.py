"""When each meter was heard last, by what was written since the start: known before any rollup of it is made."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from analytics.uses import accounted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facility.catalogue import Catalogue

ON_HEARING = frozenset({"silent_meter"})
"""Detectors that look at when meters were heard, and need not wait for rollups."""

LISTEN_EVERY_MS = 60_000


class Heard:
    """One thread takes and asks."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._meters = {point: meter for meter, point in points_heard(catalogue).items()}
        self._newest_ms: dict[str, int] = {}

    def take(self, ranges: Mapping[str, tuple[int, int]], now_ms: int) -> None:
        """Stretches were written: point id → first and last time in ms. What is of the future was heard now."""
        for point, (_, last) in ranges.items():
            meter = self._meters.get(point)
            if meter is not None:
                self._newest_ms[meter] = max(min(last, now_ms), self._newest_ms.get(meter, 0))

    @property
    def newest_ms(self) -> Mapping[str, int]:
        """By meter, ms UTC; those alone of which something was written."""
        return MappingProxyType(dict(self._newest_ms))


def points_heard(catalogue: Catalogue) -> dict[str, str]:
    """Of each meter that has a point the one by which it is heard: the accounted one, else its first."""
    chosen = {m.id: points[0].id for m in catalogue.meters if (points := catalogue.points_of(m.id))}
    return chosen | {meter.id: point.id for meter, point in accounted(catalogue)}
