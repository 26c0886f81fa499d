"""What a detector may see: the estate and its readings up to one instant, never later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from facility.work import Evidence, Finding
from stores.readings.port import Series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from accounting.spells import Spell
    from analytics.suspicion.trouble import Trouble
    from facility.catalogue import Catalogue
    from facility.model import Building, Meter, Point
    from facility.quantities import Quantity, Utility
    from facility.work import Excess, Severity

EVIDENCE_DAYS = 7

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CounterUse:
    """Use of one counter per hour, in its utility's unit, oldest hour first; all arrays (n,).

    NaN where missing or not expected yet. An hour that a change of the clocks cuts short is given as what a whole one
    would have used at its pace.
    """

    meter: Meter
    point: str
    utility: Utility
    t_ms: Times
    qty: Floats
    expected: Floats
    lo: Floats
    hi: Floats
    price: Floats  # money per unit in that hour
    unoccupied: Flags
    skipped: int = 0
    """How many hours of the window lie before its first."""

    troubles: tuple[Trouble, ...] = ()
    """What is wrong in these hours; rows are of these arrays."""

    score: Floats | None = None
    """How suspicious each hour of the whole window is, (n,): above 1 it is told; NaN where nothing is known."""

    def until(self, hours: int) -> CounterUse:
        """The same without what lies after so many hours of the window: views, nothing is copied."""
        hours = max(hours - self.skipped, 0)
        return CounterUse(
            self.meter,
            self.point,
            self.utility,
            self.t_ms[:hours],
            self.qty[:hours],
            self.expected[:hours],
            self.lo[:hours],
            self.hi[:hours],
            self.price[:hours],
            self.unoccupied[:hours],
            self.skipped,
            self.troubles,
        )

    @property
    def excess(self) -> Floats:
        """Use above what was expected, negative below, (n,), in the utility's unit."""
        return np.asarray(self.qty - self.expected, np.float64)


@dataclass(frozen=True)
class Window:
    """Everything read once for a stretch of time; scenes of any instant inside are cut from it.

    The site's hours lie between ``edges_ms`` (hours + 1,), ms UTC; arrays by the hour are (hours,). ``seen_ms`` holds
    per meter and hour the time of the newest reading up to the end of that hour, 0 where there was none yet;
    ``states`` the readings of doors and leak sensors; ``open_hours`` per building the hours in which its security
    sensors are not armed. ``named_ms`` is since when the estate has each meter, where that is known; ``seen_from_ms``
    is from when on readings were looked for, and ``seen_skipped`` how many hours of the window lie before ``seen_ms``;
    ``heard_ms`` is, where somebody listens, when each meter was heard since.
    """

    catalogue: Catalogue
    edges_ms: Times
    uses: Mapping[str, CounterUse]
    seen_ms: Mapping[str, Times]
    states: Mapping[str, Series]
    open_hours: Mapping[str, Flags]
    named_ms: Mapping[str, int] = field(default_factory=dict)
    seen_from_ms: int = 0
    seen_skipped: int = 0
    heard_ms: Mapping[str, int] = field(default_factory=dict)
    levels: Mapping[str, Floats] = field(default_factory=dict)
    """Mean of each hour of gauges that are looked at (``analytics.levels``), by point; NaN where nothing was read."""

    levels_skipped: int = 0
    """How many hours of the window lie before them."""

    spells: Mapping[str, Sequence[Spell]] = field(default_factory=dict)
    """What accounting found of registers, oldest first, by counter: of those that have any."""

    @property
    def levels_end_ms(self) -> int:
        """Up to when levels are known, ms UTC; 0 where there are none."""
        hours = max(map(len, self.levels.values()), default=0)
        return int(self.edges_ms[self.levels_skipped + hours]) if hours else 0

    @property
    def hours(self) -> int:
        """How many hours there are."""
        return len(self.edges_ms) - 1

    def hour_of(self, t_ms: int) -> int:
        """Which hour an instant lies in: -1 before the first, ``hours`` after the last."""
        return int(np.searchsorted(self.edges_ms, t_ms, side="right")) - 1

    def scene(self, now: datetime) -> Scene:
        """What could be seen at ``now``."""
        return Scene(self, now)


@dataclass(frozen=True)
class Scene:
    """The estate as known at ``now`` (aware UTC). Hours count when they have ended."""

    window: Window
    now: datetime

    @property
    def catalogue(self) -> Catalogue:
        """The estate."""
        return self.window.catalogue

    @cached_property
    def now_ms(self) -> int:
        """``now`` in milliseconds since 1970."""
        return round(self.now.timestamp() * 1000)

    @cached_property
    def hours(self) -> int:
        """Number of whole hours that have ended."""
        return max(self.window.hour_of(self.now_ms), 0)

    def uses(self, *utilities: Utility, when: Callable[[CounterUse, int], bool] | None = None) -> Iterator[CounterUse]:
        """Hourly use of every accounted counter of these utilities (of all if none is named).

        ``when`` is asked first, with a whole column and the row of the last hour that has ended: of the others
        nothing is cut, nor of those that had none.
        """
        for use in self.window.uses.values():
            last = self.hours - use.skipped - 1
            if (not utilities or use.utility in utilities) and (when is None or (last >= 0 and when(use, last))):
                yield self._until_now(use)

    @cached_property
    def _cut(self) -> dict[str, CounterUse]:
        """Every counter's use up to now that was asked for: several detectors ask for it."""
        return {}

    def _until_now(self, use: CounterUse) -> CounterUse:
        if use.point not in self._cut:
            self._cut[use.point] = use.until(self.hours)
        return self._cut[use.point]

    def readings(self, quantity: Quantity) -> Iterator[tuple[Point, Series]]:
        """Readings up to ``now`` of every state point of that quantity."""
        for point_id, series in self.window.states.items():
            point = self.catalogue.point[point_id]
            if point.quantity is quantity:
                k = int(np.searchsorted(series.t_ms, self.now_ms, side="right"))
                yield point, Series(series.t_ms[:k], series.x[:k], series.q[:k])

    def levels(self, quantity: Quantity) -> Iterator[tuple[Point, Floats]]:
        """Mean levels of the hours that have ended, of each such point of which there are any, (hours,)."""
        hours = self.hours - self.window.levels_skipped
        for point_id, level in self.window.levels.items():
            point = self.catalogue.point[point_id]
            if point.quantity is quantity and 0 < hours <= len(level):
                yield point, level[:hours]

    def hour_ms(self, row: int) -> int:
        """When an hour began, counted from the one that lasts: -1 is the last that has ended; ms UTC."""
        return int(self.window.edges_ms[self.hours + row])

    def seen(self, meter: str) -> Times:
        """Time of the newest reading at the end of each hour, (hours,); 0 where there was none yet."""
        return self.window.seen_ms[meter][: self._hours_seen]

    def last_seen(self) -> dict[str, int]:
        """Time of every meter's newest reading up to the last hour that has ended, or heard since; 0: none yet."""
        last, heard_ms = self._hours_seen - 1, self.window.heard_ms
        if last < 0:
            return {meter: heard_ms.get(meter, 0) for meter in self.window.seen_ms}
        return {meter: max(int(times[last]), heard_ms.get(meter, 0)) for meter, times in self.window.seen_ms.items()}

    @cached_property
    def _hours_seen(self) -> int:
        return max(self.hours - self.window.seen_skipped, 0)

    def is_open(self, building: Building, t_ms: int) -> bool:
        """Whether a building was inside its opening hours."""
        hour, flags = self.window.hour_of(t_ms), self.window.open_hours[building.id]
        return bool(0 <= hour < len(flags) and flags[hour])

    def closed_since(self, building: Building, most_h: int) -> int:
        """When the last opening hours of a building that is closed now ended, ``most_h`` hours ago at most; ms UTC."""
        now = self.window.hour_of(self.now_ms - 1)
        first = max(now - most_h, 0)
        opened = np.flatnonzero(self.window.open_hours[building.id][first:now])
        return int(self.window.edges_ms[first + opened[-1] + 1 if len(opened) else first])

    def evidence(self, point: str, show: str = "usage", days: int = EVIDENCE_DAYS) -> Evidence:
        """The last days of a point, to be drawn."""
        return Evidence(point, self.now - timedelta(days=days), self.now, show)

    def finding(
        self,
        detector: str,
        point: str,
        since_ms: int,
        *evidence: Evidence,
        severity: Severity,
        confidence: float,
        excess: Excess | None = None,
        utility: Utility | None = None,
        message: str = "",
        **params: str | float,
    ) -> Finding:
        """What a detector says of a point now; ``params`` beside meter, building and ``since_at`` fill its texts."""
        meter, since = self.catalogue.meter[self.catalogue.point[point].meter], instant(since_ms)
        named = {"meter": meter.id, "building": meter.building, "since_at": since.isoformat()}
        return Finding(
            detector=detector,
            point=point,
            meter=meter.id,
            building=meter.building,
            since=since,
            seen_at=self.now,
            severity=severity,
            confidence=confidence,
            evidence=evidence,
            params={**named, **params},
            excess=excess,
            utility=utility,
            message=message,
        )


def instant(t_ms: int) -> datetime:
    """Milliseconds since 1970 as aware UTC."""
    return datetime.fromtimestamp(t_ms / 1000, UTC)
