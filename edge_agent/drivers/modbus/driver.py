"""Modbus over TCP, TLS, UDP, over a serial line (RTU, ASCII), and RTU frames over TCP: one driver, chosen by URL."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.drivers.base import Answer, Ask, NoAnswerError
from edge_agent.drivers.lines import line_to
from edge_agent.drivers.modbus.exchange import Exchange
from edge_agent.drivers.modbus.frames import FUNCTIONS, Request, RtuFraming, TcpFraming
from edge_agent.drivers.modbus.registers import AmbiguousError, choose, decode_point
from edge_agent.drivers.modbus.spans import BlockLimits, plan_spans
from edge_agent.drivers.modbus.text_frames import AsciiFraming
from facility.protocols.lines import NetworkLine
from facility.protocols.modbus.bus import ASCII, modbus_line, modbus_unit
from facility.protocols.modbus.profile import ComposedPoint, EitherPoint, ModbusProfile, RegisterPoint

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from edge_agent.devices import Device
    from edge_agent.drivers.base import BusSeat
    from edge_agent.drivers.modbus.frames import Framing, Reply
    from edge_agent.drivers.modbus.registers import Held
    from edge_agent.drivers.modbus.spans import Span
    from facility.protocols.modbus.profile import PlacedPoint

BUSY_EXCEPTIONS = {5, 6}
"""Acknowledge (it will take long), server device busy: Modbus application protocol V1.1b3, section 7."""

LACKS = {1, 2, 3}
"""Illegal function, address, value: the device has no such thing. Any other exception may be over the next time."""

LONGEST_PAUSE_S = 0.25
"""A busy device is asked once more after a quarter of the bus's timeout, or this."""


@dataclass(frozen=True, slots=True)
class BlockAsk(Ask):
    """Blocks of registers of the unit at an address, mostly one, and what the points are read from there."""

    unit: int
    spans: tuple[Span, ...]
    places: tuple[PlacedPoint, ...]


@dataclass(frozen=True, slots=True)
class ProbeAsk(Ask):
    """A point that stands at one of several places: each is asked until it is known which one it is."""

    unit: int
    choices: tuple[BlockAsk, ...]


class _RefusedError(Exception):
    """A block was answered by an exception."""

    def __init__(self, code: int, span: Span) -> None:
        super().__init__(f"exception {code} for {span.table} {span.address}+{span.count}")
        self.code = code


class ModbusDriver:
    """Reads blocks of registers; how bytes come and go is the exchange's."""

    def __init__(self, seat: BusSeat) -> None:
        """Raises ``ConfigError`` for a URL that names no line."""
        self._bus, self._monotonic = seat.bus, seat.monotonic
        self._exchange = _exchange(seat)
        self._asked_s: dict[int, float] = {}
        self._chosen: dict[str, int] = {}

    def plan(self, device: Device, points: Collection[str]) -> Sequence[BlockAsk | ProbeAsk]:
        """Few block reads: registers that lie close together are asked for at once."""
        assert isinstance(device.profile, ModbusProfile), f"{device.meter.id} was checked against its bus"
        unit, limits = modbus_unit(self._bus, device.meter.unit), BlockLimits.of(device.profile)
        known: dict[PlacedPoint, str] = {}
        probes: list[ProbeAsk] = []
        for point in points:
            place = device.places[point]
            if isinstance(place, EitherPoint) and point in self._chosen:
                place = place.choices[self._chosen[point]]
            if isinstance(place, EitherPoint):
                each = tuple(_asks(device, unit, {choice: point}, limits)[0] for choice in place.choices)
                probes.append(ProbeAsk(device, (point,), unit, each))
            elif isinstance(place, RegisterPoint | ComposedPoint):
                known[place] = point
        return [*_asks(device, unit, known, limits), *probes]

    def answer(self, ask: BlockAsk | ProbeAsk) -> Answer:
        """Read one block; what the device calls unavailable is left out."""
        if isinstance(ask, ProbeAsk):
            return self._probe(ask)
        try:
            return Answer(_values(ask, self._read(ask)))
        except _RefusedError as error:
            why = dict.fromkeys(ask.points, str(error))
            if error.code in BUSY_EXCEPTIONS:
                return Answer(put_off=why)
            return Answer(unread=why, may_pass=error.code not in LACKS)

    def confirm(self, device: Device) -> None:
        """Raise ``NoAnswerError`` where an answer of this poll could be one to another request."""
        del device
        self._exchange.confirm()

    def close(self) -> None:
        """Let the line go."""
        self._exchange.close()

    def _probe(self, ask: ProbeAsk) -> Answer:
        """Ask at every place; where only one says something that is it, from now on."""
        point = ask.points[0]
        if point in self._chosen:
            return self.answer(ask.choices[self._chosen[point]])
        answers: list[Answer] = []
        silence: NoAnswerError | None = None
        for choice in ask.choices:
            try:
                answers.append(self.answer(choice))
            except NoAnswerError as error:  # some devices say nothing where they have nothing
                silence = error
                answers.append(Answer())
        if silence and not any(one.values or one.unread or one.put_off for one in answers):
            raise silence
        if late := next((one for one in answers if one.put_off or one.may_pass), None):
            return late  # which place it is would be guessed
        try:
            found = choose([one.values.get(point) for one in answers])
        except AmbiguousError as error:
            return Answer(unread={point: str(error)})
        if found is None:
            refused = all(one.unread for one in answers)
            return answers[0] if refused else Answer()
        index, value = found
        if value and not silence:
            self._chosen[point] = index
        return Answer({point: value})

    def _read(self, ask: BlockAsk) -> Held:
        """All words of an ask's blocks. Raises ``_RefusedError``."""
        held: Held = {}
        for span in ask.spans:
            self._pause(ask)
            reply = self._patiently(Request(ask.unit, FUNCTIONS[span.table], span.address, span.count))
            self._asked_s[ask.unit] = self._monotonic()
            if reply.exception:
                raise _RefusedError(reply.exception, span)
            held.update(((span.table, span.address + i), word) for i, word in enumerate(reply.words))
        return held

    def _pause(self, ask: BlockAsk) -> None:
        """Some devices need a moment between two requests."""
        assert isinstance(ask.device.profile, ModbusProfile)
        pause_s = ask.device.profile.pause_s
        if pause_s and ask.unit in self._asked_s:
            time.sleep(min(max(self._asked_s[ask.unit] + pause_s - self._monotonic(), 0.0), pause_s))

    def _patiently(self, request: Request) -> Reply:
        reply = self._exchange.ask(request)
        if reply.exception in BUSY_EXCEPTIONS:
            time.sleep(min(self._bus.timeout_s / 4, LONGEST_PAUSE_S))
            reply = self._exchange.ask(request)
        return reply


def _exchange(seat: BusSeat) -> Exchange:
    place = modbus_line(seat.bus)
    framing: Framing = AsciiFraming() if seat.bus.scheme == ASCII else RtuFraming()
    if isinstance(place, NetworkLine) and not place.has_rtu_frames:
        framing = TcpFraming()
    return Exchange(seat.bus, line_to(place, seat.bus.timeout_s), framing, seat.monotonic)


def _asks(device: Device, unit: int, points: dict[PlacedPoint, str], limits: BlockLimits) -> list[BlockAsk]:
    """The asks that fetch points at known places, by their ids."""
    asks = []
    for spans in plan_spans(points, limits):
        places = spans[0].points
        asks.append(BlockAsk(device, tuple(points[place] for place in places), unit, spans, places))
    return asks


def _values(ask: BlockAsk, held: Held) -> dict[str, float]:
    """The numbers in blocks of registers by point id."""
    meter, values = ask.device.meter, {}
    for point, place in zip(ask.points, ask.places, strict=True):
        value = decode_point(place, held, ct_ratio=meter.ct_ratio, pt_ratio=meter.pt_ratio)
        if value is not None:
            values[point] = value
    return values
