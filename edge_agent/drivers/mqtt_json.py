"""Devices that say their values as JSON on their own broker: states on every message, the rest at the meter's pace."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import structlog
from paho.mqtt.client import Client, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.callbacks import CallbackGuard
from edge_agent.drivers.json_messages import decode_json
from facility.errors import DriverError
from facility.protocols.mqtt_json import JsonPoint, json_broker
from facility.quantities import Kind

if TYPE_CHECKING:
    from paho.mqtt.client import ConnectFlags, DisconnectFlags
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from edge_agent.devices import Device
    from edge_agent.drivers.base import BusSeat

log = structlog.get_logger()

KEEPALIVE_S = 15


class MqttJsonDriver:
    """Subscribes to the topics of its devices. Retained messages are old news without a time and are not taken."""

    def __init__(self, seat: BusSeat) -> None:
        broker = json_broker(seat.bus)
        self._seat, self._host, self._port = seat, broker.host, broker.port
        self._devices: dict[str, list[Device]] = {}
        for device in seat.devices:
            for topic in {place.topic_of(device.meter.unit) for place in _places(device)}:
                self._devices.setdefault(topic, []).append(device)
        self._taken: dict[str, float] = {}
        self._paused, self._up = False, False
        self._refused: Counter[str] = Counter()
        guard = self.guard = CallbackGuard()
        # Devices and their bridges speak MQTT 3.1.1 everywhere; this link is theirs, not the upstream one.
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
        if broker.user:
            self._client.username_pw_set(broker.user, broker.password)
        self._client.reconnect_delay_set(1, 30)
        self._client.on_connect = guard(self._connected)
        self._client.on_connect_fail = guard(self._failed)
        self._client.on_disconnect = guard(self._disconnected)
        self._client.on_message = guard(self._message)
        self._told = ""

    def start(self) -> None:
        """Connect in the background."""
        self._client.connect_async(self._host, self._port, KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect and join."""
        self._client.disconnect()
        self._client.loop_stop()

    def pause(self, *, paused: bool) -> None:
        """Drop what comes, or take it again."""
        self._paused = paused

    def state(self) -> str:
        """``ok``, ``paused`` or ``down``."""
        if not self._up:
            return "down"
        return "paused" if self._paused else "ok"

    def _tell(self, what: str) -> None:
        """One line per change, not per attempt."""
        if what != self._told:
            log.info("device_broker", bus=self._seat.bus.id, state=what)
        self._told = what

    def _connected(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        if reason.is_failure:
            self._tell(f"refused: {reason}")
            return
        if self._devices:
            client.subscribe([(topic, 1) for topic in self._devices])
        self._up = True
        self._tell("up")

    def _failed(self, _client: Client, _data: object) -> None:
        self._tell("unreachable")

    def _disconnected(
        self, _client: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        self._up = False
        if reason.is_failure:
            self._tell(f"lost: {reason}")

    def _message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
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
