"""Devices that say their values as JSON on their own broker: states on every message, the rest at the meter's pace."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import structlog

from edge_agent.drivers.json_messages import decode_json
from facility.errors import DriverError
from facility.protocols.mqtt_json import JsonPoint, json_broker
from facility.quantities import Kind
from process.line import BrokerLine

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage

    from edge_agent.devices import Device
    from edge_agent.drivers.base import BusSeat

log = structlog.get_logger()

KEEPALIVE_S = 15


class MqttJsonDriver:
    """Subscribes to the topics of its devices. Retained messages are old news without a time and are not taken."""

    def __init__(self, seat: BusSeat) -> None:
        broker = json_broker(seat.bus)
        self._seat = seat
        self._devices: dict[str, list[Device]] = {}
        for device in seat.devices:
            for topic in {place.topic_of(device.meter.unit) for place in _places(device)}:
                self._devices.setdefault(topic, []).append(device)
        self._taken: dict[str, float] = {}
        self._paused = False
        self._refused: Counter[str] = Counter()
        # Devices and their bridges speak MQTT 3.1.1 everywhere; this line is theirs, not the upstream one, and its
        # broker gives us a name.
        self._line = BrokerLine(
            broker, "", up=self._subscribe, heard=self._message, version="3.1.1", facts={"bus": seat.bus.id}
        )

    def start(self) -> None:
        """Connect in the background."""
        self._line.start(KEEPALIVE_S)

    def stop(self) -> None:
        """Disconnect and join."""
        self._line.stop()

    def pause(self, *, paused: bool) -> None:
        """Drop what comes, or take it again."""
        self._paused = paused

    def state(self) -> str:
        """``ok``, ``paused`` or ``down``."""
        if not self._line.state.is_up:
            return "down"
        return "paused" if self._paused else "ok"

    def _subscribe(self) -> None:
        if self._devices:
            self._line.client.subscribe([(topic, 1) for topic in self._devices])

    def _message(self, message: MQTTMessage) -> None:
        if self._paused or message.retain:
            return
        t_ms, quality = self._seat.stamp()
        for device in self._devices.get(message.topic, ()):
            try:
                said = _values(device, message.topic, bytes(message.payload))
            except DriverError as error:
                self._refuse(device.meter.id, str(error))
                continue
            taken = [(p, t_ms, x, quality) for p, x in said.items() if self._is_due(device, p)]
            if taken:
                self._seat.put(taken)

    def _refuse(self, meter: str, error: str) -> None:
        """Log the first, second, fourth, eighth … message: a device that babbles does not fill the disk."""
        self._refused[meter] += 1
        count = self._refused[meter]
        if count & (count - 1) == 0:
            log.warning("device_message_refused", meter=meter, error=error, count=count)

    def _is_due(self, device: Device, point: str) -> bool:
        if device.places[point].quantity.kind in {Kind.STATE, Kind.EVENT}:
            return True
        now, poll_s = self._seat.monotonic(), device.meter.poll_s
        if now - self._taken.get(point, -poll_s) < poll_s:
            return False
        self._taken[point] = now
        return True


def _places(device: Device) -> list[JsonPoint]:
    return [place for place in device.places.values() if isinstance(place, JsonPoint)]


def _values(device: Device, topic: str, payload: bytes) -> dict[str, float]:
    """The values in a message of the device by point id. Raises ``DriverError`` if it is not JSON."""
    said = decode_json(_places(device), topic, payload, unit=device.meter.unit)
    return {point: said[place.name] for point, place in device.places.items() if place.name in said}
