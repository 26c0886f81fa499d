"""paho's client, which nothing that a broker delivers ends or stops."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

import structlog
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import MessageType, MQTTErrorCode

from process.packets import MOST_PROPERTY_BYTES, property_bytes, readable, sender_of

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

OFTEN, WITHIN_S = 3, 600.0
LOGGED_EACH_S = 60.0
LARGEST_PACKET = 1024 * 1024
"""Four times the longest that an agent sends; the broker is told, and one that sends more ends its connection."""


class Spoilt:
    """Packets that could not be read as they came. Times are of a monotonic clock; any thread may ask."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.packets = 0
        self._recent: deque[tuple[float, str]] = deque(maxlen=OFTEN)
        self._broken_s: deque[float] = deque(maxlen=OFTEN)
        self._logged_s = float("-inf")

    def note(self, sender: str, why: str, *, is_broken: bool) -> None:
        """One came; ``is_broken``: it could not be read at all, so that the connection ends."""
        now_s = self._monotonic()
        self.packets += 1
        self._recent.append((now_s, sender))
        if is_broken:
            self._broken_s.append(now_s)
        if now_s - self._logged_s >= LOGGED_EACH_S:
            self._logged_s = now_s
            log.warning("packet_unreadable", sender=sender, error=why, ends_connection=is_broken, so_far=self.packets)

    def suspicion(self) -> str:
        """A sentence that names the senders where it happened again and again of late, else nothing."""
        recent = list(self._recent)
        if len(recent) < OFTEN or self._monotonic() - recent[0][0] > WITHIN_S:
            return ""
        senders = ", ".join(dict.fromkeys(sender for _, sender in recent))
        return f"packets of the broker that could not be read as they came: {self.packets}, the last of {senders}"

    def take_hopeless(self) -> bool:
        """Whether connections ended so again and again, so that the broker had better forget what it keeps for us.

        Asked once, it is forgotten.
        """
        times = list(self._broken_s)
        if len(times) < OFTEN or times[-1] - times[0] > WITHIN_S:
            return False
        self._broken_s.clear()
        return True


class SturdyClient(Client):
    """Reads what it can of each packet: a property that paho refuses is left out, its message is not."""

    def __init__(self, *given: Any, **options: Any) -> None:
        """As paho's own."""
        self.spoilt = Spoilt(time.monotonic)
        self._last_words = _NO_WORDS
        super().__init__(*given, **options)

    def _packet_read(self) -> MQTTErrorCode:
        self._last_words = _NO_WORDS
        rc = super()._packet_read()
        if self._in_packet["remaining_length"] > LARGEST_PACKET:
            self._last_words = "the broker", f"a packet of more than {LARGEST_PACKET} bytes"
            rc = MQTTErrorCode.MQTT_ERR_PROTOCOL
        if (
            rc == MQTTErrorCode.MQTT_ERR_PROTOCOL and self._last_words is not _REFUSAL
        ):  # paho ends the connection and makes another
            self.spoilt.note(*self._last_words, is_broken=True)
        return rc

    def _packet_handle(self) -> MQTTErrorCode:
        packet, is_5 = self._in_packet, self._protocol == MQTTv5
        outcome: MQTTErrorCode | str
        if is_5 and property_bytes(packet["command"], packet["packet"]) > MOST_PROPERTY_BYTES:
            outcome = f"more than {MOST_PROPERTY_BYTES} bytes of properties"
        else:
            outcome = self._tried()
        if isinstance(outcome, str) and is_5:
            outcome = self._tried_in_part(outcome)
        if isinstance(outcome, str):
            self._last_words = sender_of(packet["command"], packet["packet"]), outcome
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        if packet["command"] & 0xF0 == MessageType.CONNACK:
            self._last_words = (
                _REFUSAL  # of a greeting, if it is one: well read, and yet an error of the protocol to paho
            )
        return outcome

    def _tried_in_part(self, why: str) -> MQTTErrorCode | str:
        """The same without what cannot be read of its properties."""
        packet = self._in_packet
        try:
            packet["packet"] = bytearray(readable(packet["command"], packet["packet"]))
        except ValueError as error:
            return str(error)
        self.spoilt.note(sender_of(packet["command"], packet["packet"]), why, is_broken=False)
        return self._tried()

    def _tried(self) -> MQTTErrorCode | str:
        """What came of the packet, or why it cannot be read."""
        try:
            return super()._packet_handle()
        except OSError:  # the connection's, not the packet's
            raise
        except Exception as error:  # noqa: BLE001 - paho raises many kinds for what it cannot read
            return f"{type(error).__name__}: {error}"


_NO_WORDS = "the broker", "no packet of MQTT"
_REFUSAL = "the broker", "a refusal"
