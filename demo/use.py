"""Use of every counter in every shown hour: recorded where a real meter stands behind it, else computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from demo.faults import DOOR, LEAK, LIGHTS
from demo.noise import uniform, wobble
from demo.recording import HOUR_MS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from demo.axis import Axis
    from demo.faults import InjectedFault
    from demo.recording import Recording

HOURLY = "hourly use"
ODD_HOURS = 0.07
"""Share of the hours without people in which a tap runs for a moment."""


def hourly_use(axis: Axis, recording: Recording) -> dict[str, NDArray[np.float64]]:
    """Meter id → kWh or m³ in each hour of the axis (hours,), faults included."""
    use = _recorded(axis, recording)
    use |= _lights(axis, use)
    use |= _water(axis)
    use |= _server_room(axis, recording)
    use |= _canteen(axis, use["b62-gas"])
    return use


def recorded_gaps(axis: Axis, recording: Recording) -> dict[str, NDArray[np.bool_]]:
    """Meter id → the hours of the axis (hours,) in which the real meter said nothing."""
    missing = {_meter(name): np.isnan(hourly) for name, hourly in recording.series.items()}
    return {meter: gaps[axis.recorded] for meter, gaps in missing.items() if gaps.any()}


def _meter(series: str) -> str:
    return series.replace("_", "-")


def _recorded(axis: Axis, recording: Recording) -> dict[str, NDArray[np.float64]]:
    names = [name for name in recording.series if name != "temperature"]
    return {_meter(name): recording.filled(name)[axis.recorded] for name in names}


def during(axis: Axis, fault: InjectedFault) -> NDArray[np.bool_]:
    """The hours of the axis (hours,) that lie in a fault (faults begin and end on whole hours)."""
    start, end = fault.span_ms(axis.shift)
    begins = axis.edges_ms()[:-1]
    return (begins >= start) & (begins < end)


def _busy(axis: Axis) -> NDArray[np.float64]:
    """Occupancy in the middle of each hour."""
    return axis.occupancy(axis.edges_ms()[:-1] + HOUR_MS // 2)


def _random(axis: Axis, name: str) -> NDArray[np.float64]:
    """A uniform number for each hour; hours are counted in recorded time, so that a new date keeps the pattern."""
    return uniform(f"{name} {HOURLY}", axis.shift.seed, np.arange(axis.hours, dtype=np.int64))


def _lights(axis: Axis, heads: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Lighting sub-meters; what burns in vain is also on top of the building's head meter."""
    result = {}
    for meter, head, full, fault in (
        ("b77-lights", "b77-electricity", 24.0, LIGHTS),
        ("b33-lights", "b33-electricity", 11.0, DOOR),
    ):
        normal = full * (0.04 + 0.92 * _busy(axis)) * (0.97 + 0.06 * _random(axis, meter))
        burning = np.where(during(axis, fault), np.maximum(normal, fault.size), normal)
        result[meter] = burning
        result[head] = heads[head] + burning - normal
    return result


def _water(axis: Axis) -> dict[str, NDArray[np.float64]]:
    """Offices draw water when somebody is there; at night and on days off a tap runs now and then."""
    result = {}
    for meter, peak in (("b35-water", 0.85), ("b62-water", 0.60), ("b77-water", 0.35)):
        chance, amount = _random(axis, meter), _random(axis, f"{meter} amount")
        busy = _busy(axis)
        daytime = peak * busy * (0.7 + 0.6 * amount)
        odd = np.where(chance < ODD_HOURS, 0.006 + 0.02 * amount, 0.0)
        result[meter] = np.where(busy > 0.0, daytime, odd)
    result[LEAK.meter] = result[LEAK.meter] + LEAK.size * during(axis, LEAK)
    return result


def _server_room(axis: Axis, recording: Recording) -> dict[str, NDArray[np.float64]]:
    """Computing load, and with it the whole room: cooling and losses grow with the outdoor temperature."""
    slow = np.convolve(_random(axis, "b35-server-it"), np.full(24, 1 / 24), mode="same")
    computing = 34.0 + 1.5 * _busy(axis) + 2.0 * (slow - 0.5)
    outdoor = recording.series["temperature"][axis.recorded]
    effectiveness = 1.44 + 0.006 * np.maximum(outdoor - 5.0, 0.0)
    return {"b35-server-it": computing, "b35-server-room": computing * effectiveness}


def _canteen(axis: Axis, building_gas: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Gas (m³) and electricity (kWh) of a kitchen: breakfast and, above all, lunch, on working days.

    The kitchen is ours and the building's gas is real: it never burns more than half of what the building took.
    """
    middle = axis.edges_ms()[:-1] + HOUR_MS // 2
    hour = axis.local_hour(middle)
    meals = np.interp(hour, (6.5, 7.5, 9.0, 10.0, 11.5, 13.0, 14.5), (0.0, 0.55, 0.3, 0.45, 1.0, 0.8, 0.0))
    cooking = meals * axis.working(middle)
    level = 0.85 + 0.3 * _random(axis, "b62-canteen-gas")
    base = 2.4 + 0.15 * wobble(f"b62-kitchen {HOURLY}", axis.shift.seed, np.arange(axis.hours, dtype=np.int64))
    gas = np.minimum(5.5 * cooking * level, 0.5 * building_gas)
    return {"b62-canteen-gas": gas, "b62-kitchen": base + 16.0 * cooking * level}
