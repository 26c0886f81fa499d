"""Ways to devices that bytes go and come on: TCP connections and serial lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.drivers.lines.network import TcpLine
from edge_agent.drivers.lines.serial import WireLine
from facility.protocols.lines import SerialLine

if TYPE_CHECKING:
    from edge_agent.drivers.lines.line import Line
    from facility.protocols.lines import NetworkLine


def line_to(place: NetworkLine | SerialLine, timeout_s: float) -> Line:
    """The line that a bus's URL names; nothing is opened yet."""
    return WireLine(place, timeout_s) if isinstance(place, SerialLine) else TcpLine(place, timeout_s)
