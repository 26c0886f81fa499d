"""The one way to make an MQTT client: TLS where the address says so, a name of its own, one patience.

A client's id is its own, beside the name of its account, so that processes may share an account. Two keep a name that
never changes, because what a broker keeps for them rests on it: an agent is its own name (rights, acknowledgements),
and ingest's session, with what waits for it, has the name of its account.
"""

from __future__ import annotations

import random
import secrets
from typing import TYPE_CHECKING, Literal

from paho.mqtt.client import MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from facility import wire
from process.client import SturdyClient
from process.kept_secret import password_of
from process.tls import tls_context

if TYPE_CHECKING:
    from facility.broker_address import BrokerAddress

FIRST_WAIT_S, LAST_WAIT_S = 1, 10
"""Before a connection is tried again: at first, and at most after it has been in vain again and again."""

VERSIONS = {"5": MQTTv5, "3.1.1": MQTTv311}


class Patience:
    """For whoever connects anew by itself: each wait is twice as long, and by chance up to half as long again.

    Chance keeps many agents, which lost one broker together, from coming back together.
    """

    def __init__(self) -> None:
        self._wait_s: float = FIRST_WAIT_S

    def next_s(self) -> float:
        """Seconds to wait now."""
        wait_s, self._wait_s = self._wait_s, min(2 * self._wait_s, LAST_WAIT_S)
        return wait_s * random.uniform(1.0, 1.5)  # noqa: S311 - spreads load, no secret

    def begin_anew(self) -> None:
        """It went well."""
        self._wait_s = FIRST_WAIT_S


def own_client_id(address: BrokerAddress, process: str) -> str:
    """An id that no other process has: ``analytics:analytics:5f3a90c2``, the account first, for the broker's log."""
    return f"{address.user or 'meterhouse'}:{process}:{secrets.token_hex(4)}"


def make_client(
    address: BrokerAddress,
    client_id: str,
    *,
    version: Literal["5", "3.1.1"] = "5",
    manual_ack: bool = False,
    reconnect_on_failure: bool = True,
) -> SturdyClient:
    """A client that is not connected yet. Raises ``ConfigError`` for files of TLS or secrets that cannot be used."""
    client = SturdyClient(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=VERSIONS[version],
        manual_ack=manual_ack,
        reconnect_on_failure=reconnect_on_failure,
    )
    if address.user:
        client.username_pw_set(address.user, password_of(address) or None)
    if address.tls is not None:
        client.tls_set_context(tls_context(address.tls))
    client.reconnect_delay_set(FIRST_WAIT_S, LAST_WAIT_S)
    return client


def checksum(payload: bytes, packet: int = PacketTypes.PUBLISH) -> Properties:
    """The checksum that every payload of ours carries, as a property of its packet."""
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    properties.UserProperty = [(wire.CRC_PROPERTY, wire.crc(payload))]
    return properties
