"""What ingest is told from outside: METERHOUSE_… in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from facility.errors import ConfigError, Problem
from stores.readings.series import SERIES_BUDGET


class Settings(BaseSettings):
    """Folder, broker and stores of the ingest process. There are no default credentials."""

    model_config = SettingsConfigDict(env_prefix="METERHOUSE_", extra="ignore", frozen=True)

    data: Path
    broker: str = Field(repr=False)
    store: str = Field(repr=False)
    records: str = Field(repr=False)
    series_budget: int = Field(default=SERIES_BUDGET, gt=0)
    metrics: str = ""
    """Where to answer ``/metrics``, ``127.0.0.1:9464`` say; empty: nowhere."""
    log_level: Literal["debug", "info", "warning"] = "info"
    """``debug`` adds a line for every batch."""


def load_settings() -> Settings:
    """Settings from the environment. Raises ``ConfigError`` naming every variable that is missing or wrong."""
    try:
        return Settings()
    except ValidationError as error:
        problems = [Problem(f"METERHOUSE_{str(e['loc'][0]).upper()}", e["msg"].lower()) for e in error.errors()]
        raise ConfigError(*problems) from None
