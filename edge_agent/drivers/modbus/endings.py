"""How a request may end without its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.drivers.base import BusDownError, NoAnswerError
from edge_agent.drivers.lines.line import LineAbsentError
from facility.errors import DriverError

if TYPE_CHECKING:
    from edge_agent.drivers.lines.line import LineClosedError
    from edge_agent.drivers.modbus.frames import Request
    from facility.catalogue import Bus


class OtherwiseError(DriverError):
    """Something came, and it is not the answer."""


def without_answer(bus: Bus, request: Request, error: LineClosedError) -> DriverError:
    """What it means for a request that its line was closed: the device is silent, or nobody listens there at all."""
    if isinstance(error, LineAbsentError):
        return BusDownError(f"{bus.url} cannot be reached: {error}")
    return NoAnswerError(f"unit {request.unit}: {error}")
