"""The faults injected on top of the estate, so that alerts can be compared with what is known to be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from demo.shift import Shift


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """One injected fault. ``kind`` is the detector that must find it; times are recorded local wall times.

    ``also`` names meters of the same building on which the same fault may rightly be seen.
    """

    kind: str
    building: str
    meter: str
    onset: datetime
    end: datetime | None
    size: float
    what: str
    also: tuple[str, ...] = ()

    def span_ms(self, shift: Shift) -> tuple[int, int]:
        """First and last (excluded) instant as shown; a fault without end lasts beyond the data."""
        end = self.end or datetime(2023, 1, 1)  # noqa: DTZ001 - recorded wall time
        return _ms(shift.shown(self.onset)), _ms(shift.shown(end))

    def as_shown(self, shift: Shift) -> dict[str, Any]:
        """For reports: instants in UTC as shown, ``end`` None while the fault goes on."""
        return {
            "kind": self.kind,
            "building": self.building,
            "meter": self.meter,
            "also": list(self.also),
            "onset": shift.shown(self.onset).isoformat(),
            "end": shift.shown(self.end).isoformat() if self.end else None,
            "what": self.what,
        }


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _local(day: int, hour: int) -> datetime:
    return datetime(2022, 11, day, hour)  # noqa: DTZ001 - recorded wall time


SILENT = InjectedFault(
    "silent_meter", "b62", "b62-electricity", _local(14, 3), _local(15, 19), 40.0, "answers nothing for 40 hours"
)
STUCK = InjectedFault(
    "stuck_meter",
    "b57",
    "b57-electricity",
    _local(15, 10),
    _local(17, 20),
    58.0,
    "register stands still for 58 hours while power is drawn, then jumps to its true value",
)
LIGHTS = InjectedFault(
    "night_waste",
    "b77",
    "b77-lights",
    _local(18, 18),
    _local(21, 7),
    25.0,
    "25 kW of lights burn from Friday evening to Monday morning",
    also=("b77-electricity",),
)
LEAK = InjectedFault(
    "continuous_flow", "b35", "b35-water", _local(25, 22), None, 0.28, "0.28 m³/h run away day and night, still running"
)
DOOR = InjectedFault(
    "door_left_open",
    "b33",
    "b33-door",
    _local(23, 18),
    _local(24, 7),
    12.0,
    "door stands open for one night while 12 kW of lights burn",
    also=("b33-lights", "b33-electricity"),
)

FAULTS: tuple[InjectedFault, ...] = (SILENT, STUCK, LIGHTS, LEAK, DOOR)
"""Every injected fault. All begin within the 21 days before any day that can be shown as today."""


def injected(shift: Shift) -> list[dict[str, Any]]:
    """Every injected fault as shown."""
    return [fault.as_shown(shift) for fault in FAULTS]
