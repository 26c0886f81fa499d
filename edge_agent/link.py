"""The line to the broker: MQTT 5, one upstream connection whose name is the agent's, opened again whenever it is lost.

Each connection has a client of its own: paho keeps what has no PUBACK over reconnects and sends it first, an oversize
message for ever. paho's network thread only puts what arrives in a queue.
"""

from __future__ import annotations

import queue
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

from facility import wire
from facility.broker_address import broker_address
from facility.errors import ConfigError
from process.callbacks import CallbackGuard
from process.line import LineState, what_failed
from process.mqtt import Patience, checksum, make_client

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

KEEPALIVE_S = 5
PACKET_OVERHEAD_BYTES = 64
"""Fixed header, packet id, and the checksum as a user property; the topic comes on top."""
FAREWELL_S = 1.0

Word = Literal["connected", "refused", "lost", "ack", "command", "published"]
What = Literal["live", "backlog", "hello", "status"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came: a message with its checksum, or a reason code of the broker (and what it is about)."""

    word: Word
    payload: bytes = b""
    crc: str | None = None
    code: int = 0
    mid: int = 0
    max_packet_bytes: int = 0
    said: str = ""


class Link:
    """One broker, one name. ``mind`` is called now and then by our own thread, ``arrived`` is read by it."""

    def __init__(self, url: str, agent: str, wake: Callable[[], None], monotonic: Callable[[], float]) -> None:
        """Constructing is not connecting.

        Raises ``ConfigError`` for a URL that names no broker, and for files of TLS that cannot be used.
        """
        self._broker = broker_address(url, needs_credentials=False)
        self._agent, self._wake = agent, wake
        self.arrived: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        self.guard = CallbackGuard()
        self.state = LineState(self._broker, monotonic)
        self.connects = 0
        self._client: Client | None = None
        self._ended = False
        self._patience, self._open_at = Patience(), 0.0
        self._make_client()

    def mind(self, now: float) -> None:
        """Open a connection if there is none and it is time; throw one away that has ended."""
        if self._client is not None and self._ended:
            self._discard()
            self._open_at = now + self._patience.next_s()
        if self._client is None and now >= self._open_at:
            self._open(now)

    def welcomed(self) -> None:
        """The broker has let us in: the next loss is followed by a short wait again."""
        self._patience.begin_anew()
        self.state.welcomed()

    def lost(self, arrival: Arrival) -> None:
        """The connection has ended."""
        self.state.lost(arrival.code, arrival.said)

    @property
    def is_up(self) -> bool:
        """Whether the broker has let us in, as far as our own thread has heard."""
        return self.state.is_up

    def publish(self, what: What, payload: bytes) -> int:
        """Hand a message to the connection and return its packet id, or 0 if there is none now."""
        if self._client is None or not self.is_up:
            return 0
        topic = wire.up_topic(self._agent, what)
        return self._client.publish(topic, payload, qos=1, properties=checksum(payload)).mid

    def payload_bytes(self, max_packet_bytes: int) -> int:
        """The longest payload that a broker takes, which takes so long a packet (0: it did not say)."""
        longest = max_packet_bytes - PACKET_OVERHEAD_BYTES - len(wire.up_topic(self._agent, "backlog"))
        return min(longest, wire.MAX_PAYLOAD_BYTES) if max_packet_bytes else wire.MAX_PAYLOAD_BYTES

    def close(self, farewell: bytes) -> None:
        """Say goodbye, if there is anybody, and end."""
        if self._client is not None and self.is_up:
            topic = wire.up_topic(self._agent, "status")
            with suppress(RuntimeError, ValueError):  # the link has gone meanwhile
                message = self._client.publish(topic, farewell, qos=1, properties=checksum(farewell))
                message.wait_for_publish(FAREWELL_S)
        self.state.lost(0, "")
        if self._client is not None:
            self._discard()

    def _open(self, now: float) -> None:
        """Files of TLS are read anew each time; they cannot be used while somebody renews them."""
        try:
            client = self._make_client()
        except ConfigError as error:
            self.state.unreachable(str(error))
            self._open_at = now + self._patience.next_s()
            return
        self._ended, self._client = False, client
        self.connects += 1
        client.connect_async(self._broker.host, self._broker.port, KEEPALIVE_S, clean_start=True)
        client.loop_start()

    def _discard(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _make_client(self) -> Client:
        client = make_client(self._broker, self._agent, reconnect_on_failure=False)
        last_will = wire.encode(wire.Status(v=wire.VERSION, dev=self._agent, state="offline"))
        client.will_set(
            wire.up_topic(self._agent, "status"), last_will, 1, properties=checksum(last_will, PacketTypes.WILLMESSAGE)
        )
        client.on_connect = self.guard(self._on_connect, self._give_up)
        client.on_connect_fail = self.guard(self._on_connect_fail)
        client.on_disconnect = self.guard(self._on_disconnect)
        client.on_message = self.guard(self._on_message)
        client.on_publish = self.guard(self._on_publish)
        return client

    # What paho's thread does: note and leave.

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, more: Properties | None
    ) -> None:
        if reason.is_failure:
            self.state.refused(str(reason))
            self._arrive(client, Arrival("refused", code=reason.value))
            return
        options = SubscribeOptions(qos=1)
        client.subscribe([(wire.ack_topic(self._agent), options), (wire.command_topic(self._agent), options)])
        self._arrive(client, Arrival("connected", max_packet_bytes=getattr(more, "MaximumPacketSize", 0)))

    def _on_connect_fail(self, client: Client, _data: object) -> None:
        self.state.unreachable(what_failed())
        self._end(client)

    def _on_disconnect(
        self, client: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        self._arrive(client, Arrival("lost", code=reason.value, said=str(reason)))
        self._end(client)

    def _on_message(self, client: Client, _data: object, message: MQTTMessage) -> None:
        if not message.retain:
            word: Word = "ack" if message.topic == wire.ack_topic(self._agent) else "command"
            stated = wire.stated_crc(getattr(message.properties, "UserProperty", []))
            self._arrive(client, Arrival(word, bytes(message.payload), stated))

    def _on_publish(
        self, client: Client, _data: object, mid: int, reason: ReasonCode, _more: Properties | None
    ) -> None:
        self._arrive(client, Arrival("published", code=reason.value, mid=mid, said=str(reason)))

    def _arrive(self, client: Client, arrival: Arrival) -> None:
        if client is self._client:  # not of a connection that has been thrown away
            self.arrived.put(arrival)
            self._wake()

    def _give_up(self) -> None:
        """This connection has not begun well: another shall."""
        self._ended = True
        self._wake()

    def _end(self, client: Client) -> None:
        if client is self._client:
            self._ended = True
            self._wake()
