"""A counter's readings as one rising total: resets, roll-overs, steps back and false spells straightened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from accounting.courses import Courses
from accounting.local_time import HOUR_MS
from accounting.walk import Walk
from facility.register import RATE_FLOOR_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounting.arrays import Bools, Floats
    from accounting.local_time import Times
    from accounting.spells import Spell

JUDGED_BY_READINGS = 14
"""Readings on either side of a step that are enough to know the register's pace there."""

_FAST = 0.01
"""A share of the greatest flow ever accepted: 50 kW for electricity."""


@dataclass(frozen=True, slots=True)
class Total:
    """Straightened counter: times (n,), rising total (n,), and how the step into each reading is known.

    ``estimated``: what it adds is an estimate, however short it is; ``unread``: it leads from a device to another
    without the reads of a swap, so that nothing is known of what was used in it. ``spells`` are those that were found.
    """

    t_ms: Times
    total: Floats
    estimated: Bools
    unread: Bools
    spells: tuple[Spell, ...] = ()


def in_order(t_ms: Times, *columns: Any) -> tuple[Any, ...]:
    """Readings (n,) by time; of several at one instant the last given counts, so that (m,) come back, m ≤ n."""
    if len(t_ms) > 1 and not (np.diff(t_ms) > 0).all():
        order = np.argsort(t_ms, kind="stable")
        last = np.append(np.diff(t_ms[order]) > 0, True)
        return tuple(column[order][last] for column in (t_ms, *columns))
    return (t_ms, *columns)


def straightened(
    t_ms: Times,
    x: Floats,
    *,
    register_span: float | None = None,
    max_rate: float | Floats = np.inf,
    suspect: Bools | None = None,
    decided: Sequence[Spell] = (),
    is_new: bool = False,
    was_read: bool = False,
) -> Total:
    """The rising total of a register's readings (n,), whatever the register did meanwhile.

    ``max_rate``, in units an hour, bounds what one step may add: one figure, or one for each reading (n,). ``suspect``
    (n,) are readings that the edge doubted: what the newest of them rose by is in doubt until the edge believes one
    again. ``decided`` are spells about which a person decided. With ``is_new`` nothing was ever read before, and what
    the feeder can deliver is not known: where the register first rises it may have left a false value. With
    ``was_read`` somebody read the last of them off the device that was taken away. Vectorised over ordinary readings;
    only anomalies are walked one by one.
    """
    if suspect is None:
        suspect = np.zeros(len(x), np.bool_)
    rates = np.broadcast_to(np.asarray(max_rate, np.float64), x.shape)
    t_ms, x, suspect, rates = in_order(t_ms, x, suspect, rates)
    possible = np.ones(len(x), np.bool_)
    if register_span:
        possible = (x >= 0) & (x < register_span)  # no register shows more than its digits hold
    impossible_ms = t_ms[~possible]
    t_ms, x, suspect, rates = t_ms[possible], x[possible], suspect[possible], rates[possible]
    odd, first = anomalies(t_ms, x, rates, suspect), 0
    if is_new and (first := first_rise(t_ms, x, rates)):
        odd = np.union1d(odd, [first - 1])
    courses = Courses(t_ms, x, odd, register_span, rates, decided)
    Walk(courses, doubted_row(suspect), first, was_read=was_read).follow()
    t_ms, estimated = t_ms[courses.keep], courses.estimated[courses.keep]
    after = np.searchsorted(t_ms, impossible_ms)
    estimated[after[after < len(t_ms)]] = True
    return Total(t_ms, courses.total(), estimated, np.zeros(len(t_ms), np.bool_), courses.found())


def anomalies(t_ms: Times, x: Floats, max_rate: float | Floats = np.inf, suspect: Bools | None = None) -> Times:
    """Rows (k,) of readings (n,) in order whose successor is lower, more than the feeder can deliver, or in doubt.

    ``max_rate`` in units an hour, always or up to each reading (n,); ``suspect`` (n,) as in ``straightened``.
    """
    steps = np.diff(x)
    rates = np.broadcast_to(np.asarray(max_rate, np.float64), x.shape)[1:]
    found = (steps < 0) | (steps > np.maximum(np.diff(t_ms), RATE_FLOOR_MS) * (rates / HOUR_MS))
    if suspect is not None and 0 < (row := doubted_row(suspect)) < len(x):
        found[row - 1] = True
    return np.flatnonzero(found)


def first_rise(t_ms: Times, x: Floats, max_rate: float | Floats) -> int:
    """The row of readings (n,) at which a register that has shown one value only first rises, and fast; 0: none.

    Fast is above a hundredth of ``max_rate``, in units an hour.
    """
    moved = np.flatnonzero(x != x[:1])
    if not len(moved) or x[moved[0]] < x[0]:
        return 0
    k = int(moved[0])
    rate = float(np.broadcast_to(np.asarray(max_rate, np.float64), x.shape)[k])
    most = rate * max(int(t_ms[k] - t_ms[k - 1]), RATE_FLOOR_MS) / HOUR_MS
    return k if np.isfinite(most) and x[k] - x[k - 1] > most * _FAST else 0


def doubted_row(suspect: Bools) -> int:
    """The first of the newest readings that are all suspect, of (n,); n where the newest is not.

    Older ones are followed by a reading that the edge believes, and are judged by what came after them.
    """
    believed = np.flatnonzero(~suspect)
    return int(believed[-1]) + 1 if len(believed) else 0


def standstill(x: Floats, i: int) -> int:
    """The row of the first of the readings (n,) up to ``i`` that all show what reading ``i`` shows."""
    moved = np.flatnonzero(x[:i] != x[i])
    return int(moved[-1]) + 1 if len(moved) else 0
