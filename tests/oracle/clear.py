"""What can be seen through: events that nobody could tell from what is true are taken out of a script."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise

from oracle.readings import courses, play
from oracle.truth import FEEDERS
from oracle.worlds import DAY, FALSE, HIDDEN, HOUR, QUARTER, Event, Head, World

REMEMBERED = 40 * DAY
SMALL = 0.005
LAST_DIGIT = 0.01
IDLE = 8 * DAY
"""Longer than a plug stands still: what happens meanwhile to a register that repeats itself, nobody can place."""


def without_the_unclear(world: World, head: Head) -> Head:
    """The head without events that cannot be told from what is true: dropped until none is left."""
    while True:
        doubtful = _doubtful(replace(world, heads=(head,)), head)
        if not doubtful:
            return head
        head = replace(head, events=tuple(event for event in head.events if event not in doubtful))


def _doubtful(world: World, head: Head) -> set[Event]:
    rows = play(world, head)
    if len(rows) < 8:
        return set(head.events) - {event for event in head.events if event.kind == "daily"}
    return _unfit(world, head) | _unclear_spells(world, head, rows) | _unclear_beginnings(world, head, rows)


def _unfit(world: World, head: Head) -> set[Event]:
    """Events that this register cannot have."""
    found = set()
    for event in head.events:
        begins_anew = any(one.kind in {*HIDDEN, "swap", "daily"} for one in head.events)
        small = 0.01 if begins_anew else max(SMALL * head.opening, 0.01)
        if event.kind == "jitter" and (head.span or head.digit > 0.9 * small):
            found.add(event)
        if event.kind == "silence" and _is_over_midnight(world, head, event):
            found.add(event)
        others = (*HIDDEN, "swap", "ratio", "manual")
        if event.kind == "stuck" and _under(head, event.start - IDLE, event.end, others):
            found.add(event)
        if event.kind in {"ratio", "swap"} and head.span and event.value >= head.span:
            found.add(event)
    return found


def _is_over_midnight(world: World, head: Head, event: Event) -> bool:
    """Whether a counter that begins again each midnight is silent then, and was not seen to do so twice before.

    What it shows afterwards could as well be what it showed before, or another register: its habit alone decides.
    """
    if not any(one.kind == "daily" for one in head.events):
        return False
    begun = [one.since for one in courses(replace(world, heads=(head,)), head) if one.why == "daily"]
    is_early = event.start <= begun[min(1, len(begun) - 1)] + head.poll
    return is_early and any(event.start <= one <= event.end for one in begun)


def _under(head: Head, start: int, end: int, kinds: tuple[str, ...]) -> set[Event]:
    return {e for e in head.events if e.kind in kinds and e.start <= end and max(e.end, e.start) >= start}


def _most(head: Head, ms: int) -> float:
    return (head.most or FEEDERS[head.utility]) * max(ms, QUARTER) / HOUR


def _truly(head: Head, ms: int) -> float:
    """The most that the register truly grows in a time, as sent."""
    return head.size * max(ms, head.poll) / HOUR * 2 + 2 * head.digit * head.ratio


def _unclear_spells(world: World, head: Head, rows: list) -> set[Event]:
    found: set[Event] = set()
    runs = [(key, list(run)) for key, run in groupby(rows, key=lambda row: row.is_false)]
    for k, (is_false, run) in enumerate(runs):
        if not is_false:
            continue
        here = _under(head, run[0].t_ms, run[-1].t_ms, FALSE)
        before = runs[k - 1][1] if k else []
        after = runs[k + 1][1][0] if k + 1 < len(runs) else None
        if len(before) < 2 or not _is_apart(head, before[-1], run) or not _is_end_clear(head, run, after):
            found |= here
        if (
            after is None
            and before
            and any(0 < row.x - before[-1].x < 1.5 * _most(head, row.t_ms - _stood_since(before)) for row in run)
        ):
            found |= here
        until = after.t_ms if after else run[-1].t_ms
        found |= _under(
            head, before[-1].t_ms if before else 0, until, (*HIDDEN, "swap", "ratio", "jitter", "stuck", "manual")
        )
        if after and before and (after.course != before[-1].course or before[-1].is_stuck):
            found |= here
    return found


def _is_apart(head: Head, believed, run: list) -> bool:
    """Whether every reading of a spell is one that the register cannot show then."""
    for row in run:
        ms = row.t_ms - believed.t_ms
        lower, higher = believed.x - row.x, row.x - believed.x
        margin = max(4 * SMALL * believed.x, 20 * head.digit * head.ratio, 8 * _truly(head, ms))
        if lower < margin and higher < 1.5 * _most(head, ms + DAY) + margin:
            return False
        if head.span and (row.x >= head.span or head.span - believed.x + row.x < 1.5 * _most(head, ms)):
            return False
    if head.span:
        back = run[-1]
        return head.span - back.x + believed.x > 1.5 * _most(head, ms + 2 * DAY)
    return True


def _stood_since(rows: list) -> int:
    """Since when the register has shown what it shows in the last of some readings."""
    return next((a.t_ms for a, b in pairwise(reversed(rows)) if b.x != a.x), rows[0].t_ms)


def _is_end_clear(head: Head, run: list, after) -> bool:
    """Whether the register leaps back; where it does not, whether the last spell shows one value only."""
    if after is None:
        return max(row.x for row in run) - min(row.x for row in run) <= 0.001
    speed = max((b.x - a.x) / (b.t_ms - a.t_ms) for a, b in pairwise(run)) if len(run) > 1 else 0.0
    leap = abs(after.x - run[-1].x)
    ms = after.t_ms - run[-1].t_ms
    return leap > 8 * (_truly(head, ms) + max(speed, 0) * max(ms, head.poll)) + 4 * SMALL * after.x


def _unclear_beginnings(world: World, head: Head, rows: list) -> set[Event]:
    """A reset, another level or a leap that could be a false spell, or after which another could be its return."""
    found: set[Event] = set()
    for event in (event for event in head.events if event.kind in HIDDEN):
        before = [row for row in rows if row.t_ms < event.start and not row.is_false]
        after = [row for row in rows if row.t_ms >= event.start]
        if len(before) < 4 or len(after) < 4 or any(row.is_false for row in after[:4]):
            found.add(event)
            continue
        a, b = before[-1], after[0]
        ms, later = b.t_ms - a.t_ms, [row for row in after if row.t_ms < a.t_ms + REMEMBERED]
        high = a.x + 1.2 * _most(head, REMEMBERED)
        grown = next((row.t_ms for row in after if not row.is_false and row.x > b.x + LAST_DIGIT), rows[-1].t_ms)
        if any(row.is_false and (0 < row.x < high or row.t_ms < grown) for row in later) or a.course + 1 != b.course:
            found.add(event)
        if event.kind == "leap" and head.most is None and all(row.x == a.x for row in before if row.course == a.course):
            found.add(event)  # the first rise of a counter that stood still: what it left may have been false
        if event.kind == "leap":
            is_clear = b.x - a.x > 1.5 * _most(head, b.t_ms - _stood_since(before) + QUARTER)
        else:
            is_low = b.x < 0.05 * a.x if event.kind == "reset" else 0.15 * a.x < b.x < 0.8 * a.x
            highest = max(row.x for row in later if not row.is_false)
            is_clear = is_low and a.x - b.x > 8 * _truly(head, ms) and highest < 0.9 * a.x
            if head.span:
                is_clear &= head.span - a.x + b.x > 1.5 * _most(head, ms)
        if _under(head, event.start, event.start + REMEMBERED, ("stuck",)) and event.kind == "leap":
            found.add(event)
        if not is_clear or any(
            one.why in {"swap", "ratio"} and one.since > event.start - DAY and one.since < event.start + REMEMBERED
            for one in courses(world, head)
        ):
            found.add(event)
    return found
