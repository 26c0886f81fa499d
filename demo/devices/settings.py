"""Settings of the simulated devices, from the environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from process.settings import ProcessSettings


class DeviceSettings(ProcessSettings):
    """``METERHOUSE_DATA`` holds demo.json and site.yaml; the bus addresses in site.yaml say where to answer."""

    data: Path = Field(examples=["demo-data"])
    devices_broker: str = Field(default="", repr=False)
    """The radio devices' broker with their own credentials; empty: the address of the radio bus in site.yaml."""
