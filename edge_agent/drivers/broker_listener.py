"""What drivers share that hear devices on a broker: the line, when a value was true, and whose turn it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from edge_agent.clock import EARLIEST_MS
from edge_agent.drivers.unread import Unread
from facility.broker_address import SECRETS
from facility.model import Quality
from facility.quantities import Kind
from process.line import BrokerLine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from paho.mqtt.client import MQTTMessage

    from edge_agent.devices import Device
    from edge_agent.drivers.base import BusSeat
    from facility.broker_address import BrokerAddress

log = structlog.get_logger()

KEEPALIVE_S = 15

MOST_AHEAD_MS, MOST_BEHIND_MS = 60_000, 31 * 86_400_000
"""What a message says of its time is believed from so long ago until so far ahead of our own clock."""


class BrokerListener:
    """A line to the devices' broker. Whoever listens subscribes when it is up, and takes messages in its own way."""

    def __init__(
        self, seat: BusSeat, broker: BrokerAddress, up: Callable[[], None], heard: Callable[[MQTTMessage], None]
    ) -> None:
        if broker.password:
            log.warning("secret_in_site", bus=seat.bus.id, better=f"mqtts://user@host?{'=…, '.join(SECRETS)}=…")
        self._seat, self._unread, self._paused, self._take = seat, Unread(), False, heard
        self._points_at: dict[str, list[str]] = {}
        # Devices and their bridges speak MQTT 3.1.1 everywhere; this line is theirs, not the upstream one, and its
        # broker gives us a name.
        self._line = BrokerLine(broker, "", up=up, heard=self._hear, version="3.1.1", facts={"bus": seat.bus.id})

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

    def _hear(self, message: MQTTMessage) -> None:
        if not self._paused:
            self._take(message)


class Turns:
    """Whether the meter's pace lets a value pass. What will not be believed does not take the turn of the truth."""

    def __init__(self, seat: BusSeat) -> None:
        self._seat = seat
        self._believed: dict[str, float] = {}
        self._doubted: dict[str, float] = {}

    def is_due(self, device: Device, point: str, t_ms: int, x: float, *, says_time: bool) -> bool:
        """``says_time``: the message said when it was so; what was held back then comes at once."""
        if device.places[point].quantity.kind in {Kind.STATE, Kind.EVENT}:
            return True
        taken = self._believed if self._seat.is_plausible(point, t_ms, x) else self._doubted
        poll_s = device.meter.poll_s
        now = t_ms / 1000 if says_time else self._seat.monotonic()
        if abs(now - taken.get(point, -poll_s)) < poll_s:
            return False
        taken[point] = now
        return True


def stamped(said_ms: int | None, now_ms: int, quality: Quality) -> tuple[int, Quality]:
    """When a value was true: as the message says, or now where it says nothing. A time beyond belief is estimated.

    While our own clock is not known, nothing can be held against it: then it is now.
    """
    if said_ms is None or now_ms < EARLIEST_MS:
        return now_ms, quality
    is_believed = now_ms - MOST_BEHIND_MS <= said_ms <= now_ms + MOST_AHEAD_MS
    return (min(said_ms, now_ms), quality) if is_believed else (now_ms, Quality.TIME_ESTIMATED)


def topic_of(device: Device, topic: str) -> str:
    """What is told of a topic as a whole."""
    return f"{device.meter.id} at {topic}"
