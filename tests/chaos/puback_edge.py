"""The known-bad design, for the rig alone: an edge agent that frees its rows when the broker says that it has them.

It is the product's agent with another MQTT client: one that makes an application acknowledgement out of every PUBACK
and swallows those of ingest. A rig that does not see this design lose readings proves nothing.
"""

from __future__ import annotations

import sys
from threading import Lock
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_agent import __main__ as edge
from facility import wire
from facility.ranges import RangeSet
from process import mqtt as factory
from process.client import SturdyClient

if TYPE_CHECKING:
    from facility.wire import Range

STORE_ID = "the broker's word"


class TrustingClient(SturdyClient):
    """Tells the agent at each PUBACK what only ingest may tell."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._carries: dict[int, tuple[list[Range], bool]] = {}
        self._confirmed_early: set[int] = set()
        self._lock = Lock()  # never held while paho is called: it has locks of its own
        self._done, self._epoch, self._tell = RangeSet(), "", None
        super().__init__(*args, **kwargs)

    def publish(self, topic: str, payload: bytes, **kwargs: Any) -> mqtt.MQTTMessageInfo:
        """As ever, and remember which numbers the packet carries."""
        what = topic.rpartition("/")[2]
        carried = self._read(what, payload)
        message = super().publish(topic, payload, **kwargs)
        with self._lock:
            self._carries[message.mid] = carried, what != "status"  # ingest answers greetings too
            is_confirmed = message.mid in self._confirmed_early
        if is_confirmed:
            self._confirm(message.mid)
        return message

    @property
    def on_publish(self) -> Any:
        """What is called at a PUBACK."""
        return mqtt.Client.on_publish.fget(self)

    @on_publish.setter
    def on_publish(self, callback: Any) -> None:
        def confirm(client: Any, data: Any, mid: int, reason: Any, properties: Any) -> None:
            callback(client, data, mid, reason, properties)
            if not reason.is_failure:
                self._confirm(mid)

        mqtt.Client.on_publish.fset(self, confirm)

    @property
    def on_message(self) -> Any:
        """What is called for a message."""
        return mqtt.Client.on_message.fget(self)

    @on_message.setter
    def on_message(self, callback: Any) -> None:
        def without_acknowledgements(client: Any, data: Any, message: mqtt.MQTTMessage) -> None:
            if "/ack/" not in message.topic:
                callback(client, data, message)

        self._tell = callback
        mqtt.Client.on_message.fset(self, without_acknowledgements)

    def _read(self, what: str, payload: bytes) -> list[Range]:
        if what == "status":
            return []
        if what == "hello":
            hello = wire.decode(wire.Hello, payload)
            self._epoch = hello.ep
            with self._lock:
                self._done.add(1, hello.pending[0][0] - 1 if hello.pending else hello.newest)
            return []
        if b'"tomb":' in payload:
            return [(stone.start, stone.end) for stone in wire.decode(wire.Tombstones, payload).tomb]
        batch = wire.decode(wire.Batch, payload)
        return [(batch.first, batch.first + len(batch.x) - 1)]

    def _confirm(self, mid: int) -> None:
        with self._lock:
            if mid not in self._carries:
                self._confirmed_early.add(mid)
                return
            carried, is_answered = self._carries.pop(mid)
            self._confirmed_early.discard(mid)
            for first, last in carried:
                self._done.add(first, last)
            gap = self._done.gap_from(1, 2**62)
            hw = gap[0] - 1
        if is_answered:
            self._acknowledge(hw, carried)

    def _acknowledge(self, hw: int, ranges: list[Range]) -> None:
        ack = wire.Ack(v=wire.VERSION, store_id=STORE_ID, epoch=self._epoch, journal_hw=hw, store_hw=hw, ranges=ranges)
        message = mqtt.MQTTMessage(topic=wire.ack_topic(self._client_id.decode()).encode())
        message.payload = wire.encode(ack)
        message.properties = Properties(PacketTypes.PUBLISH)
        message.properties.UserProperty = [(wire.CRC_PROPERTY, wire.crc(message.payload))]
        self._tell(self, None, message)


if __name__ == "__main__":
    factory.SturdyClient = TrustingClient
    sys.exit(edge.main())
