"""Modbus over TCP, over a serial line (RTU), and RTU frames over TCP: one driver, chosen by URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pymodbus.exceptions import ConnectionException, ModbusException

from edge_agent.drivers.base import Answer, Ask, BusDownError, NoAnswerError
from edge_agent.drivers.modbus.line import make_client
from edge_agent.drivers.modbus.registers import decode_registers
from edge_agent.drivers.modbus.serial_line import SerialLineClient
from edge_agent.drivers.modbus.spans import plan_spans
from facility.protocols.modbus.bus import modbus_unit
from facility.protocols.modbus.profile import ModbusProfile, RegisterPoint, RegisterTable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pymodbus.pdu import ModbusPDU

    from edge_agent.devices import Device
    from edge_agent.drivers.base import BusSeat
    from edge_agent.drivers.modbus.spans import Span

FUNCTIONS = {RegisterTable.HOLDING: 3, RegisterTable.INPUT: 4}
EXCEPTION = 0x80
"""Is added to the function code of a request that is refused."""

GATEWAY_EXCEPTIONS = {10, 11}
"""Gateway path unavailable, target did not answer: Modbus application protocol V1.1b3, section 7."""


@dataclass(frozen=True, slots=True)
class BlockAsk(Ask):
    """One block of registers of the unit at an address."""

    unit: int
    span: Span


class ModbusDriver:
    """Reads blocks of registers. Any silence on TCP closes the connection, so that a late answer hits nobody."""

    def __init__(self, seat: BusSeat) -> None:
        self._bus = seat.bus
        self._client = make_client(seat.bus)

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
        span, reply = ask.span, self._read(ask)
        if reply.function_code & ~EXCEPTION != FUNCTIONS[span.table]:
            raise NoAnswerError(f"unit {ask.unit}: function {reply.function_code} came for {span.table} registers")
        if reply.isError():
            if reply.exception_code in GATEWAY_EXCEPTIONS:
                raise NoAnswerError(f"unit {ask.unit}: exception {reply.exception_code}")
            why = f"exception {reply.exception_code} for {span.table} {span.address}+{span.count}"
            return Answer(unread=dict.fromkeys(ask.points, why))
        if len(reply.registers) != span.count:
            raise NoAnswerError(f"unit {ask.unit}: {len(reply.registers)} of {span.count} registers came")
        return Answer(_values(ask, reply.registers))

    def close(self) -> None:
        """Let the line go."""
        self._client.close()  # type: ignore[no-untyped-call]

    def _read(self, ask: BlockAsk) -> ModbusPDU:
        if not self._client.connect():
            raise BusDownError(f"{self._bus.url} cannot be opened")
        is_input = ask.span.table is RegisterTable.INPUT
        read = self._client.read_input_registers if is_input else self._client.read_holding_registers
        try:
            return read(ask.span.address, count=ask.span.count, device_id=ask.unit)
        except ConnectionException as error:
            self.close()
            raise NoAnswerError(f"unit {ask.unit}: {error.string}") from None
        except ModbusException as error:
            if not isinstance(self._client, SerialLineClient):
                self.close()
            raise NoAnswerError(f"unit {ask.unit}: {error.string}") from None
        except OSError as error:  # pymodbus lets a reset by the device through
            self.close()
            raise NoAnswerError(f"unit {ask.unit}: {error.strerror}") from None


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
