"""Settings of the analytics process, from the environment alone (prefix METERHOUSE_)."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where the stores are and how far back alarms are stepped."""

    model_config = SettingsConfigDict(env_prefix="METERHOUSE_")

    data: Path
    store: str
    records: str
    step_days: int = 30
    tick_s: float = 2.0
    broker: str = Field(default="", repr=False)
    """Where ingest tells what it has accepted. Without it doors and leaks are seen only once they are stored."""

    metrics: str = ""
    """Where to answer ``/metrics``, ``127.0.0.1:9466`` say; empty: nowhere."""
