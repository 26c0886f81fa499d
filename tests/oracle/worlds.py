"""Worlds of the oracle: what was truly used, minute by minute, and a script of everything that lies about it.

A world is plain data and its readings follow from it, so that one of its events can be dropped and the rest played
again. Times are ms UTC. Nothing here knows how Meterhouse counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE, QUARTER, HOUR, DAY = 60_000, 900_000, 3_600_000, 86_400_000

FALSE = ("zeros", "ones", "neighbour", "garbage")
"""What a register may show that is not so. A last digit that flickers (``jitter``) is measured."""

HIDDEN = ("reset", "level", "leap")
"""What happens to a register and stands in no ledger."""

GOOD, SUSPECT, MANUAL, SUBSTITUTED = 0, 2, 3, 4


@dataclass(frozen=True)
class Event:
    """Something that befalls a meter at ``start``, or until ``end``.

    ``value``: a level, an opening read, a ratio; ``more``: growth per hour, or the closing read where the register
    does not give it; ``reads``: which reads of a swap exist.
    """

    kind: str
    start: int
    end: int = 0
    value: float = 0.0
    more: float = 0.0
    reads: str = "both"

    def words(self, zone: ZoneInfo) -> str:
        """The event as a person would tell it."""
        at = f"{local(self.start, zone):%m-%d %H:%M:%S}"
        until = f" to {local(self.end, zone):%m-%d %H:%M:%S}" if self.end else ""
        what = {
            "zeros": "reads zeros",
            "ones": f"reads {self.value!r}",
            "neighbour": f"reads a neighbour's {self.value:g} that grows by {self.more:g} an hour",
            "garbage": f"is frozen at {self.value:g}",
            "jitter": "flickers in its last digit",
            "silence": "is silent",
            "stuck": "repeats its last value",
            "reset": "begins again at zero",
            "daily": "begins again at zero each midnight",
            "level": f"goes on from {self.value:g} instead",
            "leap": f"leaps by {self.value:g} and goes on",
            "swap": f"is replaced by a device that shows {self.value:g}; reads: {self.reads}",
            "ratio": f"has ratio {self.value:g} from here on",
            "manual": "is read by hand",
            "substituted": "has substituted values",
        }[self.kind]
        return f"{at}{until} {what}"


@dataclass(frozen=True)
class Head:
    """A head meter: how it is read, what it shows, what hangs behind it (``load`` by ``seed``), and its events."""

    name: str
    utility: str = "electricity"
    poll: int = QUARTER
    phase: int = 0
    digit: float = 0.01
    opening: float = 1_000.0
    span: float | None = None
    most: float | None = None
    load: str = "steady"
    size: float = 12.0
    seed: int = 0
    ratio: float = 1.0
    is_judged_by_edge: bool = False
    first: int = 0
    last: int = 0
    events: tuple[Event, ...] = ()

    @property
    def point(self) -> str:
        """The id of its counter."""
        return f"{self.name}/{'energy_import' if self.utility == 'electricity' else 'water_volume'}/total"


@dataclass(frozen=True)
class Price:
    """A tariff from a local day on: prices of periods, minutes of the day in which each holds (else ``flat``)."""

    name: str
    utility: str
    since: str
    prices: tuple[tuple[str, float], ...]
    slots: tuple[tuple[str, int, int], ...] = ()
    per_kw: float = 0.0
    fixed: float = 0.0

    def words(self) -> str:
        """The tariff as a person would tell it."""
        slots = ", ".join(f"{name} {a // 60}:{a % 60:02}-{b // 60}:{b % 60:02}" for name, a, b in self.slots)
        prices = ", ".join(f"{name} {price:g}" for name, price in self.prices)
        return f"{self.name} from {self.since}: {prices}; {slots}; {self.per_kw:g} a kW, {self.fixed:g} a month"


@dataclass(frozen=True)
class World:
    """One scenario. ``arrival``: at_once, in_batches or one_by_one; ``closes``: this month is closed half-way."""

    name: str
    zone: str
    months: tuple[str, ...]
    heads: tuple[Head, ...]
    prices: tuple[Price, ...] = ()
    arrival: str = "at_once"
    seed: int = 0
    closes: str = ""

    def words(self) -> str:
        """The whole script."""
        zone = ZoneInfo(self.zone)
        lines = [f"{self.name}: {', '.join(self.months)} in {self.zone}, readings come {self.arrival}"]
        lines += [f"  {price.words()}" for price in self.prices]
        if self.closes:
            lines.append(f"  {self.closes} is closed before the last of its readings come")
        for head in self.heads:
            first, last = (f"{local(t_ms, zone):%m-%d %H:%M:%S}" for t_ms in (head.first, head.last))
            lines.append(
                f"  {head.name}: {head.utility} read every {head.poll / 1000:g} s from {first}"
                f" to {last} to {head.digit:g}, from {head.opening:g}, rolls over at"
                f" {head.span}, at most {head.most} an hour, ratio {head.ratio:g}, {head.load} load of {head.size:g}"
                f"{', judged by the edge' if head.is_judged_by_edge else ''}"
            )
            lines += [f"    {event.words(zone)}" for event in head.events]
        return "\n".join(lines)


@lru_cache(maxsize=100_000)
def local(t_ms: int, zone: ZoneInfo) -> datetime:
    """The wall clock at an instant."""
    return datetime.fromtimestamp(t_ms / 1000, zone)


def instant(text: str, zone: str) -> int:
    """``2026-10-01T00:00`` of a zone in ms."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def month_edges(month: str, zone: str) -> tuple[int, int]:
    """First instants of a local month and of the next."""
    year, number = map(int, month.split("-"))
    after = f"{year + number // 12}-{number % 12 + 1:02}"
    return first_instant(f"{month}-01", zone), first_instant(f"{after}-01", zone)


def first_instant(day: str, zone: str) -> int:
    """The first instant of a local day, minute by minute: midnight, or where clocks skip it the first that exists."""
    where = ZoneInfo(zone)
    t_ms = round(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() * 1000) - DAY
    for step in (QUARTER, MINUTE):
        while f"{local(t_ms + step, where):%Y-%m-%d}" < day:
            t_ms += step
    return t_ms + MINUTE


def day_after(t_ms: int, zone: str) -> str:
    """The local day after that of an instant."""
    return (local(t_ms, ZoneInfo(zone)).date() + timedelta(days=1)).isoformat()


def utc(t_ms: int) -> datetime:
    """An instant as a moment of UTC."""
    return datetime.fromtimestamp(t_ms / 1000, UTC)
