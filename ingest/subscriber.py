"""Hears what agents say, and acknowledges to the broker only what was dealt with on this connection."""

from __future__ import annotations

import socket
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from threading import Condition, Lock
from typing import TYPE_CHECKING, Any, Literal, cast

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from facility.errors import ConfigError
from facility.wire import CRC_PROPERTY, PREFIX, crc, stated_crc

if TYPE_CHECKING:
    from facility.broker_address import BrokerAddress

TOPICS = tuple(f"{PREFIX}/up/+/{what}" for what in ("live", "backlog", "hello", "status"))
DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"
"""Where Mosquitto counts what it drops in silence when a queue is full; other brokers say nothing there."""

NO_RETAINED = 2  # MQTT 5.0, 3.8.3.1: do not send retained messages when the subscription is made

RECEIVE_MAXIMUM = 500
SESSION_EXPIRY_S = 7 * 86_400
KEEPALIVE_S = 20
QUEUE_MESSAGES = 1_000
MOST_UNSENT = 1_000
QUEUE_BYTES = 64 * 1024 * 1024

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message as it came. ``mid`` means something only on connection number ``connection``."""

    connection: int
    mid: int
    topic: str
    payload: bytes
    crc: str | None


class Subscriber:
    """One MQTT 5 session. paho's thread fills a bounded queue; one other thread takes and acknowledges."""

    def __init__(self, address: BrokerAddress) -> None:
        self._address = address
        self._queue: deque[Inbound] = deque()
        self._queued_bytes = 0
        self._filled = Condition()
        self._has_left_out = False
        self._connection = 0
        self._connection_lock = Lock()
        self._refusal = ""
        self._was_connected = False
        self.is_subscribed = False
        self._figures: Literal["wanted", "asked", "settled", "refused"] = "wanted"
        self.dropped_by_broker = 0
        self.retained_ignored = 0
        self._is_unreachable = False
        self._client = self._make_client()

    def start(self) -> None:
        """Connect, and keep connecting, in paho's thread. A broker that is not there yet is waited for."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        self._client.connect_async(
            self._address.host, self._address.port, KEEPALIVE_S, clean_start=False, properties=properties
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Leave. The session stays at the broker, and with it what was not acknowledged."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def is_alive(self) -> bool:
        """Whether paho's loop runs: a client whose loop has died still says that it is connected."""
        thread = self._client._thread  # noqa: SLF001 - only a thread of paho's own writes from one thread alone
        return thread is not None and thread.is_alive()

    def take(self, most: int, wait_s: float) -> list[Inbound]:
        """Up to ``most`` messages in the order they came; waits for the first one only."""
        with self._filled:
            if not self._queue:
                self._filled.wait(wait_s)
            taken = [self._queue.popleft() for _ in range(min(most, len(self._queue)))]
            self._queued_bytes -= sum(len(message.payload) for message in taken)
        if not taken and self._has_left_out and self.is_subscribed:
            self.ask_again()
        return taken

    def acknowledge(self, message: Inbound) -> bool:
        """Send the PUBACK if the message came on the connection of now; else the broker sends it again.

        Packet ids are numbered anew on each connection: acknowledging an old id would acknowledge, and lose,
        another message.
        """
        with self._connection_lock:
            if message.connection != self._connection:
                return False
            self._client.ack(message.mid, 1)
            return True

    def publish(self, topic: str, payload: bytes, qos: int) -> None:
        """Publish while connected; what is not sent is not missed, because agents ask again."""
        if self._client.is_connected():
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.UserProperty = (CRC_PROPERTY, crc(payload))
            self._client.publish(topic, payload, qos, properties=properties)

    def ask_again(self) -> None:
        """Drop the connection: paho makes a new one, and the broker delivers again what was never acknowledged."""
        self._end_connection()
        connection = self._client.socket()
        if connection is not None:
            with suppress(OSError):  # lost meanwhile: just as well
                cast("socket.socket", connection).shutdown(socket.SHUT_RDWR)

    def check(self) -> None:
        """Raise ``ConfigError`` if the broker refused our very first greeting."""
        if self._refusal and not self._was_connected:
            address = f"{self._address.host}:{self._address.port}"
            raise ConfigError(f"the broker at {address} refuses '{self._address.user}': {self._refusal}")

    @property
    def waiting(self) -> int:
        """Messages in the queue."""
        return len(self._queue)

    def _make_client(self) -> mqtt.Client:
        user = self._address.user  # as client id too: one identity, one session, stable over restarts
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=user, protocol=mqtt.MQTTv5, manual_ack=True)
        client.username_pw_set(user, self._address.password)
        client.reconnect_delay_set(1, 10)
        client.max_inflight_messages_set(100)
        client.max_queued_messages_set(MOST_UNSENT)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            return
        with self._connection_lock:
            self._connection += 1
        with self._filled:
            self._has_left_out = False
        self._was_connected, self._is_unreachable = True, False
        options = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=NO_RETAINED)
        client.subscribe([(topic, options) for topic in TOPICS])  # every time: the broker may have forgotten us
        log.info("broker_connected", host=self._address.host, port=self._address.port)

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        if not self._is_unreachable:
            log.warning("broker_unreachable", host=self._address.host, port=self._address.port)
            self._is_unreachable = True

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._end_connection()
        if self._figures == "asked":  # the bundled broker ends the connection of whoever asks
            self._figures = "refused"
        log.info("broker_disconnected", reason=str(reason))

    def _end_connection(self) -> None:
        """From here to the next greeting no packet id is current."""
        with self._connection_lock:
            self._connection += 1
        self.is_subscribed = False

    def _on_subscribe(self, client: Any, _data: Any, _mid: int, reasons: list[Any], _properties: Any) -> None:
        if len(reasons) < len(TOPICS):  # the answer about the broker's own figures: granted or not, it gave one
            self._figures = "settled"
            return
        for topic, reason in zip(TOPICS, reasons, strict=True):
            if reason.is_failure:
                log.error("subscription_refused", topic=topic, reason=str(reason))
        self.is_subscribed = True
        if self._figures != "refused":
            self._figures = "asked"
            client.subscribe([(DROPPED_TOPIC, SubscribeOptions(qos=0))])

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            stated = stated_crc(getattr(message.properties, "UserProperty", ()))
            inbound = Inbound(self._connection, message.mid, message.topic, bytes(message.payload), stated)
            if message.topic == DROPPED_TOPIC:
                self.dropped_by_broker = _count(inbound.payload)
            elif message.retain:  # nobody of ours retains: it is old, or a stranger's
                self.retained_ignored += 1
                self.acknowledge(inbound)
            else:
                self._put(inbound)
        except BaseException:
            self._has_left_out = True
            log.exception("message_left_out")

    def _put(self, message: Inbound) -> None:
        """Queue a message, or leave it unacknowledged when the queue is full.

        This thread must not wait: it also answers the broker's pings. A broker may ignore our receive maximum
        (the bundled one does), so the queue has its own bound. What is left out is safe: the agent frees nothing
        before our own acknowledgement, and ``take`` connects anew once the queue is empty. Until then all that
        follows is left out too, because acknowledgements must go in order: the bundled broker forgets a message
        when a later one is acknowledged.
        """
        with self._filled:
            if self._has_left_out or len(self._queue) >= QUEUE_MESSAGES or self._queued_bytes >= QUEUE_BYTES:
                self._has_left_out = True
                return
            self._queue.append(message)
            self._queued_bytes += len(message.payload)
            self._filled.notify()


def _count(payload: bytes) -> int:
    return int(payload) if payload.isdigit() else 0
