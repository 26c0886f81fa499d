"""A device as its bus sees it: the meter, what it is asked for, and how its answers are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.decode import decode_json, decode_registers
from edge_agent.spans import plan_spans
from facility.errors import ConfigError
from facility.profile import JsonPoint, RegisterPoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_agent.spans import Span
    from facility.catalogue import Catalogue
    from facility.model import Meter, Point
    from facility.profile import DeviceProfile


@dataclass(frozen=True, slots=True)
class Device:
    """One meter with its points as the profile describes them; ``points`` is keyed ``(quantity word, channel)``."""

    meter: Meter
    spans: tuple[Span, ...]
    messages: tuple[JsonPoint, ...]
    points: Mapping[tuple[str, str], Point]

    @property
    def topics(self) -> frozenset[str]:
        """Topics on which an MQTT device speaks."""
        return frozenset(point.topic.replace("{unit}", self.meter.unit) for point in self.messages)

    def read_span(self, span: Span, words: Sequence[int]) -> list[tuple[Point, float]]:
        """The values in a block of registers; what the device calls unavailable is left out."""
        values = []
        for place in span.points:
            start = place.address - span.address
            part = words[start : start + place.coding.registers]
            value = decode_registers(place, part, ct_ratio=self.meter.ct_ratio, pt_ratio=self.meter.pt_ratio)
            if value is not None:
                values.append((self.points[place.quantity.word, place.channel], value))
        return values

    def read_message(self, topic: str, payload: bytes) -> list[tuple[Point, float]]:
        """The values in a message of the device."""
        said = decode_json(self.messages, topic, payload, unit=self.meter.unit)
        return [(self.points[key], value) for key, value in said.items()]


def devices_of(catalogue: Catalogue, profiles: Mapping[str, DeviceProfile], bus: str) -> tuple[Device, ...]:
    """The devices on one bus of an agent's extract."""
    return tuple(
        _device(meter, catalogue.points_of(meter.id), profiles[meter.profile])
        for agent in catalogue.agents
        for meter in catalogue.meters_on(agent.id, bus)
    )


def _device(meter: Meter, points: Sequence[Point], profile: DeviceProfile) -> Device:
    places = [profile.find(point.quantity, point.channel) for point in points]
    registers = [place for place in places if isinstance(place, RegisterPoint)]
    if registers and not (meter.unit.isdecimal() and int(meter.unit) <= 255):  # noqa: PLR2004 - one byte on the wire
        raise ConfigError(f"meter {meter.id}: unit '{meter.unit}' is no Modbus address (allowed: 0 … 255)")
    return Device(
        meter=meter,
        spans=plan_spans(registers, max_registers=profile.max_registers, max_gap=profile.max_gap),
        messages=tuple(place for place in places if isinstance(place, JsonPoint)),
        points={(point.quantity.word, point.channel): point for point in points},
    )
