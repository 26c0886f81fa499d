"""What a month's bill must say: quarter by quarter and minute by minute, from the truth of its head meters."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from oracle.worlds import DAY, HOUR, MINUTE, QUARTER, local, month_edges

if TYPE_CHECKING:
    from datetime import date


@dataclass
class Month:
    """One utility of a month.

    ``lines``: (tariff, period) → exact use; ``days``: tariff → local days on which it held; ``peak``: lowest and
    highest figure that the rules allow for the month's demand. ``hours``: per head measured, estimated, open and
    missing. ``is_vague``: the rules leave open how the use of a silence lies over the hours.
    """

    use: float = 0.0
    is_known: bool = False
    lines: dict[tuple[str, str], float] = field(default_factory=dict)
    days: dict[str, set[date]] = field(default_factory=dict)
    peak: list[float] = field(default_factory=lambda: [float("nan"), float("nan")])
    hours: list[dict[str, float]] = field(default_factory=list)
    is_vague: bool = False

    def share(self, name: str) -> float:
        """A tariff's part of the month, by days."""
        return len(self.days[name]) / sum(map(len, self.days.values()))

    @property
    def worst(self) -> dict[str, float]:
        """The head meter that misses most and then is estimated most."""
        return max(self.hours, key=lambda one: (round(one["missing"], 9), one["estimated"] + one["open"]))


def month_of(world, truths, utility: str, month: str) -> Month:
    """The month of a utility, worked out the slow way."""
    start, end = month_edges(month, world.zone)
    heads = [truth for truth in truths if truth.head.utility == utility]
    prices = sorted((one for one in world.prices if one.utility == utility), key=lambda one: one.since)
    zone, found, today, price = ZoneInfo(world.zone), Month(), "", []
    periods = {one.name: [_period(one, minute) for minute in range(24 * 60)] for one in prices}
    for quarter in range(start, end, QUARTER):
        at = local(quarter, zone)
        if at.date() != today:
            today, price = at.date(), [one for one in prices if one.since <= at.date().isoformat()][-1:]
        uses = [truth.use(quarter, quarter + QUARTER) for truth in heads]
        known = [use for use in uses if use is not None]
        found.use += sum(known)
        found.is_known = found.is_known or bool(known)
        for one in price:
            found.days.setdefault(one.name, set()).add(today)
            for minute in range(15) if one.slots else (0,):
                period = periods[one.name][at.hour * 60 + at.minute + minute]
                part = sum(known) / (15 if one.slots else 1)
                found.lines[one.name, period] = found.lines.get((one.name, period), 0.0) + part
        _note_peak(found, heads, uses, quarter)
    for truth in heads:
        found.is_vague = found.is_vague or truth.is_vague(start, end)
        times = truth.times(start, end)
        hours = {how: ms / HOUR for how, ms in times.items()}
        found.hours.append({**hours, "missing": (end - start) / HOUR - sum(hours.values())})
    return found


def _period(price, minute: int) -> str:
    return next((name for name, since, until in price.slots if since <= minute < until), "flat")


def _note_peak(found: Month, heads, uses, quarter: int) -> None:
    """The greatest mean power over the heads that were measured for the whole quarter."""
    surely, perhaps = [], []
    for truth, use in zip(heads, uses, strict=True):
        times = truth.times(quarter, quarter + QUARTER)
        if times["measured"] == QUARTER:
            surely.append(use)
        if times["measured"] + times["open"] == QUARTER:
            perhaps.append(use)
    for which, part in enumerate((surely, perhaps)):
        if part:
            kw = sum(part) * (HOUR / QUARTER)
            if not found.peak[which] >= kw:
                found.peak[which] = kw


def days_of(month: str, zone: str) -> list[tuple[int, int]]:
    """Local days of a month from midnight to midnight; a day that does not exist has none."""
    start, end = month_edges(month, zone)
    where, edges = ZoneInfo(zone), [start]
    t_ms = start
    while t_ms < end:
        t_ms += MINUTE * 15
        if local(t_ms, where).date() != local(t_ms - 1, where).date():
            edges.append(t_ms)
    return [(a, b) for a, b in pairwise(edges) if b - a <= 2 * DAY]
