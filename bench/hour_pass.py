"""What one hour's look costs at 10,000 points: every detector over a window as it stands, with models and without.

Nothing is read and nothing is fitted: other figures say what that costs. Counters have the history that a watch holds.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, time
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS
from accounting.spells import Outcome, Spell
from analytics.detectors import DETECTORS
from analytics.levels import LEVEL_H, PHASES
from analytics.scene import CounterUse, Window, instant
from bench.bounded import held_to_its_bound
from facility.catalogue import Catalogue
from facility.model import Building, DayHours, Meter, MeterRole, Name, Point, Site, Space, SpaceKind
from facility.quantities import Quantity, Utility

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.scene import Floats

RESULT = Path(__file__).parent / "results" / "hour_pass.json"
POINTS, MOST_S = 10_000, 1.0
HOURS = 91 * 24
FIRST_MS = round(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000)
SUBS, PHASED, ROOMS = 30, 10, 8
A_BUILDING = 2 + SUBS + 6 * PHASED + ROOMS
LOOKS = 12


def estate(buildings: int) -> Catalogue:
    """Halls of a hundred points each: heads, sub-meters, phases and rooms."""
    halls = [f"h{k}" for k in range(buildings)]
    meters, points = zip(*(one for hall in halls for one in _of_hall(hall)), strict=True)
    hours = {day: DayHours(time(8), time(18)) for day in range(5)}
    return Catalogue(
        Site("bench", Name("Bench"), "Asia/Shanghai", "CNY", holiday_country="CN"),
        (),
        tuple(Building(hall, Name(hall), hours=hours) for hall in halls),
        (
            Space("outside", "h0", Name("Outside"), SpaceKind.OUTDOORS),
            *(Space(f"{hall}-room", hall, Name("Room"), SpaceKind.OFFICE) for hall in halls),
        ),
        (),
        tuple({one.id: one for one in meters}.values()),
        points,
    )


def _of_hall(hall: str) -> Iterator[tuple[Meter, Point]]:
    def of(name: str, utility: Utility | None, role: MeterRole, enduse: str = "total", space: str = "") -> Meter:
        return Meter(
            f"{hall}-{name}", Name(name), hall, "p", "a", "b", name, space, utility=utility, role=role, enduse=enduse
        )

    for name, utility, quantity in (
        ("main", Utility.ELECTRICITY, Quantity.ENERGY_IMPORT),
        ("water", Utility.WATER, Quantity.WATER_VOLUME),
    ):
        yield of(name, utility, MeterRole.HEAD), Point(f"{hall}-{name}", quantity)
    for k in range(SUBS):
        meter = of(f"sub{k}", Utility.ELECTRICITY, MeterRole.SUB, "lighting" if k % 3 == 0 else "plugs")
        yield meter, Point(meter.id, Quantity.ENERGY_IMPORT)
        for phase in PHASES if k < PHASED else ():
            yield meter, Point(meter.id, Quantity.CURRENT, phase)
            yield meter, Point(meter.id, Quantity.VOLTAGE, phase)
    for k in range(ROOMS):
        meter = of(f"air{k}", None, MeterRole.SUB, space="outside" if hall == "h0" and k == 0 else f"{hall}-room")
        yield meter, Point(meter.id, Quantity.TEMPERATURE)


def window_of(catalogue: Catalogue, *, has_models: bool) -> Window:
    """Three months of use of every counter, two days of every gauge, and a reset of each hundredth counter."""
    rng, edges = np.random.default_rng(0), FIRST_MS + HOUR_MS * np.arange(HOURS + 1, dtype=np.int64)
    works = (np.arange(HOURS) % 24 < 10) & (np.arange(HOURS) % 168 < 120)  # noqa: PLR2004 - hours of a working week
    normal = np.where(works, 10.0, 2.0)
    band = (normal, 0.8 * normal, 1.2 * normal) if has_models else (np.full(HOURS, np.nan),) * 3
    ones = np.ones(HOURS)
    uses = {}
    for point in catalogue.counters:
        meter, utility = catalogue.meter[point.meter], catalogue.utility_of(point)
        assert utility is not None
        size = SUBS if meter.role is MeterRole.HEAD else 1
        qty = size * normal * (1 + 0.05 * rng.standard_normal(HOURS))
        expected, lo, hi = (size * one for one in band)
        uses[point.id] = CounterUse(meter, point.id, utility, edges[:-1], qty, expected, lo, hi, ones, ~works)
    reset = Spell(FIRST_MS, FIRST_MS + HOUR_MS, FIRST_MS + 2 * HOUR_MS, 100.0, 0.0, Outcome.RESET)
    return Window(
        catalogue,
        edges,
        uses,
        {meter.id: edges[1:] for meter in catalogue.meters},
        {},
        {one.id: works for one in catalogue.buildings},
        levels={one.id: _level(one, rng) for one in catalogue.points if not one.quantity.is_counter},
        levels_skipped=HOURS - LEVEL_H,
        spells={one.id: [reset] for one in catalogue.counters[::100]},
    )


def _level(point: Point, rng: np.random.Generator) -> Floats:
    usual = {Quantity.TEMPERATURE: 23.0, Quantity.CURRENT: 40.0, Quantity.VOLTAGE: 230.0}[point.quantity]
    return np.asarray(usual * (1 + 0.01 * rng.standard_normal(LEVEL_H)), np.float64)


def seconds_of(window: Window) -> dict[str, float]:
    """What each detector takes for an hour, a mean of the last hours of the window, in seconds."""
    made, spent = {name: make() for name, make in DETECTORS.items()}, dict.fromkeys(DETECTORS, 0.0)
    for hour in range(HOURS - LOOKS, HOURS):
        scene = window.scene(instant(int(window.edges_ms[hour + 1])))
        for name, detector in made.items():
            begun = perf_counter()
            list(detector.detect(scene))
            spent[name] += perf_counter() - begun
    return {name: round(total / LOOKS, 5) for name, total in spent.items()}


def measure(_: Path) -> dict[str, float]:
    catalogue = estate(POINTS // A_BUILDING)
    found: dict[str, float] = {"points": len(catalogue.points), "counters": len(catalogue.counters), "most_s": MOST_S}
    worst = 0.0
    for name, has_models in (("models", True), ("no_models", False)):
        spent = seconds_of(window_of(catalogue, has_models=has_models))
        found |= {f"{name}_{detector}_s": seconds for detector, seconds in spent.items()}
        worst = max(worst, sum(spent.values()))
    return found | {"whole_s": round(worst, 4)}


if __name__ == "__main__":
    sys.exit(held_to_its_bound(measure, RESULT))
