"""Scenarios by hand: a meter's readings and the steps that are right, each in a line or two.

Times are hours after 1 October 2026 in London, when the clocks are still on summer time; readings come every 15 minutes
where nothing else is said.
"""

from __future__ import annotations

from math import ceil
from random import Random

from oracle.judge import Notes, judge_counter
from oracle.product import Meterhouse
from oracle.readings import Row
from oracle.truth import Step, Truth
from oracle.worlds import GOOD, HOUR, Event, Head, Price, World, instant

ZONE = "Europe/London"
BEGIN = instant("2026-10-01T00:00", ZONE)
FLAT = (Price("flat", "electricity", "2000-01-01", (("flat", 0.5),)),)
MEASURED, ESTIMATED = "measured", "estimated"
ORDERS = ("at_once", "one_by_one", "backwards", "shuffled", "in_thirds")


def at(hour: float) -> int:
    """The instant so many hours after the beginning."""
    return BEGIN + round(hour * HOUR)


def reading(hour: float, x: float, q: int = GOOD) -> Row:
    """A reading."""
    return Row(at(hour), x, q, x, 0, is_false=False)


def steady(start: float, end: float, x: float, per_hour: float, every: float = 0.25) -> list[Row]:
    """Readings from one hour up to another, that one left out, of a register that grows evenly from ``x``."""
    count = ceil(round((end - start) / every, 6))
    return [reading(start + k * every, x + k * every * per_hour) for k in range(count)]


def flat(start: float, end: float, x: float, every: float = 0.25) -> list[Row]:
    """Readings that all show the same."""
    return steady(start, end, x, 0.0, every)


def step(start: float, end: float, qty: float, how: str = MEASURED, *, is_open: bool = False) -> Step:
    """What must be counted from one hour to another: of an estimate longer than two hours by the meter's weeks."""
    by_weeks = how == ESTIMATED and end - start > 2
    return Step(at(start), at(end), qty, how, is_open, by_weeks)


def meter(*events: Event, **facts) -> World:
    """One meter of an estate in London."""
    months = facts.pop("months", ("2026-10",))
    facts = {"first": BEGIN, "last": at(31 * 24), **facts}
    return World("by hand", ZONE, months, (Head("main", events=events, **facts),), FLAT)


def swap(hour: float, closing: float, opening: float, reads: str = "both") -> Event:
    """A swap with what the older and the newer device showed."""
    return Event("swap", at(hour), value=opening, more=closing, reads=reads)


def wrong(rows: list[Row], steps: list[Step], orders: tuple[str, ...] = ORDERS, **facts) -> list[str]:
    """What Meterhouse makes of the readings otherwise than these steps, in whatever order they come."""
    world = facts.pop("world", None) or meter(**facts)
    truth = Truth(world, world.heads[0], rows, steps=steps)
    found = []
    for order in orders:
        notes = Notes()
        with Meterhouse(world) as house:
            for batch in portions(rows, order):
                house.take([(truth.head.point, row) for row in batch])
            judge_counter(notes, house, truth)
        found += [f"{order}: {line}" for line in notes.all()]
    return found


def portions(rows: list[Row], order: str) -> list[list[Row]]:
    """The readings in the portions in which they come."""
    if order == "at_once":
        return [rows]
    if order == "in_thirds":
        third = len(rows) // 3 + 1
        return [rows[third : 2 * third], rows[2 * third :], rows[:third]]
    single = [[row] for row in rows]
    if order == "backwards":
        return single[::-1]
    if order == "shuffled":
        Random(7).shuffle(single)  # noqa: S311 - to be repeated
    return single
