"""Levels and states of the synthetic points at any instant: power, rooms, freezer, battery, doors, leaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from demo.faults import DOOR
from demo.noise import uniform, wobble
from demo.recording import HOUR_MS

if TYPE_CHECKING:
    from demo.axis import Axis
    from demo.recording import Recording

Times: TypeAlias = NDArray[np.int64]
Signal: TypeAlias = Callable[[Times], NDArray[np.float64]]
"""Values (n,) of a point at UTC instants (n,) in milliseconds."""

MINUTE_MS = 60_000
DOOR_SLOT_MS = 5 * MINUTE_MS
NOISE_SLOT_MS = 10_000


def gauges(axis: Axis, recording: Recording) -> dict[str, Signal]:
    """Point id → level, for every point that follows no counter."""
    signals: dict[str, Signal] = {"outdoor/temperature/total": _outdoor(axis, recording)}
    for phase, volts in (("l1", 239.5), ("l2", 241.0), ("l3", 240.2)):
        signals[f"b62-electricity/voltage/{phase}"] = _voltage(axis, phase, volts)
    for room, warmth, people in (("b33-office", 20.9, 520.0), ("b62-reading-room", 20.4, 760.0)):
        signals[f"{room}/temperature/total"] = _warmth(axis, room, warmth)
        signals[f"{room}/co2/total"] = _breath(axis, room, people)
    signals["b35-server-air/temperature/total"] = _steady(axis, "b35-server-air", 22.6, 0.5)
    signals["b62-freezer/temperature/total"] = _freezer(axis)
    signals["b35-ups/active_power/output"] = _ups_load(axis)
    signals["b35-ups/battery/total"] = _ups_battery(axis)
    signals["b33-door/door_open/door"] = _door(axis, "b33-door", DOOR.span_ms(axis.shift))
    signals["b77-door/door_open/door"] = _door(axis, "b77-door", (0, 0))
    for meter in ("b35-leak", "b62-leak"):
        signals[f"{meter}/leak/total"] = np.zeros_like
    for meter, charge in (("b33-door", 97.0), ("b77-door", 94.0), ("b35-leak", 100.0), ("b62-leak", 99.0)):
        signals[f"{meter}/battery/total"] = _cell(axis, charge)
    return {point: _as_float(signal) for point, signal in signals.items()}


def power(axis: Axis, meter: str, use: NDArray[np.float64]) -> Signal:
    """Power in W that fits each hour's use (hours,), with the unrest of real loads."""

    def level(t_ms: Times) -> NDArray[np.float64]:
        hour = np.clip((t_ms - axis.start_ms) // HOUR_MS, 0, axis.hours - 1)
        return use[hour] * 1000.0 * (1.0 + 0.015 * wobble(f"{meter} power", axis.shift.seed, t_ms // NOISE_SLOT_MS))

    return level


def _as_float(signal: Callable[[Times], NDArray[np.float64]]) -> Signal:
    return lambda t_ms: signal(t_ms).astype(np.float64)


def _outdoor(axis: Axis, recording: Recording) -> Signal:
    hourly = recording.series["temperature"][axis.recorded]
    edges = axis.edges_ms()[:-1]
    return lambda t_ms: np.interp(t_ms, edges, hourly)


def _voltage(axis: Axis, phase: str, volts: float) -> Signal:
    def level(t_ms: Times) -> NDArray[np.float64]:
        noise = wobble(f"voltage {phase}", axis.shift.seed, t_ms // NOISE_SLOT_MS)
        return volts - 2.0 * axis.occupancy(t_ms) + 0.8 * noise

    return level


def _lingering(axis: Axis, t_ms: Times) -> NDArray[np.float64]:
    """Occupancy as a room feels it: the mean of the last hour."""
    parts = [axis.occupancy(t_ms - minutes * MINUTE_MS) for minutes in (0, 20, 40, 60)]
    result: NDArray[np.float64] = np.mean(parts, axis=0)
    return result


def _warmth(axis: Axis, room: str, degrees: float) -> Signal:
    def level(t_ms: Times) -> NDArray[np.float64]:
        noise = wobble(f"{room} warmth", axis.shift.seed, t_ms // (10 * MINUTE_MS))
        return degrees - 1.4 * (1.0 - _lingering(axis, t_ms)) + 0.15 * noise

    return level


def _breath(axis: Axis, room: str, people: float) -> Signal:
    def level(t_ms: Times) -> NDArray[np.float64]:
        noise = wobble(f"{room} air", axis.shift.seed, t_ms // MINUTE_MS)
        return 428.0 + people * _lingering(axis, t_ms) + 9.0 * noise

    return level


def _steady(axis: Axis, name: str, level: float, spread: float) -> Signal:
    return lambda t_ms: level + spread * wobble(name, axis.shift.seed, t_ms // (5 * MINUTE_MS))


def _freezer(axis: Axis) -> Signal:
    """-20 °C with the compressor's saw-tooth of 36 minutes, and a defrost at 02:10, 10:10 and 18:10."""

    def level(t_ms: Times) -> NDArray[np.float64]:
        minute = axis.local_hour(t_ms) * 60.0
        since_defrost = (minute - 130.0) % 480.0
        defrost = np.interp(since_defrost, (0.0, 20.0, 60.0), (0.0, 6.5, 0.0))
        saw = np.interp(minute % 36.0, (0.0, 22.0, 36.0), (-0.7, 0.7, -0.7))
        return -20.0 + saw + defrost + 0.05 * wobble("freezer", axis.shift.seed, t_ms // NOISE_SLOT_MS)

    return level


def _ups_load(axis: Axis) -> Signal:
    def level(t_ms: Times) -> NDArray[np.float64]:
        noise = wobble("ups", axis.shift.seed, t_ms // NOISE_SLOT_MS)
        return 1420.0 + 90.0 * axis.occupancy(t_ms) + 25.0 * noise

    return level


def _ups_battery(axis: Axis) -> Signal:
    """Full, but for the self-test on Sundays at 03:00."""

    def level(t_ms: Times) -> NDArray[np.float64]:
        hour_of_week = (axis.shift.wall_ms(t_ms) / HOUR_MS + 72.0) % 168.0  # from Monday 00:00
        return 100.0 - np.interp(hour_of_week - 147.0, (0.0, 0.2, 2.0), (0.0, 7.0, 0.0))

    return level


def _door(axis: Axis, name: str, stays_open_ms: tuple[int, int]) -> Signal:
    """Open now and then for five minutes while people are about; in a fault all the time."""

    def state(t_ms: Times) -> NDArray[np.float64]:
        draw = uniform(name, axis.shift.seed, t_ms // DOOR_SLOT_MS)
        stuck = (t_ms >= stays_open_ms[0]) & (t_ms < stays_open_ms[1])
        return ((draw < 0.22 * axis.occupancy(t_ms)) | stuck).astype(np.float64)

    return state


def _cell(axis: Axis, charge: float) -> Signal:
    """A battery that loses one percent in 90 days."""
    return lambda t_ms: np.round(charge - (t_ms - axis.start_ms) / (90 * 24 * HOUR_MS))
