"""What befell one meter long before the injected faults: it was swapped, and its line was silent for twelve hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from demo.axis import make_axis
from demo.noise import uniform
from demo.recording import load_recording

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from demo.axis import Axis
    from demo.shift import Shift

METER = "b105-electricity"
OPENING = 3.2
"""What the new device showed when it was hung up."""

SWAPPED = datetime(2022, 10, 12, 10, 30)  # noqa: DTZ001 - recorded wall time
SILENCE = (datetime(2022, 10, 18, 20), datetime(2022, 10, 19, 8))  # noqa: DTZ001 - recorded wall time
"""The twelve hours in which the meter's line was down; the register went on."""


@dataclass(frozen=True, slots=True)
class Swap:
    """When the old device was taken down as shown, and the reads of both."""

    at: datetime
    closing: float
    opening: float = OPENING


def began(meter: str, seed: int) -> float:
    """What a register showed when the recording began: somewhere above zero."""
    chance = uniform(f"{meter} register", seed, np.zeros(1, dtype=np.int64))[0]
    return float(np.round(2000.0 + 8000.0 * chance))


def running_total(axis: Axis, meter: str, use: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the first device of a meter with this use (hours,) shows at each edge of the axis (hours + 1,)."""
    return began(meter, axis.shift.seed) + np.concatenate(([0.0], np.cumsum(use)))


def swap_of(shift: Shift) -> Swap:
    """The swap as shown; the closing read is what the old device's face showed, to a tenth."""
    recording = load_recording()
    axis = make_axis(shift, recording.start_ms, recording.hours)
    total = running_total(axis, METER, recording.filled("b105_electricity")[axis.recorded])
    at = shift.shown(SWAPPED)
    face = float(np.interp(round(at.timestamp() * 1000), axis.edges_ms(), total))
    return Swap(at, round(face, 1))


def silence_ms(shift: Shift) -> tuple[int, int]:
    """First and last (excluded) instant of the silence as shown."""
    start, end = (round(shift.shown(at).timestamp() * 1000) for at in SILENCE)
    return start, end
