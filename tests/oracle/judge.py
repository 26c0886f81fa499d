"""The judge: the figures of Meterhouse against what they must be. Every difference is a sentence."""

from __future__ import annotations

from collections import Counter
from math import isnan
from zoneinfo import ZoneInfo

from oracle.arrival import deliver
from oracle.judge_money import judge_bill, judge_closed
from oracle.money import days_of
from oracle.product import Meterhouse, marked
from oracle.readings import play
from oracle.truth import Truth
from oracle.worlds import HOUR, MINUTE, local, month_edges

SHARE = 1e-6
MOST_TOLD = 3
"""So many differences of one kind are noted in full; the others are counted."""


class Notes:
    """Differences so far, the first few of each kind in full."""

    def __init__(self):
        self.lines, self._kinds = [], Counter()

    def say(self, kind, line):
        """Note one difference."""
        self._kinds[kind] += 1
        if self._kinds[kind] <= MOST_TOLD:
            self.lines.append(f"{kind}: {line}")

    def all(self):
        """What was noted, and how much more there was."""
        more = [f"{kind}: {n - MOST_TOLD} more" for kind, n in self._kinds.items() if n > MOST_TOLD]
        return [*self.lines, *more]


def judge(world) -> list[str]:
    """Play a world to Meterhouse and say what is wrong; nothing: all is right."""
    read = {head.name: marked(head, play(world, head)) for head in world.heads}
    truths = [Truth(world, head, read[head.name]) for head in world.heads]
    notes = Notes()
    for truth in truths:
        for step, true in truth.untold():
            notes.say("the oracle itself is wrong", f"{truth.head.name} {step} truly used {true}")
    if notes.lines:
        return notes.all()
    with Meterhouse(world) as house:
        deliver(world, house, read)
        for truth in truths:
            judge_counter(notes, house, truth)
        for month in world.months:
            if month not in house.handed_in:
                judge_bill(notes, house, world, truths, month)
            else:
                judge_closed(notes, house, world, truths, month)
        if world.arrival != "at_once" and not world.closes:
            _judge_order(notes, house, world, read)
    return notes.all()


# Hours and days of one counter


def judge_counter(notes, house, truth) -> None:
    """Hours, days and the sum of one counter."""
    head, zone = truth.head, ZoneInfo(truth.world.zone)
    closed = [month_edges(month, truth.world.zone) for month in house.handed_in]
    tags = {"meter": head.name}
    hours = house.rows("usage_1h", **tags)
    if not any(True for _ in hours) and truth.steps:
        notes.say("no figures", f"{head.name} has no hours")
        return
    times = sorted(hours)
    total, checked = 0.0, 0.0
    for t_ms, after in zip(times, [*times[1:], times[-1] + HOUR], strict=True):
        end = min(truth.hour_after(t_ms), after)
        if any(start <= t_ms < until for start, until in closed):
            continue
        if end - t_ms != HOUR and not _clocks_change(t_ms, zone):
            notes.say("hours overlap", f"{head.name} {_at(t_ms, zone)} lasts {(end - t_ms) / MINUTE:g} min")
        _judge_stretch(notes, truth, "hour", hours[t_ms], t_ms, end, zone)
        total += _number(hours[t_ms]["qty"])
        checked += truth.use(t_ms, end) or 0.0
    if not closed:
        _judge_sum(notes, truth, total)
    days = house.rows("usage_1d", **tags)
    for month in truth.world.months:
        for start, end in days_of(month, truth.world.zone) if month not in house.handed_in else ():
            row = days.get(start, {"qty": float("nan"), "completeness": 0.0, "estimated": 0.0})
            _judge_stretch(notes, truth, "day", row, start, end, zone)


def _judge_sum(notes, truth, total) -> None:
    right = sum(step.qty for step in truth.steps)
    if abs(total - right) > _near(truth, right):
        notes.say("conservation", f"{truth.head.name}: the hours sum to {total!r}, the registers to {right!r}")


def _judge_stretch(notes, truth, what, row, start, end, zone) -> None:
    name, at = truth.head.name, f"{truth.head.name} {what} {_at(start, zone)}"
    right, qty = truth.use(start, end), row["qty"]
    if (right is None) != isnan(qty):
        notes.say(f"{what} known or not", f"{at}: {qty!r} must be {right!r}")
    elif right is not None and abs(qty - right) > _near(truth, right) and not truth.is_vague(start, end):
        kind = "spread" if truth.has(start, end, "by_weeks") else "use"
        notes.say(f"{what} {kind}", f"{at}: {qty!r} must be {right!r}")
    times, length = truth.times(start, end), end - start
    measured, estimated = _number(row["completeness"]), _number(row.get("estimated", float("nan")))
    for share, how in ((measured, "measured"), (estimated, "estimated")):
        low, high = times[how] / length, (times[how] + times["open"]) / length
        if not low - SHARE <= share <= high + SHARE:
            notes.say(f"{what} time {how}", f"{at}: {share:.6f} must be {low:.6f} … {high:.6f}")
    if measured + estimated > 1 + SHARE:
        notes.say(f"{what} shares", f"{at}: {measured} and {estimated} are more than the time")
    if name and measured + estimated < (length - _missing(times, length)) / length - SHARE:
        notes.say(f"{what} shares", f"{at}: {measured} and {estimated} leave known time missing")


def _missing(times, length) -> int:
    return length - sum(times.values())


def _near(truth, right) -> float:
    """1e-9, or a few units in the last place of the register where that is more."""
    highest = max(truth.head.span or 0.0, truth.head.opening * truth.head.ratio, 1e5)
    return max(1e-7, 64 * highest * 2.0**-52, 1e-9 * abs(right))


def _clocks_change(t_ms, zone) -> bool:
    return local(t_ms - 1, zone).utcoffset() != local(t_ms + HOUR, zone).utcoffset()


def _number(x) -> float:
    return 0.0 if isnan(x) else x


def _at(t_ms, zone) -> str:
    return f"{local(t_ms, zone):%Y-%m-%d %H:%M%z}"


# Order


def _judge_order(notes, house, world, read) -> None:
    """All at once gives the same as what came in portions."""
    with Meterhouse(world) as other:
        names = {head.name: head.point for head in world.heads}
        other.take([(names[name], row) for name, rows in read.items() for row in rows])
        for rollup in ("usage_1h", "usage_1d", "building_1h", "building_1d"):
            for tags in (
                [{"meter": h.name} for h in world.heads]
                if rollup[0] == "u"
                else [{"utility": u} for u in {h.utility for h in world.heads}]
            ):
                _compare(notes, f"{rollup} {tags}", house.rows(rollup, **tags), other.rows(rollup, **tags), world)


def _compare(notes, what, ours, others, world) -> None:
    zone = ZoneInfo(world.zone)
    highest = max(head.span or head.opening * head.ratio for head in world.heads)
    near = max(1e-9, 4 * len(world.heads) * highest * 2.0**-52)
    for t_ms in sorted({*ours, *others}):
        a, b = ours.get(t_ms, {}), others.get(t_ms, {})
        for name in ("qty", "est_qty", "completeness", "estimated", "peak_kw", "cost"):
            absent = 0.0 if name in {"completeness", "estimated"} else float("nan")
            x, y = (absent if isnan(z) else z for z in (a.get(name, absent), b.get(name, absent)))
            if isnan(x) != isnan(y) or abs(x - y) > near * max(
                1.0, abs(x) / 100 if name in {"cost", "peak_kw"} else 1.0
            ):
                notes.say("order", f"{what} {_at(t_ms, zone)} {name}: {x!r} in portions, {y!r} at once")
