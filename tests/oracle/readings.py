"""From a world to its readings: what was truly used, what the registers show of it, and what is sent instead."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from oracle.worlds import (
    FALSE,
    GOOD,
    HIDDEN,
    HOUR,
    MANUAL,
    MINUTE,
    SUBSTITUTED,
    Event,
    Head,
    World,
    first_instant,
    local,
)

# What is truly used


@lru_cache(maxsize=64)
def used(load: str, size: float, seed: int, zone: str, first: int, minutes: int) -> tuple[float, ...]:
    """What has been used up to each minute after ``first``, (minutes + 1,)."""
    rng = Random(f"{load}{seed}")  # noqa: S311 - to be repeated, not to be secret
    where = ZoneInfo(zone)
    until, rate, per_minute = 0, 0.0, []
    for minute in range(minutes):
        if minute >= until:
            until, rate = minute + 1, 0.0
            if load == "steady":
                until, rate = minutes, size
            elif load == "plug":  # idle for hours or days, then on for some minutes or hours
                is_on = rng.random() < 0.4
                until = minute + (rng.randint(10, 300) if is_on else rng.choice([60, 300, 2_000, 5_000]))
                rate = size * rng.uniform(0.3, 1) if is_on else 0.0
            elif load == "office":
                at = local(first + minute * MINUTE, where)
                until = minute + 60 - at.minute
                works = at.weekday() < 5 and 8 <= at.hour < 18
                rate = size * (rng.uniform(0.8, 1) if works else rng.choice([0.02, 0.05]))
            else:  # "bursts": now and then twice as much for a few minutes
                is_burst = rng.random() < 0.2
                until = minute + (rng.randint(3, 20) if is_burst else rng.randint(20, 200))
                rate = size if is_burst else size * rng.uniform(0.2, 0.5)
        per_minute.append(rate / 60)
    return tuple(accumulate(per_minute, initial=0.0))


def used_by(world: World, head: Head, t_ms: int) -> float:
    """What the meter's place has truly used since its first minute."""
    begin = head.first - HOUR
    table = used(head.load, head.size, head.seed, world.zone, begin, (head.last - begin) // MINUTE + 120)
    minute, rest = divmod(t_ms - begin, MINUTE)
    return table[minute] + (table[minute + 1] - table[minute]) * rest / MINUTE


# What is read


class Course(NamedTuple):
    """One device, ratio or new beginning of a register from an instant on; ``why`` is the event that began it."""

    since: int
    face: float
    used: float
    ratio: float
    why: str = "first"
    opening: float | None = None
    closing: float | None = None


class Row(NamedTuple):
    """A reading as sent, which course it belongs to, and what the register truly showed (``face``)."""

    t_ms: int
    x: float
    q: int
    face: float
    course: int
    is_false: bool
    is_stuck: bool = False


def courses(world: World, head: Head) -> list[Course]:
    """Everything that makes the register begin anew or count otherwise."""
    found = [Course(head.first - HOUR, head.opening, 0.0, head.ratio)]
    for event in sorted(_beginnings(world, head), key=lambda one: one.start):
        at, shown = used_by(world, head, event.start), face(world, head, found, event.start)
        ratio, opening, closing = found[-1].ratio, None, None
        begins = {"reset": 0.0, "daily": 0.0, "level": event.value, "leap": shown + event.value}.get(event.kind, shown)
        if event.kind == "swap":
            begins = event.value
            opening = event.value if event.reads in {"both", "opening"} else None
            closing = (event.more or shown) if event.reads in {"both", "closing"} else None
        elif event.kind == "ratio":
            ratio = event.value
        found.append(Course(event.start, begins, at, ratio, event.kind, opening, closing))
    return found


def _beginnings(world: World, head: Head) -> list[Event]:
    found = [event for event in head.events if event.kind in {*HIDDEN, "swap", "ratio"}]
    where = ZoneInfo(world.zone)
    for event in head.events:
        day = local(event.start, where).date()
        while event.kind == "daily" and day <= local(event.end, where).date():
            day += timedelta(days=1)
            found.append(replace(event, start=first_instant(day.isoformat(), world.zone)))
    return [event for event in found if head.first < event.start <= head.last]


def face(world: World, head: Head, known: list[Course], t_ms: int) -> float:
    """What the register shows at an instant, to its last digit."""
    course = next(one for one in reversed(known) if one.since <= t_ms)
    exact = course.face + (used_by(world, head, t_ms) - course.used) / course.ratio
    if head.span:
        exact %= head.span
    return round(int(exact / head.digit + 1e-6) * head.digit, 6)


def play(world: World, head: Head) -> list[Row]:
    """Every reading that is sent, in order of time."""
    return list(_played(replace(world, name="", heads=(), prices=(), arrival="", seed=0, closes=""), head))


@lru_cache(maxsize=8)
def _played(world: World, head: Head) -> list[Row]:
    """The same, as it is once it is known: of the world no more counts than its zone."""
    known, sent = courses(world, head), head.ratio
    since = [one.since for one in known]
    rows: list[Row] = []
    for t_ms in _instants(head):
        under = [event for event in head.events if event.end and event.start <= t_ms < event.end]
        is_by_hand = any(event.kind == "manual" and event.start == t_ms for event in head.events)
        if any(event.kind == "silence" for event in under) and not is_by_hand:
            continue
        true = face(world, head, known, t_ms)
        kinds = {event.kind for event in under} if not is_by_hand else set()
        x, is_false = true * sent, False
        for event in under if not is_by_hand else ():  # of two, the later begun
            if event.kind in FALSE:
                x, is_false = _lie(head, event, t_ms), True
        if "jitter" in kinds and not is_false and t_ms // head.poll % 2:
            x = (true - head.digit) * sent
        is_stuck = "stuck" in kinds and not is_false and bool(rows)
        if is_stuck:
            x = rows[-1].x
        q = MANUAL if is_by_hand else SUBSTITUTED if "substituted" in kinds else GOOD
        rows.append(Row(t_ms, x, q, true, bisect_right(since, t_ms) - 1, is_false, is_stuck))
    return rows


def _instants(head: Head) -> list[int]:
    begin = head.first + head.phase
    by_hand = [event.start for event in head.events if event.kind == "manual"]
    return sorted({*range(begin, head.last + 1, head.poll), *by_hand})


def _lie(head: Head, event: Event, t_ms: int) -> float:
    grown = event.value + event.more * (t_ms - event.start) / HOUR
    return round(int(grown / head.digit + 1e-6) * head.digit, 6) if event.kind == "neighbour" else event.value
