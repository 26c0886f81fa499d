"""Commands to an edge agent, sent through the broker by the operator's own identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from facility import wire
from facility.broker_address import broker_address
from facility.errors import Unavailable
from process.mqtt import checksum, make_client, own_client_id

if TYPE_CHECKING:
    from typing import Self

ANSWER_TIMEOUT_S = 5.0


class Control:
    """A short connection; use as a context manager."""

    def __init__(self, url: str, agent: str) -> None:
        """Constructing is not connecting. Raises ``ConfigError`` for a URL that names no broker."""
        broker = broker_address(url)
        self._agent = agent
        self._place = (broker.host, broker.port)
        self._client = make_client(broker, own_client_id(broker, "command"))

    def send(self, do: Literal["pause", "resume"]) -> None:
        """Send a command; returns when the broker has it. Raises ``Unavailable`` if it does not take it."""
        payload = wire.encode(wire.Command(v=wire.VERSION, do=do))
        sent = self._client.publish(wire.command_topic(self._agent), payload, qos=1, properties=checksum(payload))
        sent.wait_for_publish(ANSWER_TIMEOUT_S)
        if not sent.is_published():
            raise Unavailable(f"the broker did not take '{do}' within {ANSWER_TIMEOUT_S:.0f} s")

    def __enter__(self) -> Self:
        """Connect. Raises ``Unavailable`` where nobody answers."""
        try:
            self._client.connect(*self._place)
        except OSError as error:
            raise Unavailable(f"the broker at {':'.join(map(str, self._place))} does not answer: {error}") from None
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()
