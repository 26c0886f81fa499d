"""Hears what agents say, and acknowledges to the broker only what was dealt with on this connection."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Condition, Lock
from typing import TYPE_CHECKING, Any, Literal

import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from facility.errors import ConfigError
from facility.system_alarm import SystemAlarm
from facility.wire import PREFIX, stated_crc
from process.client import LARGEST_PACKET
from process.line import BrokerLine
from process.mqtt import checksum

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage

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
MOST_DIGITS = 20
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
        self.address = address
        self._queue: deque[Inbound] = deque()
        self._queued_bytes = 0
        self._filled = Condition()
        self._has_left_out = False
        self._connection = 0
        self._connection_lock = Lock()
        self.is_subscribed = False
        self._figures: Literal["wanted", "asked", "settled", "refused"] = "wanted"
        self.dropped_by_broker = 0
        self.retained_ignored = 0
        self._line = self._make_line()
        self._client = self._line.client

    def start(self) -> None:
        """Connect, and keep connecting, in paho's thread. A broker that is not there yet is waited for."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.MaximumPacketSize = LARGEST_PACKET
        self._line.start(KEEPALIVE_S, session="kept", properties=properties)

    def stop(self) -> None:
        """Leave. The session stays at the broker, and with it what was not acknowledged."""
        self._line.stop()

    @property
    def is_alive(self) -> bool:
        """Whether paho's loop runs."""
        return self._line.is_alive

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
            self._client.publish(topic, payload, qos, properties=checksum(payload))

    def ask_again(self) -> None:
        """Drop the connection: paho makes a new one, and the broker delivers again what was never acknowledged."""
        self._end_connection()
        self._line.drop()

    def check(self) -> None:
        """Raise ``ConfigError`` if the broker refused our very first greeting."""
        line = self._line.state
        if line.refusal and not line.was_up:
            address = f"{self.address.host}:{self.address.port}"
            raise ConfigError(f"the broker at {address} refuses '{self.address.user}': {line.refusal}")

    def troubles(self) -> dict[SystemAlarm, str]:
        """The alarms of our line, each with a sentence where it stands, else nothing."""
        return {**self._line.state.troubles(), SystemAlarm.UNREADABLE_PACKETS: self._line.suspicion()}

    @property
    def waiting(self) -> int:
        """Messages in the queue."""
        return len(self._queue)

    def _make_line(self) -> BrokerLine:
        name = self.address.user  # it names the session too, which outlives us and holds what we have not heard yet
        line = BrokerLine(
            self.address, name, up=self._greeted, down=self._lost, heard=self._on_message, manual_ack=True
        )
        line.client.max_inflight_messages_set(100)
        line.client.max_queued_messages_set(MOST_UNSENT)
        line.client.on_subscribe = line.guard(self._on_subscribe, line.drop)
        return line

    def _greeted(self) -> None:
        with self._connection_lock:
            self._connection += 1
        with self._filled:
            self._has_left_out = False
        options = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=NO_RETAINED)
        self._client.subscribe([(topic, options) for topic in TOPICS])  # every time: the broker may have forgotten us

    def _lost(self) -> None:
        self._end_connection()
        if self._figures == "asked":  # the bundled broker ends the connection of whoever asks
            self._figures = "refused"

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

    def _on_message(self, message: MQTTMessage) -> None:
        try:
            stated = stated_crc(getattr(message.properties, "UserProperty", ()))
            inbound = Inbound(self._connection, message.mid, _topic(message), bytes(message.payload), stated)
            if inbound.topic == DROPPED_TOPIC:
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


def _topic(message: MQTTMessage) -> str:
    """One that is no UTF-8 is nobody's of ours, and is refused by its name like any other of a stranger."""
    try:
        return message.topic
    except UnicodeDecodeError as error:
        return bytes(error.object).decode("utf-8", "replace")


def _count(payload: bytes) -> int:
    return int(payload) if payload.isdigit() and len(payload) < MOST_DIGITS else 0
