"""Brings the outbox to the server: MQTT 5, QoS 1, one upstream connection whose name is the agent's.

paho's network thread only puts what arrives in a queue; one thread of ours sends, takes acknowledgements and greets.
A PUBACK says that the broker saw a message. It frees nothing.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

import structlog
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge_agent.callbacks import CallbackGuard
from facility import wire
from facility.errors import ConfigError, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.client import ConnectFlags, DisconnectFlags, MQTTMessageInfo
    from paho.mqtt.reasoncodes import ReasonCode

    from edge_agent.outbox import Outbox
    from edge_agent.window import Window

log = structlog.get_logger()

KEEPALIVE_S = 5
STATUS_S = 5.0
TIDY_S, AGE_S = 1.0, 60.0
BATCHES_PER_HELLO = 10
MOST_QUEUED = 60
"""paho keeps what has no PUBACK over reconnects and sends it first: on a flapping link that would pile up."""
WAIT_S = 0.2
FAREWELL_S = 1.0

Word = Literal["connected", "lost", "ack", "command"]

Arrival = tuple[Word, bytes, str | None]
"""What came, its payload and the checksum that it states."""


class Publisher:
    """Sends for one agent; ``figures`` and ``buses`` say what its status tells."""

    def __init__(
        self,
        url: str,
        agent: str,
        outbox: Outbox,
        window: Window,
        *,
        monotonic: Callable[[], float],
        status: Callable[[], wire.Status],
        command: Callable[[str], None],
        points: int = 0,
        version: str = "",
    ) -> None:
        """Constructing is not connecting. Raises ``ConfigError`` for a URL that names no broker."""
        try:
            place = urlsplit(url)
            host, port = place.hostname or "", place.port or 1883
        except ValueError:  # its words would repeat a part of the URL, which may be of the password
            raise ConfigError("the broker's URL cannot be read (allowed: mqtt://user:password@host:port)") from None
        if place.scheme != "mqtt" or not host:
            raise ConfigError(
                f"broker '{url.rpartition('@')[2]}' is no address (allowed: mqtt://user:password@host:port)"
            )
        self._host, self._port = host, port
        self._agent, self._outbox, self._window = agent, outbox, window
        self._monotonic, self._status, self._command = monotonic, status, command
        self._points, self._version = points, version
        self._arrived: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        self._work = threading.Event()
        self._stopping, self._up, self._told, self._outbox_failing = False, False, "", False
        self._batches = self.refused = self.malformed = 0
        self._status_at = self._tidy_at = self._age_at = self._begin = monotonic()
        self.guard = CallbackGuard()
        self._client = self._make_client(unquote(place.username or ""), unquote(place.password or ""))
        self._thread = threading.Thread(target=self._run, name="publisher")

    def start(self) -> None:
        """Connect in the background, for ever."""
        self._client.connect_async(self._host, self._port, KEEPALIVE_S, clean_start=True)
        self._client.loop_start()
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye and end."""
        self._stopping = True
        self._work.set()
        self._thread.join()
        if self._up:
            offline = wire.Status(v=wire.VERSION, dev=self._agent, state="offline")
            with suppress(RuntimeError, ValueError):  # the link has gone meanwhile, or paho's queue is full
                self._publish("status", wire.encode(offline)).wait_for_publish(FAREWELL_S)
        self._client.disconnect()
        self._client.loop_stop()

    def wake(self) -> None:
        """There is something new to send."""
        self._work.set()

    @property
    def is_alive(self) -> bool:
        """Whether our thread runs."""
        return self._thread.is_alive()

    @property
    def is_connected(self) -> bool:
        """Whether the broker has let us in."""
        return self._up

    def _make_client(self, user: str, password: str) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=self._agent, protocol=MQTTv5)
        if user:
            client.username_pw_set(user, password)
        last_will = wire.encode(wire.Status(v=wire.VERSION, dev=self._agent, state="offline"))
        client.will_set(
            wire.up_topic(self._agent, "status"), last_will, 1, properties=_crc(last_will, PacketTypes.WILLMESSAGE)
        )
        client.reconnect_delay_set(1, 30)
        client.max_queued_messages_set(MOST_QUEUED)
        client.on_connect = self.guard(self._on_connect)
        client.on_connect_fail = self.guard(self._on_connect_fail)
        client.on_disconnect = self.guard(self._on_disconnect)
        client.on_message = self.guard(self._on_message)
        client.on_publish = self.guard(self._on_publish)
        return client

    # What paho's thread does: note and leave.

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        if reason.is_failure:
            self._tell(f"refused: {reason}")
            return
        client.subscribe([(wire.ack_topic(self._agent), _qos1()), (wire.command_topic(self._agent), _qos1())])
        self._arrive("connected")

    def _on_connect_fail(self, _client: Client, _data: object) -> None:
        self._tell("unreachable")

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        self._arrive("lost", str(reason).encode())

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if not message.retain:
            is_ack = message.topic == wire.ack_topic(self._agent)
            self._arrive("ack" if is_ack else "command", bytes(message.payload), _stated_crc(message))

    def _on_publish(
        self, _client: Client, _data: object, _mid: int, reason: ReasonCode, _more: Properties | None
    ) -> None:
        if reason.is_failure:
            self.refused += 1
            self._tell(f"publish refused: {reason}")

    def _arrive(self, word: Word, payload: bytes = b"", crc: str | None = None) -> None:
        self._arrived.put((word, payload, crc))
        self._work.set()

    def _tell(self, state: str) -> None:
        """One line per change of state, not per attempt."""
        if state != self._told:
            log.info("broker", state=state, host=self._host, port=self._port)
        self._told = state

    # What our own thread does.

    def _run(self) -> None:
        while not self._stopping:
            self._work.wait(WAIT_S)
            self._work.clear()
            self._with_the_outbox(self._turn)
        self._with_the_outbox(self._tidy)

    def _with_the_outbox(self, step: Callable[[float], None]) -> None:
        """Wait for a full disk; a broken file (any other ``sqlite3.Error``) ends the agent: its next start heals it."""
        try:
            step(self._monotonic())
        except sqlite3.OperationalError as error:
            if not self._outbox_failing:
                log.warning("outbox_fails", error=str(error))
            self._outbox_failing = True
        else:
            if self._outbox_failing:
                log.info("outbox_works_again")
            self._outbox_failing = False

    def _turn(self, now: float) -> None:
        while not self._arrived.empty():
            self._take(*self._arrived.get())
        if self._up:
            self._send(now)
            if now >= self._status_at:
                self.tell_status(now)
        if now >= self._tidy_at:
            self._tidy(now)

    def _take(self, word: Word, payload: bytes, crc: str | None) -> None:
        now = self._monotonic()
        try:
            if word == "connected":
                self._up = True
                self._tell("up")
                self._window.connected(now)
                self._hello()
                self.tell_status(now)
            elif word == "lost":
                self._up = False
                self._tell(f"lost: {payload.decode()}")
            elif word == "ack":
                self._window.acknowledge(wire.decode_checked(wire.Ack, payload, crc), now)
            else:
                self._obey(wire.decode_checked(wire.Command, payload, crc), now)
        except Rejected as error:
            self.malformed += 1
            log.warning("message_refused", what=word, error=str(error))

    def _obey(self, command: wire.Command, now: float) -> None:
        log.info("command", do=command.do, ranges=len(command.ranges))
        if command.do == "replay":
            for first, last in command.ranges or [(self._outbox.oldest(), self._outbox.newest)]:
                self._window.repeat(first, last)
        else:
            self._command(command.do)
        self.tell_status(now)

    def _send(self, now: float) -> None:
        while self._arrived.empty() and (message := self._window.next(now)) is not None:
            self._publish(message.lane, message.payload)
            self._batches += 1
            if self._batches % BATCHES_PER_HELLO == 0:
                self._hello()

    def _hello(self) -> None:
        hello = wire.Hello(
            v=wire.VERSION,
            dev=self._agent,
            ep=self._outbox.epoch,
            oldest=self._outbox.oldest(),
            newest=self._outbox.newest,
            pending=self._window.pending(),
            version=self._version,
            points=self._points,
        )
        self._publish("hello", wire.encode(hello))

    def tell_status(self, now: float) -> None:
        """Publish the health figures now; the next time is 5 s later."""
        self._status_at = now + STATUS_S
        if self._up:
            self._publish("status", wire.encode(self._status()))

    def _tidy(self, now: float) -> None:
        self._tidy_at = now + TIDY_S
        if self._outbox.is_tidy and now < self._age_at:
            return
        self._outbox.tidy(now - self._begin)
        self._age_at = now + AGE_S

    def _publish(self, what: Literal["live", "backlog", "hello", "status"], payload: bytes) -> MQTTMessageInfo:
        return self._client.publish(
            wire.up_topic(self._agent, what), payload, qos=1, properties=_crc(payload, PacketTypes.PUBLISH)
        )


def _crc(payload: bytes, packet: int) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    properties.UserProperty = [(wire.CRC_PROPERTY, wire.crc(payload))]
    return properties


def _stated_crc(message: MQTTMessage) -> str | None:
    pairs: list[tuple[str, str]] = getattr(message.properties, "UserProperty", [])
    return next((value for name, value in pairs if name == wire.CRC_PROPERTY), None)


def _qos1() -> SubscribeOptions:
    return SubscribeOptions(qos=1)
