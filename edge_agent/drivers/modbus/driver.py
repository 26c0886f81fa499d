"""Modbus over TCP, over a serial line (RTU), and RTU frames over TCP: one driver, chosen by URL."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.drivers.base import Answer, Ask
from edge_agent.drivers.modbus.exchange import Exchange
from edge_agent.drivers.modbus.frames import FUNCTIONS, Request, RtuFraming, TcpFraming
from edge_agent.drivers.modbus.network_line import TcpLine
from edge_agent.drivers.modbus.registers import decode_registers
from edge_agent.drivers.modbus.serial_line import WireLine
from edge_agent.drivers.modbus.spans import plan_spans
from facility.protocols.modbus.bus import SerialLine, modbus_line, modbus_unit
from facility.protocols.modbus.profile import ModbusProfile, RegisterPoint

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from edge_agent.devices import Device
    from edge_agent.drivers.base import BusSeat
    from edge_agent.drivers.modbus.frames import Reply
    from edge_agent.drivers.modbus.spans import Span

BUSY_EXCEPTIONS = {5, 6}
"""Acknowledge (it will take long), server device busy: Modbus application protocol V1.1b3, section 7."""

LACKS = {1, 2, 3}
"""Illegal function, address, value: the device has no such thing. Any other exception may be over the next time."""

LONGEST_PAUSE_S = 0.25
"""A busy device is asked once more after a quarter of the bus's timeout, or this."""


@dataclass(frozen=True, slots=True)
class BlockAsk(Ask):
    """One block of registers of the unit at an address."""

    unit: int
    span: Span


class ModbusDriver:
    """Reads blocks of registers; how bytes come and go is the exchange's."""

    def __init__(self, seat: BusSeat) -> None:
        """Raises ``ConfigError`` for a URL that names no line."""
        self._bus = seat.bus
        self._exchange = _exchange(seat)

    def plan(self, device: Device, points: Collection[str]) -> Sequence[BlockAsk]:
        """Few block reads: registers that lie close together are asked for at once."""
        assert isinstance(device.profile, ModbusProfile), f"{device.meter.id} was checked against its bus"
        places = {device.places[point]: point for point in points}
        registers = [place for place in places if isinstance(place, RegisterPoint)]
        unit, limits = modbus_unit(self._bus, device.meter.unit), device.profile
        spans = plan_spans(registers, max_registers=limits.max_registers, max_gap=limits.max_gap)
        return [BlockAsk(device, tuple(places[place] for place in span.points), unit, span) for span in spans]

    def answer(self, ask: BlockAsk) -> Answer:
        """Read one block; what the device calls unavailable is left out."""
        span = ask.span
        request = Request(ask.unit, FUNCTIONS[span.table], span.address, span.count)
        reply = self._patiently(request)
        if not reply.exception:
            return Answer(_values(ask, reply.words))
        why = dict.fromkeys(ask.points, f"exception {reply.exception} for {span.table} {span.address}+{span.count}")
        if reply.exception in BUSY_EXCEPTIONS:
            return Answer(put_off=why)
        return Answer(unread=why, may_pass=reply.exception not in LACKS)

    def confirm(self, device: Device) -> None:
        """Raise ``NoAnswerError`` where an answer of this poll could be one to another request."""
        del device
        self._exchange.confirm()

    def close(self) -> None:
        """Let the line go."""
        self._exchange.close()

    def _patiently(self, request: Request) -> Reply:
        reply = self._exchange.ask(request)
        if reply.exception in BUSY_EXCEPTIONS:
            time.sleep(min(self._bus.timeout_s / 4, LONGEST_PAUSE_S))
            reply = self._exchange.ask(request)
        return reply


def _exchange(seat: BusSeat) -> Exchange:
    line = modbus_line(seat.bus)
    if isinstance(line, SerialLine):
        return Exchange(seat.bus, WireLine(line, seat.bus.timeout_s), RtuFraming(), seat.monotonic)
    framing = RtuFraming() if line.has_rtu_frames else TcpFraming()
    return Exchange(seat.bus, TcpLine(line, seat.bus.timeout_s), framing, seat.monotonic)


def _values(ask: BlockAsk, words: Sequence[int]) -> dict[str, float]:
    """The numbers in a block of registers by point id."""
    meter, values = ask.device.meter, {}
    for point, place in zip(ask.points, ask.span.points, strict=True):
        start = place.address - ask.span.address
        part = words[start : start + place.coding.registers]
        value = decode_registers(place, part, ct_ratio=meter.ct_ratio, pt_ratio=meter.pt_ratio)
        if value is not None:
            values[point] = value
    return values
