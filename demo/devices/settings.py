"""Settings of the simulated devices, from the environment."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class DeviceSettings(BaseSettings):
    """``METERHOUSE_DATA`` holds demo.json and site.yaml; the bus addresses in site.yaml say where to answer."""

    model_config = SettingsConfigDict(env_prefix="METERHOUSE_")

    data: Path
    devices_broker: str = ""
    """The radio devices' broker with their own credentials; empty: the address of the radio bus in site.yaml."""
