"""Battery sensors and a power meter that publish JSON over MQTT, as their makers document."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from demo.face import held
from facility.broker_address import broker_address
from facility.protocols.json_values import JsonPoint
from facility.quantities import Kind
from process.line import BrokerLine
from process.mqtt import own_client_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from demo.world import World
    from facility.model import Meter

TICK_S = 1.0
KEEPALIVE_S = 20


class Sender:
    """One publishing device: when it is due, and what it says."""

    def __init__(self, world: World, meter: Meter) -> None:
        """Take the meter's points; nothing has been said yet."""
        self._world = world
        self._meter = meter
        self._points = world.catalogue.points_of(meter.id)
        self._every_ms = round(meter.poll_s * 250)  # four times as often as expected, so that some may be lost
        self._said_at_ms = 0
        self._said_states: tuple[float, ...] = ()

    def due(self, now_ms: int) -> bool:
        """Whether it is time to speak, or a state has changed."""
        if not self._world.answers(self._meter.id, np.array([now_ms]))[0]:
            return False
        return now_ms - self._said_at_ms >= self._every_ms or self._states(now_ms) != self._said_states

    def messages(self, now_ms: int) -> dict[str, str]:
        """Topic → JSON text of everything the device says; it is not due again until it has news."""
        self._said_at_ms, self._said_states = now_ms, self._states(now_ms)
        trees: dict[str, dict[str, Any]] = {}
        instant = np.array([now_ms])
        for point in self._points:
            place = self._world.offered(point)
            assert isinstance(place, JsonPoint), f"{point.id} is on an MQTT bus"
            number = float(held(place, self._world.true_values(point, instant))[0])
            tree = trees.setdefault(place.topics_of(self._meter.unit)[0], {})
            for key in place.path[:-1]:
                tree = tree.setdefault(key, {})
            tree[place.path[-1]] = _word(place, number) if place.words else number
        return {topic: json.dumps(tree) for topic, tree in trees.items()}

    def _states(self, now_ms: int) -> tuple[float, ...]:
        states = [point for point in self._points if point.quantity.kind is Kind.STATE]
        return tuple(float(self._world.true_values(point, np.array([now_ms]))[0]) for point in states)


def _word(place: JsonPoint, number: float) -> object:
    """The JSON value that stands for a number."""
    word = next(word for word, meaning in place.words.items() if meaning == number)
    try:
        return json.loads(word)
    except ValueError:
        return word


class Radio:
    """All publishing devices of the estate, through one connection with credentials of its own."""

    def __init__(self, url: str, senders: Sequence[Sender], clock: Callable[[], int]) -> None:
        """Nothing connects before ``open``. Raises ``ConfigError`` for a URL that names no broker."""
        address = broker_address(url, "METERHOUSE_DEVICES_BROKER", needs_credentials=False)
        self._senders = senders
        self._clock = clock
        self._line = BrokerLine(address, own_client_id(address, "devices"))
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect in the background, again and again, and begin to publish."""
        self._line.start(KEEPALIVE_S)
        self._task = asyncio.create_task(self._publish())

    async def close(self) -> None:
        """Say goodbye."""
        if self._task is not None:
            self._task.cancel()
        await asyncio.to_thread(self._line.stop)

    async def _publish(self) -> None:
        while True:
            now_ms = self._clock()
            for sender in self._senders if self._line.state.is_up else ():
                if sender.due(now_ms):
                    for topic, payload in sender.messages(now_ms).items():
                        self._line.client.publish(topic, payload, qos=0)
            await asyncio.sleep(TICK_S)
