"""Meters that people read: when each was read last, and from when on it is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from facility.model import READ_EVERY_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facility.catalogue import Catalogue
    from facility.model import Meter, Point

_DAY_MS = 86_400_000


class _Newest(Protocol):
    @property
    def t_ms(self) -> int: ...
    @property
    def x(self) -> float: ...


@dataclass(frozen=True, slots=True)
class HandRead:
    """A point of such a meter: its newest read (None: never), and from when on the next is due (0: at once)."""

    meter: Meter
    point: Point
    last: _Newest | None

    @property
    def due_ms(self) -> int:
        """From when on somebody should read it."""
        return self.last.t_ms + (self.meter.read_every_days or READ_EVERY_DAYS) * _DAY_MS if self.last else 0

    def is_due(self, now_ms: int) -> bool:
        """Whether somebody should have read it by now."""
        return now_ms >= self.due_ms


def points_by_hand(estate: Catalogue) -> list[tuple[Meter, Point]]:
    """Every point that people read."""
    by_hand = (meter for meter in estate.meters if not meter.agent)
    return [(meter, point) for meter in by_hand for point in estate.points_of(meter.id)]


def reads_by_hand(estate: Catalogue, newest: Mapping[str, _Newest]) -> list[HandRead]:
    """How each of them stands, by the newest reading of points."""
    return [HandRead(meter, point, newest.get(point.id)) for meter, point in points_by_hand(estate)]
