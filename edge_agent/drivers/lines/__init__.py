"""Ways to devices that bytes go and come on: TCP connections, UDP sockets and serial lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.drivers.lines.datagrams import UdpLine
from edge_agent.drivers.lines.network import TcpLine
from edge_agent.drivers.lines.serial import WireLine
from facility.protocols.lines import SerialLine

if TYPE_CHECKING:
    from edge_agent.drivers.lines.line import Line
    from facility.protocols.lines import NetworkLine


def line_to(place: NetworkLine | SerialLine, timeout_s: float) -> Line:
    """The line that a bus's URL names; nothing is opened yet."""
    if isinstance(place, SerialLine):
        return WireLine(place, timeout_s)
    return UdpLine(place) if place.is_datagrams else TcpLine(place, timeout_s)
