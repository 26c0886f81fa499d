"""Lets in the readings that the registry knows and that can be true, and says why it refuses the others."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from facility.errors import Rejected
from facility.model import Quality, ReadingBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility.catalogue import Catalogue
    from facility.wire import Batch, Range

EARLIEST_MS = 946_684_800_000  # 2000-01-01T00:00Z
AHEAD_MS = 5 * 60 * 1000
"""A reading may be this far in the future: clocks differ."""

SENT_QUALITIES = frozenset(Quality) - {Quality.RETRACTED}
"""What an agent may say of a reading: only who handed one in takes it back."""

IN_FUTURE = "in_future"
REASONS = (
    "",
    "unknown_point",
    "foreign_point",
    "no_level",
    "not_finite",
    "out_of_range",
    "before_2000",
    IN_FUTURE,
    "unknown_quality",
)
"""Why a reading is refused, by code; the first that fits is told. Code 0: let in."""

_CODE = {reason: code for code, reason in enumerate(REASONS)}

Codes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
RuleColumns = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]

MOST_KNOWN = 256
"""Lists of points whose rules are kept at hand."""


class PointRule(NamedTuple):
    """What holds for one point: a reason against all its readings (or code 0), and its plausible range."""

    code: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Refused:
    """Readings of one batch that were refused for one reason, with their sequence numbers."""

    reason: str
    seq: list[int]
    readings: ReadingBatch


@dataclass(frozen=True, slots=True)
class Checked:
    """A batch divided into what is let in (None: nothing) and what is refused. ``seq`` numbers what is let in."""

    accepted: ReadingBatch | None
    seq: Sequence[int] = ()
    refused: tuple[Refused, ...] = ()


class Gate:
    """The registry as ingest needs it. It never changes; a new catalogue is a new gate."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.site = catalogue.site.id
        self._agents = frozenset(agent.id for agent in catalogue.agents)
        self._rules = {
            name: (catalogue.meter[point.meter].agent, PointRule(0 if point.level else _CODE["no_level"], *point.range))
            for name, point in catalogue.point.items()
        }
        self._points: dict[str, list[str]] = defaultdict(list)
        for point, (agent, _) in sorted(self._rules.items()):
            self._points[agent].append(point)
        self._known: dict[tuple[str, tuple[str, ...]], RuleColumns] = {}

    def points_of(self, agent: str) -> list[str]:
        """Ids of the points that an agent reads, in order."""
        return self._points.get(agent, [])

    def agent_of(self, point: str) -> str | None:
        """Who reads a point; empty: nobody but people; None: the estate has no such point."""
        return self._rules[point][0] if point in self._rules else None

    def admit(self, agent: str) -> None:
        """Raise ``Rejected`` for an agent that the estate does not have."""
        if agent not in self._agents:
            raise Rejected("unknown_agent", f"the estate has no agent '{agent}'")

    def check(self, batch: Batch, fresh: Sequence[Range], now_ms: int) -> Checked:
        """Divide the readings of ``batch`` whose numbers are in ``fresh``; the others were dealt with before."""
        try:
            p, t = np.array(batch.p, np.int64), np.array(batch.t, np.int64)
        except OverflowError:
            raise Rejected("malformed", "t holds a number beyond all times") from None
        x = np.array(batch.x, np.float64)
        code, low, high = self._rules_of(batch.dev, tuple(batch.points))
        ok = (code[p] == 0) & (x >= low[p]) & (x <= high[p]) & (t >= EARLIEST_MS) & (t <= now_ms + AHEAD_MS)
        if batch.q:
            ok &= _known_quality(batch.q)
        last = batch.first + len(x) - 1
        whole = list(fresh) == [(batch.first, last)]
        if whole and ok.all():
            return Checked(batch.readings(), range(batch.first, last + 1))
        reasons = np.where(code[p], code[p], _reasons(x, low[p], high[p], t, now_ms)).astype(np.uint8)
        reasons[ok] = 0
        return _divide(batch, reasons, _rows(batch, fresh))

    def _rules_of(self, agent: str, points: tuple[str, ...]) -> RuleColumns:
        """Code, lowest and highest value per point. An agent names the same points again and again."""
        key = (agent, points)
        if key not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            rules = [self._rule(point, agent) for point in points]
            code, low, high = zip(*rules, strict=True)
            self._known[key] = np.array(code), np.array(low, np.float64), np.array(high, np.float64)
        return self._known[key]

    def _rule(self, point: str, agent: str) -> PointRule:
        owner, rule = self._rules.get(point, (agent, PointRule(_CODE["unknown_point"], 0, 0)))
        return rule if owner == agent else PointRule(_CODE["foreign_point"], 0, 0)


@dataclass(slots=True)
class Doorway:
    """Where the gate of now stands. All parts look here, so that a changed estate holds for all of them at once."""

    gate: Gate


def _known_quality(q: list[int]) -> Mask:
    return np.array([code in SENT_QUALITIES for code in q])


def _reasons(
    x: npt.NDArray[np.float64],
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    t: npt.NDArray[np.int64],
    now_ms: int,
) -> npt.NDArray[np.int64]:
    """The first reason against each reading; what remains has a quality code that nobody knows."""
    return np.select(
        [~np.isfinite(x), (x < low) | (x > high), t < EARLIEST_MS, t > now_ms + AHEAD_MS],
        [_CODE[reason] for reason in ("not_finite", "out_of_range", "before_2000", IN_FUTURE)],
        _CODE["unknown_quality"],
    )


def _rows(batch: Batch, fresh: Sequence[Range]) -> Mask:
    rows = np.zeros(len(batch.x), bool)
    for first, last in fresh:
        rows[first - batch.first : last - batch.first + 1] = True
    return rows


def _divide(batch: Batch, reasons: Codes, rows: Mask) -> Checked:
    accepted = rows & (reasons == 0)
    return Checked(
        _part(batch, accepted) if accepted.any() else None,
        (np.flatnonzero(accepted) + batch.first).tolist(),
        tuple(_refused(batch, REASONS[code], rows & (reasons == code)) for code in np.unique(reasons[rows]) if code),
    )


def _refused(batch: Batch, reason: str, rows: Mask) -> Refused:
    return Refused(reason, [batch.first + int(i) for i in np.flatnonzero(rows)], _part(batch, rows))


def _part(batch: Batch, rows: Mask) -> ReadingBatch:
    return batch.readings().chosen(np.flatnonzero(rows).tolist())
