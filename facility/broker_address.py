"""The address of a broker as it is written down: ``mqtt://user:password@host:port``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

from facility.errors import ConfigError, Problem

ALLOWED_BROKER = "mqtt://user:password@host:1883"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and who we are there."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)


def broker_address(
    url: str, where: str = "METERHOUSE_BROKER", *, credentials: Literal["needed", "optional"] = "needed"
) -> BrokerAddress:
    """Read a broker's URL. Raises ``ConfigError`` without repeating the password."""
    try:
        parts = urlsplit(url)
        port = parts.port or 1883
    except ValueError:
        raise ConfigError(Problem(where, "cannot be read", ALLOWED_BROKER)) from None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme != "mqtt" or not parts.hostname:
        raise ConfigError(Problem(where, "is no broker URL", ALLOWED_BROKER))
    if credentials == "needed" and not (user and password):
        raise ConfigError(Problem(where, "is no broker URL with credentials", ALLOWED_BROKER))
    return BrokerAddress(parts.hostname, port, user, password)
