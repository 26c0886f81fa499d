"""Levels that stay where they must not be for whole hours: rooms, cold stores, phases. No model is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from analytics.levels import LEVEL_H, PHASES, ROOMS
from facility.model import SpaceKind
from facility.quantities import Quantity
from facility.work import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.scene import Floats, Scene
    from facility.model import Point
    from facility.work import Finding

DAY_H = 24
LEAST_KNOWN_H = 6


class ColdChain:
    """A freezer or cold room too warm for two whole hours: a door that was opened, or a defrost, is over sooner."""

    name: ClassVar[str] = "cold_chain"
    hold_h: ClassVar[int] = 2

    def __init__(self, *, freezer_c: float = -12.0, fridge_c: float = 8.0, freezes_below_c: float = -8.0) -> None:
        """A freezer is what a quarter of its hours was colder than ``freezes_below_c``."""
        self.freezer_c, self.fridge_c, self.freezes_below_c = freezer_c, fridge_c, freezes_below_c

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Cold stores that are too warm now."""
        for point, level in _thermometers(scene, frozenset({SpaceKind.COLD_STORE})):
            is_freezer = float(np.nanquantile(level, 0.25)) < self.freezes_below_c
            limit = self.freezer_c if is_freezer else self.fridge_c
            hours = _hours_at_end(level > limit)
            if hours >= 2:  # noqa: PLR2004 - two whole hours
                yield scene.finding(
                    self.name,
                    point.id,
                    scene.hour_ms(-hours),
                    scene.evidence(point.id, "reading", days=2),
                    severity=Severity.URGENT if is_freezer else Severity.ACT,
                    confidence=0.95,
                    hours_h=hours,
                    level_c=round(float(level[-1]), 1),
                    limit_c=limit,
                )


class RoomOutOfRange:
    """Cooled below 26 °C in the heat or heated above 20 °C in the cold, while somebody works there.

    The rule binds public buildings of China alone, and spares rooms of special use: elsewhere nothing is told.
    Source: 国务院办公厅关于严格执行公共建筑空调温度控制标准的通知, 国办发〔2007〕42号
    (known by its title and number; its text was not at hand).
    """

    name: ClassVar[str] = "room_out_of_range"
    hold_h: ClassVar[int] = 20

    def __init__(
        self, *, summer_c: float = 26.0, winter_c: float = 20.0, tolerance_c: float = 1.0, hours_h: int = 3,
        hot_c: float = 26.0, cold_c: float = 10.0, countries: frozenset[str] = frozenset({"CN"}),
    ) -> None:  # fmt: skip
        """Beyond the rule by ``tolerance_c`` for ``hours_h``, while it is ``hot_c`` or ``cold_c`` outside."""
        self.summer_c, self.winter_c, self.tolerance_c, self.hours_h = summer_c, winter_c, tolerance_c, hours_h
        self.hot_c, self.cold_c, self.countries = hot_c, cold_c, countries

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Rooms that are kept too cold or too warm now."""
        if scene.catalogue.site.holiday_country not in self.countries:
            return
        outside = [level for _, level in _thermometers(scene, frozenset({SpaceKind.OUTDOORS}))]
        if not outside:
            return
        now = (
            float(np.nanmean(outside[0][-self.hours_h :])) if np.isfinite(outside[0][-self.hours_h :]).any() else np.nan
        )
        for point, level in _thermometers(scene, ROOMS):
            if now >= self.hot_c:
                strays, limit = level < self.summer_c - self.tolerance_c, self.summer_c
            elif now <= self.cold_c:
                strays, limit = level > self.winter_c + self.tolerance_c, self.winter_c
            else:
                continue
            building = scene.catalogue.building[scene.catalogue.meter[point.meter].building]
            hours = _hours_at_end(strays)
            first = scene.hour_ms(-hours) if hours else 0
            if (
                hours >= self.hours_h
                and scene.is_open(building, scene.hour_ms(-self.hours_h))
                and scene.is_open(building, scene.now_ms - 1)
            ):
                yield scene.finding(
                    self.name,
                    point.id,
                    first,
                    scene.evidence(point.id, "reading", days=2),
                    severity=Severity.WATCH,
                    confidence=0.9,
                    hours_h=hours,
                    level_c=round(float(level[-1]), 1),
                    limit_c=limit,
                )


class PhaseLoss:
    """One phase of a meter without voltage, or without the current that it carried, while the others have theirs."""

    name: ClassVar[str] = "phase_loss"
    hold_h: ClassVar[int] = 2

    def __init__(
        self, *, of_others: float = 0.05, volts: float = 0.5, least_a: float = 1.0, usual: float = 0.2
    ) -> None:
        """Current below ``of_others`` of the others', of a phase that had ``usual`` of it; voltage below ``volts``."""
        self.of_others, self.volts, self.least_a, self.usual = of_others, volts, least_a, usual

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Meters that have lost a phase now."""
        found = set()
        for quantity in (Quantity.VOLTAGE, Quantity.CURRENT):
            for meter, phases in _by_meter(scene, quantity).items():
                if meter not in found and (lost := self._lost(quantity, phases)) is not None:
                    found.add(meter)
                    yield self._finding(scene, *lost)

    def _lost(self, quantity: Quantity, phases: dict[Point, Floats]) -> tuple[Point, int] | None:
        if not self._may_be_lost([float(level[-1]) for level in phases.values()]):
            return None
        for point, level in phases.items():
            others = np.mean([other for one, other in phases.items() if one is not point], axis=0)
            if quantity is Quantity.VOLTAGE:
                lost = (level < self.volts * others) & (others > 0)
            else:
                had = (
                    np.nanmedian(level[:-DAY_H] / np.maximum(others[:-DAY_H], self.least_a))
                    if len(level) > DAY_H
                    else 0.0
                )
                lost = (level < self.of_others * others) & (others >= self.least_a) & (had >= self.usual)
            if hours := _hours_at_end(lost):
                return point, hours
        return None

    def _may_be_lost(self, last: list[float]) -> bool:
        """Cheap: whether a phase lies far below the others in the last hour."""
        share, whole = max(self.volts, self.of_others), sum(last)
        return any(one < share * (whole - one) / (len(last) - 1) for one in last)

    def _finding(self, scene: Scene, point: Point, hours: int) -> Finding:
        return scene.finding(
            self.name,
            point.id,
            scene.hour_ms(-hours),
            scene.evidence(point.id, "reading", days=2),
            severity=Severity.ACT,
            confidence=0.9,
            hours_h=hours,
            phase=point.channel.upper(),
        )


def _thermometers(scene: Scene, kinds: frozenset[SpaceKind]) -> Iterator[tuple[Point, Floats]]:
    for point, level in scene.levels(Quantity.TEMPERATURE):
        space = scene.catalogue.space.get(scene.catalogue.meter[point.meter].space)
        if space is not None and space.kind in kinds and np.isfinite(level[-LEVEL_H:]).sum() >= LEAST_KNOWN_H:
            yield point, level


def _by_meter(scene: Scene, quantity: Quantity) -> dict[str, dict[Point, Floats]]:
    """Meters of which all three phases are read, and their hours."""
    found: dict[str, dict[Point, Floats]] = {}
    for point, level in scene.levels(quantity):
        if point.channel in PHASES and len(level):
            found.setdefault(point.meter, {})[point] = level
    return {meter: phases for meter, phases in found.items() if len(phases) == len(PHASES)}


def _hours_at_end(flags: np.ndarray) -> int:
    others = np.flatnonzero(~flags[::-1])
    return int(others[0]) if len(others) else len(flags)
