"""Whether a broker authenticates who speaks: only then is a topic's agent the agent that spoke.

Two trials, before anything is taken in: somebody without an account must not come in, and our own account must not be
able to speak for an agent.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from facility.errors import ConfigError
from facility.wire import PREFIX
from process.line import FAILURE
from process.mqtt import make_client

if TYPE_CHECKING:
    from threading import Event

    from facility.broker_address import BrokerAddress
    from process.client import SturdyClient

ANSWER_S, AGAIN_S = 5.0, 1.0
SESSION_EXPIRY_S = 7 * 86_400
NOBODY = "meterhouse-check"
"""No agent can be called so where the broker is ours: it is no account."""

FOREIGN = f"{PREFIX}/up/{NOBODY}/check"


def check_broker(address: BrokerAddress, stop: Event) -> bool:
    """Return once both trials have failed as they should; False if ``stop`` came first.

    Raises ``ConfigError`` where one of them was let through. A broker that is not there yet is waited for.
    """
    place = f"the broker at {address.host}:{address.port}"
    while not stop.is_set():
        spoken = _speaks_for_another(address)
        if spoken is None:
            stop.wait(AGAIN_S)
            continue
        if spoken:
            raise ConfigError(f"{place} lets '{address.user}' speak for agents: nobody could say who has spoken")
        if _is_greeted(
            replace(address, user="", password="", tls=address.tls and replace(address.tls, certificate="", key=""))
        ):
            raise ConfigError(f"{place} lets in who has no account: nobody could say who has spoken")
        return True
    return False


def _speaks_for_another(address: BrokerAddress) -> bool | None:
    """Whether our account may publish under an agent's topic; None where the broker cannot be asked now."""
    reasons: list[int] = []
    client = make_client(address, address.user, manual_ack=True, reconnect_on_failure=False)

    def speak(*given: Any) -> None:
        if not given[3].is_failure:
            client.publish(FOREIGN, b"", 1)

    client.on_connect = speak
    client.on_publish = lambda *given: reasons.append(given[3].value)
    _talk(client, address, reasons)
    return reasons[0] < FAILURE if reasons else None


def _is_greeted(address: BrokerAddress) -> bool:
    greetings: list[bool] = []
    client = make_client(address, NOBODY, reconnect_on_failure=False)
    client.on_connect = lambda *given: greetings.append(not given[3].is_failure)
    _talk(client, address, greetings)
    return greetings == [True]


def _talk(client: SturdyClient, address: BrokerAddress, heard: list[int] | list[bool]) -> None:
    """One short connection, which leaves the session of our account as it is: nothing is acknowledged, it is kept."""
    kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    kept.SessionExpiryInterval = SESSION_EXPIRY_S if address.user else 0
    until = time.monotonic() + ANSWER_S
    try:
        client.connect(address.host, address.port, clean_start=not address.user, properties=kept)
    except OSError:
        return
    while not heard and time.monotonic() < until and client.loop(0.05) == 0:
        pass
    client.disconnect()
