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
) -> Total:
    """The rising total of a register's readings (n,), whatever the register did meanwhile.

    ``max_rate``, in units an hour, bounds what one step may add: one figure, or one for each reading (n,). ``suspect``
    (n,) are readings that the edge doubted: a rise into one is in doubt until the register goes on. ``decided`` are
    spells about which a person decided. Vectorised over ordinary readings; only anomalies are walked one by one.
    """
    if suspect is None:
        suspect = np.zeros(len(x), np.bool_)
    rates = np.broadcast_to(np.asarray(max_rate, np.float64), x.shape)
    t_ms, x, suspect, rates = in_order(t_ms, x, suspect, rates)
    if register_span and len(x) and (x.max() >= register_span or x.min() < 0):
        possible = (x >= 0) & (x < register_span)  # no register shows more than its digits hold
        t_ms, x, suspect, rates = t_ms[possible], x[possible], suspect[possible], rates[possible]
    courses = Courses(t_ms, x, anomalies(t_ms, x, rates, suspect), rates, decided)
    Walk(courses, register_span, suspect).follow()
    kept, total = courses.keep, courses.total()
    return Total(t_ms[kept], total, courses.estimated[kept], np.zeros(len(total), np.bool_), courses.found())


def anomalies(t_ms: Times, x: Floats, max_rate: float | Floats = np.inf, suspect: Bools | None = None) -> Times:
    """Rows (k,) of readings (n,) in order whose successor is lower, more than the feeder can deliver, or suspect.

    ``max_rate`` in units an hour, always or up to each reading (n,).
    """
    steps = np.diff(x)
    rates = np.broadcast_to(np.asarray(max_rate, np.float64), x.shape)[1:]
    found = (steps < 0) | (steps > np.maximum(np.diff(t_ms), RATE_FLOOR_MS) * (rates / HOUR_MS))
    if suspect is not None:
        found |= suspect[1:] & ~suspect[:-1] & (steps > 0)
    return np.flatnonzero(found)


def standstill(x: Floats, i: int) -> int:
    """The row of the first of the readings (n,) up to ``i`` that all show what reading ``i`` shows."""
    moved = np.flatnonzero(x[:i] != x[i])
    return int(moved[-1]) + 1 if len(moved) else 0
