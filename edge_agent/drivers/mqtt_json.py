"""Devices that say their values as JSON on their own broker: states on every message, the rest at the meter's pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.drivers.broker_listener import BrokerListener, Turns, stamped, topic_of
from edge_agent.drivers.json_messages import decode_json
from facility.errors import DriverError
from facility.model import Quality
from facility.protocols.json_values import JsonPoint
from facility.protocols.mqtt_json import json_broker
from facility.protocols.topics import fault_of_topic
from facility.quantities import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paho.mqtt.client import MQTTMessage

    from edge_agent.devices import Device
    from edge_agent.drivers.base import BusSeat


class MqttJsonDriver(BrokerListener):
    """Subscribes to the topics of its devices.

    What a broker has kept of them is old news without a time: only states are taken from it, for they last.
    """

    def __init__(self, seat: BusSeat) -> None:
        super().__init__(seat, json_broker(seat.bus), self._subscribe, self._message)
        self._turns = Turns(seat)
        self._devices: dict[str, list[Device]] = {}
        for device in seat.devices:
            for topic in self._topics(device):
                self._devices.setdefault(topic, []).append(device)

    def _topics(self, device: Device) -> Iterator[str]:
        """Where a device speaks. A topic that no broker lets pass would end the line of all: it is left out, alone."""
        spoken: dict[str, list[str]] = {}
        for point, place in device.places.items():
            if isinstance(place, JsonPoint):
                for topic in place.topics_of(device.meter.unit):
                    spoken.setdefault(topic, []).append(point)
        for topic, points in spoken.items():
            self._points_at[topic_of(device, topic)] = points
            if fault := fault_of_topic(topic):
                self._unread.note(topic_of(device, topic), f"the topic {fault}")
            else:
                yield topic

    def _subscribe(self) -> None:
        if self._devices:
            self._line.client.subscribe([(topic, 1) for topic in self._devices])

    def _message(self, message: MQTTMessage) -> None:
        t_ms, quality = self._seat.stamp()
        if message.retain:
            quality = quality or Quality.TIME_ESTIMATED  # it was so before
        for device in self._devices.get(message.topic, ()):
            times: dict[str, int] = {}
            said = self._values(device, message.topic, bytes(message.payload), times)
            if message.retain:
                said = {p: x for p, x in said.items() if device.places[p].quantity.kind is Kind.STATE}
            moments = {p: stamped(times.get(device.places[p].name), t_ms, quality) for p in said}
            due = [p for p, x in said.items() if self._is_due(device, p, moments[p][0], x)]
            if due:
                self._seat.put([(p, moments[p][0], said[p], moments[p][1]) for p in due])

    def _values(self, device: Device, topic: str, payload: bytes, times: dict[str, int]) -> dict[str, float]:
        """The values in a message of the device by point id; what cannot be read is noted.

        ``times`` is told by ``quantity/channel`` when the message says that they were true.
        """
        unread: dict[str, str] = {}
        try:
            said = decode_json(_places(device), topic, payload, unit=device.meter.unit, unread=unread, times=times)
        except DriverError as error:
            self._unread.note(topic_of(device, topic), str(error))
            return {}
        self._unread.clear(topic_of(device, topic))
        for point, place in device.places.items():
            if place.name in unread:
                self._unread.note(point, unread[place.name])
            elif place.name in said:
                self._unread.clear(point)
        return {point: said[place.name] for point, place in device.places.items() if place.name in said}

    def _is_due(self, device: Device, point: str, t_ms: int, x: float) -> bool:
        place = device.places[point]
        says_time = isinstance(place, JsonPoint) and place.time is not None
        return self._turns.is_due(device, point, t_ms, x, says_time=says_time)


def _places(device: Device) -> list[JsonPoint]:
    return [place for place in device.places.values() if isinstance(place, JsonPoint)]
