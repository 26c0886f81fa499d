"""Devices that say their values as JSON on their own broker: states on every message, the rest at the meter's pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from edge_agent.clock import EARLIEST_MS
from edge_agent.drivers.json_messages import decode_json
from edge_agent.drivers.unread import Unread
from facility.broker_address import SECRETS
from facility.errors import DriverError
from facility.model import Quality
from facility.protocols.json_values import JsonPoint
from facility.protocols.mqtt_json import json_broker
from facility.protocols.topics import fault_of_topic
from facility.quantities import Kind
from process.line import BrokerLine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from paho.mqtt.client import MQTTMessage

    from edge_agent.devices import Device
    from edge_agent.drivers.base import BusSeat

log = structlog.get_logger()

KEEPALIVE_S = 15

MOST_AHEAD_MS, MOST_BEHIND_MS = 60_000, 31 * 86_400_000
"""What a message says of its time is believed from so long ago until so far ahead of our own clock."""


class MqttJsonDriver:
    """Subscribes to the topics of its devices.

    What a broker has kept of them is old news without a time: only states are taken from it, for they last.
    """

    def __init__(self, seat: BusSeat) -> None:
        broker = json_broker(seat.bus)
        if broker.password:
            log.warning("secret_in_site", bus=seat.bus.id, better=f"mqtts://user@host?{'=…, '.join(SECRETS)}=…")
        self._seat = seat
        self._unread = Unread()
        self._devices: dict[str, list[Device]] = {}
        self._points_at: dict[str, list[str]] = {}
        for device in seat.devices:
            for topic in self._topics(device):
                self._devices.setdefault(topic, []).append(device)
        self._believed: dict[str, float] = {}
        self._doubted: dict[str, float] = {}
        self._paused = False
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
        """``ok``, ``paused`` or ``down``, or what is heard and cannot be read."""
        if not self._line.state.is_up:
            return "down"
        return "paused" if self._paused else str(self._unread) or "ok"

    @property
    def is_mute(self) -> bool:
        """Whether there is no line to the broker."""
        return not (self._paused or self._line.state.is_up)

    def unread(self) -> Mapping[str, str]:
        """Why what is heard cannot be read, by point: where a message is refused whole, all that it could hold."""
        why = self._unread.why()
        return {point: reason for what, reason in why.items() for point in self._points_at.get(what, (what,))}

    def _topics(self, device: Device) -> Iterator[str]:
        """Where a device speaks. A topic that no broker lets pass would end the line of all: it is left out, alone."""
        spoken: dict[str, list[str]] = {}
        for point, place in device.places.items():
            if isinstance(place, JsonPoint):
                for topic in place.topics_of(device.meter.unit):
                    spoken.setdefault(topic, []).append(point)
        for topic, points in spoken.items():
            self._points_at[_at(device, topic)] = points
            if fault := fault_of_topic(topic):
                self._unread.note(_at(device, topic), f"the topic {fault}")
            else:
                yield topic

    def _subscribe(self) -> None:
        if self._devices:
            self._line.client.subscribe([(topic, 1) for topic in self._devices])

    def _message(self, message: MQTTMessage) -> None:
        if self._paused:
            return
        t_ms, quality = self._seat.stamp()
        if message.retain:
            quality = quality or Quality.TIME_ESTIMATED  # it was so before
        for device in self._devices.get(message.topic, ()):
            times: dict[str, int] = {}
            said = self._values(device, message.topic, bytes(message.payload), times)
            if message.retain:
                said = {p: x for p, x in said.items() if device.places[p].quantity.kind is Kind.STATE}
            stamped = {p: _stamped(times.get(device.places[p].name), t_ms, quality) for p in said}
            due = [p for p, x in said.items() if self._is_due(device, p, stamped[p][0], x)]
            if due:
                self._seat.put([(p, stamped[p][0], said[p], stamped[p][1]) for p in due])

    def _values(self, device: Device, topic: str, payload: bytes, times: dict[str, int]) -> dict[str, float]:
        """The values in a message of the device by point id; what cannot be read is noted.

        ``times`` is told by ``quantity/channel`` when the message says that they were true.
        """
        unread: dict[str, str] = {}
        try:
            said = decode_json(_places(device), topic, payload, unit=device.meter.unit, unread=unread, times=times)
        except DriverError as error:
            self._unread.note(_at(device, topic), str(error))
            return {}
        self._unread.clear(_at(device, topic))
        for point, place in device.places.items():
            if place.name in unread:
                self._unread.note(point, unread[place.name])
            elif place.name in said:
                self._unread.clear(point)
        return {point: said[place.name] for point, place in device.places.items() if place.name in said}

    def _is_due(self, device: Device, point: str, t_ms: int, x: float) -> bool:
        """Whether the meter's pace lets a value pass. What will not be believed does not take the turn of the truth."""
        if device.places[point].quantity.kind in {Kind.STATE, Kind.EVENT}:
            return True
        taken = self._believed if self._seat.is_plausible(point, t_ms, x) else self._doubted
        place, poll_s = device.places[point], device.meter.poll_s
        says_time = isinstance(place, JsonPoint) and place.time is not None
        now = t_ms / 1000 if says_time else self._seat.monotonic()  # what was held back comes at once
        if abs(now - taken.get(point, -poll_s)) < poll_s:
            return False
        taken[point] = now
        return True


def _stamped(said_ms: int | None, now_ms: int, quality: Quality) -> tuple[int, Quality]:
    """When a value was true: as the message says, or now where it says nothing. A time beyond belief is estimated.

    While our own clock is not known, nothing can be held against it: then it is now.
    """
    if said_ms is None or now_ms < EARLIEST_MS:
        return now_ms, quality
    is_believed = now_ms - MOST_BEHIND_MS <= said_ms <= now_ms + MOST_AHEAD_MS
    return (min(said_ms, now_ms), quality) if is_believed else (now_ms, Quality.TIME_ESTIMATED)


def _at(device: Device, topic: str) -> str:
    """What is told of a topic as a whole."""
    return f"{device.meter.id} at {topic}"


def _places(device: Device) -> list[JsonPoint]:
    return [place for place in device.places.values() if isinstance(place, JsonPoint)]
