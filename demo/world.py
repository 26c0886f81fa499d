"""The demo's world: what every point of the estate shows at any instant, the same at every start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from demo.axis import Axis, make_axis
from demo.face import shown
from demo.faults import SILENT, STUCK
from demo.gauges import gauges, power
from demo.recording import load_recording
from demo.upkeep import METER, running_total, silence_ms, swap_of
from demo.use import hourly_use, recorded_gaps
from facility.errors import ConfigError
from facility.quantities import Quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from demo.gauges import Signal, Times
    from demo.shift import Shift
    from demo.upkeep import Swap
    from facility.catalogue import Catalogue
    from facility.model import Point
    from facility.profile import DeviceProfile, ProfilePoint


class World:
    """Every point as a function of time; nothing here depends on when it is asked.

    Counters go up by the hour's use, evenly inside the hour. While a recorded meter said nothing, its register
    goes on (filled from neighbouring weeks) but the meter does not answer.
    """

    def __init__(self, shift: Shift, catalogue: Catalogue, profiles: Mapping[str, DeviceProfile]) -> None:
        """Lay the recording under the shift. Raises ``ConfigError`` for a point that nobody has described."""
        recording = load_recording()
        self.catalogue = catalogue
        self.profiles = profiles
        self.axis = make_axis(shift, recording.start_ms, recording.hours)
        self._use = hourly_use(self.axis, recording)
        self._gaps = recorded_gaps(self.axis, recording)
        self._silences = {SILENT.meter: SILENT.span_ms(shift), METER: silence_ms(shift)}
        self._swap = swap_of(shift)
        levels = gauges(self.axis, recording)
        self._signals = {point.id: self._signal(point, levels) for point in catalogue.points}

    def values(self, point: Point, t_ms: Times) -> NDArray[np.float64]:
        """What the device shows of a point at UTC instants (n,), in the quantity's unit."""
        return shown(self.offered(point), self.true_values(point, t_ms))

    def true_values(self, point: Point, t_ms: Times) -> NDArray[np.float64]:
        """What there is to show (n,), before the device rounds it."""
        return self._signals[point.id](t_ms)

    def offered(self, point: Point) -> ProfilePoint:
        """Where the point's device says it."""
        meter = self.catalogue.meter[point.meter]
        offered = self.profiles[meter.profile].find(point.quantity, point.channel)
        assert offered is not None, f"site.yaml was checked against the profiles: {point.id}"
        return offered

    def answers(self, meter: str, t_ms: Times) -> NDArray[np.bool_]:
        """Whether a meter answers at UTC instants (n,): not where the recording has a gap, nor while it is silenced."""
        answers = self.axis.inside(t_ms)
        if meter in self._gaps:
            answers &= ~self._gaps[meter][self.axis.hour_of(t_ms)]
        if meter in self._silences:
            start, end = self._silences[meter]
            answers &= (t_ms < start) | (t_ms >= end)
        return answers

    def _signal(self, point: Point, levels: Mapping[str, Signal]) -> Signal:
        if point.id in levels:
            return levels[point.id]
        if point.meter in self._use and point.quantity.is_counter:
            return register(self.axis, point.meter, self._use[point.meter], self._swap)
        if point.meter in self._use and point.quantity is Quantity.ACTIVE_POWER:
            return power(self.axis, point.meter, self._use[point.meter])
        raise ConfigError(f"demo/site.yaml names {point.id}, which the demo's world does not know")


def register(axis: Axis, meter: str, use: NDArray[np.float64], swap: Swap) -> Signal:
    """A counter of this use (hours,), begun above 0; the stuck meter's stands still, the swapped one's starts anew."""
    total, edges = running_total(axis, meter, use), axis.edges_ms()
    swapped_ms = round(swap.at.timestamp() * 1000)
    stuck = STUCK.span_ms(axis.shift) if meter == STUCK.meter else None

    def reading(t_ms: Times) -> NDArray[np.float64]:
        seen = t_ms if stuck is None else np.where((t_ms >= stuck[0]) & (t_ms < stuck[1]), stuck[0], t_ms)
        level: NDArray[np.float64] = np.interp(seen, edges, total)
        if meter == METER:
            level = np.where(t_ms >= swapped_ms, level - swap.closing + swap.opening, level)
        return level

    return reading
