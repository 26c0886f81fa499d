"""What ingest is told from outside: METERHOUSE_… in the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from facility.errors import ConfigError, Problem

ALLOWED_BROKER = "mqtt://user:password@host:1883"


class Settings(BaseSettings):
    """Folder, broker and stores of the ingest process. There are no default credentials."""

    model_config = SettingsConfigDict(env_prefix="METERHOUSE_", extra="ignore", frozen=True)

    data: Path
    broker: str = Field(repr=False)
    store: str = Field(repr=False)
    records: str = Field(repr=False)


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and who we are there."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)


def load_settings() -> Settings:
    """Settings from the environment. Raises ``ConfigError`` naming every variable that is missing or wrong."""
    try:
        return Settings()
    except ValidationError as error:
        problems = [Problem(f"METERHOUSE_{str(e['loc'][0]).upper()}", e["msg"].lower()) for e in error.errors()]
        raise ConfigError(*problems) from None


def broker_address(url: str) -> BrokerAddress:
    """Read ``mqtt://user:password@host:1883``. Raises ``ConfigError`` without repeating the password."""
    try:
        parts = urlsplit(url)
        port = parts.port or 1883
    except ValueError:
        raise ConfigError(Problem("METERHOUSE_BROKER", "cannot be read", ALLOWED_BROKER)) from None
    if parts.scheme != "mqtt" or not parts.hostname or not parts.username or not parts.password:
        raise ConfigError(Problem("METERHOUSE_BROKER", "is no broker URL with credentials", ALLOWED_BROKER))
    return BrokerAddress(parts.hostname, port, unquote(parts.username), unquote(parts.password))
