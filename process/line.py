"""A line to a broker that is kept up until it is ended, and says how it fares: once per change, not per attempt."""

from __future__ import annotations

import socket
import ssl
import sys
import time
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, cast

import structlog
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY

from facility.system_alarm import SystemAlarm
from process.callbacks import CallbackGuard
from process.kicks import Kicks
from process.mqtt import make_client

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.properties import Properties

    from facility.broker_address import BrokerAddress

log = structlog.get_logger()

NO_FACTS: Mapping[str, str] = MappingProxyType({})
FAILURE = 0x80
"""MQTT 5.0, 2.4: reason codes from here on are failures."""

NO_WORD = "the connection ended before a word of the broker: perhaps it wants TLS, or a certificate that it trusts"

AWAY_S = 15.0
"""A line that has been down for so long is worth an alarm; a broker that is started again is back sooner."""

OLD_TLS = "the broker speaks no TLS of version 1.2 or later"
NO_TLS = "the broker speaks no TLS at this port"
TLS_FAULTS = {
    "WRONG_VERSION_NUMBER": NO_TLS,
    "RECORD_LAYER_FAILURE": NO_TLS,
    "UNEXPECTED_EOF_WHILE_READING": NO_TLS,
    "UNSUPPORTED_PROTOCOL": OLD_TLS,
    "TLSV1_ALERT_PROTOCOL_VERSION": OLD_TLS,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the broker wants a certificate of ours (cert=FILE, key=FILE), or other ciphers",
    "TLSV1_ALERT_UNKNOWN_CA": "the broker does not trust our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "our certificate has expired",
}
"""What OpenSSL calls a fault, and what people call it."""

State = Literal["up", "refused", "unreachable", "lost", "taken_over"]


class LineState:
    """How one line fares, whoever opens its connections."""

    def __init__(
        self,
        address: BrokerAddress,
        monotonic: Callable[[], float] = time.monotonic,
        facts: Mapping[str, str] = NO_FACTS,
    ) -> None:
        """``facts`` are told with every change."""
        self._monotonic = monotonic
        self._place = f"{address.user}@{address.host}:{address.port}".removeprefix("@")
        self._facts: dict[str, Any] = {"host": address.host, "port": address.port, "user": address.user, **facts}
        self._logged: tuple[State, str] | None = None
        self.kicks = Kicks()
        self.is_up = self.was_up = False
        self._is_refused = False
        self._down_since_s, self._why_down = monotonic(), "no answer yet"
        self.refusal = ""

    def welcomed(self) -> None:
        """The broker has let us in."""
        self.is_up = self.was_up = True
        self.refusal = ""
        self.kicks.welcomed(self._monotonic())
        self._tell("up")

    def refused(self, reason: str) -> None:
        """The broker has not let us in."""
        self.refusal, self._is_refused = reason, True
        self._tell("refused", reason)

    def unreachable(self, reason: str) -> None:
        """Nobody answered as a broker does that we may trust."""
        self.kicks.unreachable()
        self.refusal, self._why_down = "", reason
        self._tell("unreachable", reason)

    def lost(self, code: int, reason: str) -> None:
        """A connection has ended; one that was refused is told already."""
        was_up, was_refused = self.is_up, self._is_refused
        self.is_up = self._is_refused = False
        if was_up:
            self._down_since_s, self._why_down = self._monotonic(), reason
        if code < FAILURE:  # it was we who ended it
            return
        if was_up:
            self.kicks.lost(code, self._monotonic())
            self._tell("lost", reason)
        elif not was_refused:
            self.unreachable(NO_WORD)

    def suspicion(self) -> str:
        """A sentence where somebody else seems to use our name, else nothing."""
        return self.kicks.suspicion(self._monotonic())

    def troubles(self) -> dict[SystemAlarm, str]:
        """The alarms that there may be, each with a sentence where it stands, else nothing."""
        is_away = not (self.is_up or self.refusal) and self._monotonic() - self._down_since_s >= AWAY_S
        return {
            SystemAlarm.TAKEN_OVER: self.suspicion(),
            SystemAlarm.BROKER_REFUSES: self.refusal and f"{self._place}: {self.refusal}",
            SystemAlarm.BROKER_UNREACHABLE: f"{self._place}: {self._why_down}" if is_away else "",
        }

    def _tell(self, state: State, reason: str = "") -> None:
        """Who is kicked again and again says so once, not twice a second."""
        if suspicion := self.suspicion():
            state, reason = "taken_over", suspicion
        if (state, reason) != self._logged:
            more = {"reason": reason} if reason else {}
            (log.info if state == "up" else log.warning)("broker", state=state, **self._facts, **more)
        self._logged = state, reason


class BrokerLine:
    """One client that connects, and keeps connecting, in paho's thread. What is called there must not wait."""

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        *,
        up: Callable[[], None] | None = None,
        down: Callable[[], None] | None = None,
        heard: Callable[[MQTTMessage], None] | None = None,
        version: Literal["5", "3.1.1"] = "5",
        manual_ack: bool = False,
        facts: Mapping[str, str] = NO_FACTS,
    ) -> None:
        """Constructing is not connecting. ``up`` subscribes: what a broker remembers of us is never relied on."""
        self._address, self._up, self._down, self._heard = address, up, down, heard
        self._greeting: dict[str, Any] = {}
        self._clean_start: bool | Literal[3] = False
        self._begins_anew = False
        self.state = LineState(address, facts=facts)
        self.guard = CallbackGuard()
        self.client = make_client(address, client_id, version=version, manual_ack=manual_ack)
        self.client.on_connect = self.guard(self._on_connect, self.drop)
        self.client.on_connect_fail = self.guard(self._on_connect_fail)
        self.client.on_disconnect = self.guard(self._on_disconnect)
        self.client.on_message = self.guard(self._on_message)

    def start(
        self, keepalive_s: int, *, session: Literal["new", "kept"] = "new", properties: Properties | None = None
    ) -> None:
        """Connect, and keep connecting. A broker that is not there yet is waited for.

        With a session that is kept the broker has what came for us while we were away.
        """
        self._greeting = {"keepalive": keepalive_s, "properties": properties}
        self._clean_start = MQTT_CLEAN_START_FIRST_ONLY if session == "new" else False
        self._greet()
        self.client.loop_start()

    def stop(self) -> None:
        """Say goodbye and end."""
        self.client.disconnect()
        self.client.loop_stop()

    def suspicion(self) -> str:
        """A sentence where what the broker delivers cannot be read again and again, else nothing."""
        return self.client.spoilt.suspicion()

    def _greet(self, *, begins_anew: bool = False) -> None:
        """How connections begin from now on; not said while there is one, which paho would forget."""
        self._begins_anew = begins_anew
        clean_start = begins_anew or self._clean_start
        self.client.connect_async(self._address.host, self._address.port, clean_start=clean_start, **self._greeting)

    def drop(self) -> None:
        """Let the connection go: paho makes a new one."""
        connection = self.client.socket()
        if connection is not None:
            with suppress(OSError):  # lost meanwhile: just as well
                cast("socket.socket", connection).shutdown(socket.SHUT_RDWR)

    @property
    def is_alive(self) -> bool:
        """Whether paho's loop runs: a client whose loop has died still says that it is connected."""
        thread = self.client._thread  # noqa: SLF001 - only a thread of paho's own writes from one thread alone
        return thread is not None and thread.is_alive()

    def _on_connect(self, _client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.state.refused(str(reason))
            return
        if self._up is not None:
            self._up()
        self.state.welcomed()

    def _on_connect_fail(self, _client: Client, _data: Any) -> None:
        self.state.unreachable(what_failed())

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if self._down is not None:
            self._down()
        self.state.lost(reason.value, str(reason))
        if is_hopeless := self.client.spoilt.take_hopeless():
            log.warning("session_given_up", reason="the broker delivers again and again what cannot be read")
        if is_hopeless or self._begins_anew:
            self._greet(begins_anew=is_hopeless)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if self._heard is not None:
            self._heard(message)


def what_failed() -> str:
    """Why paho could not connect: it calls back where it has just caught that."""
    error = sys.exc_info()[1]
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return TLS_FAULTS.get(error.reason or "", f"no TLS with the broker: {error.reason or error.strerror or error}")
    return str(getattr(error, "strerror", "") or error or "no answer")
