"""What ingest is told from outside: METERHOUSE_… in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from process.settings import ProcessSettings
from stores.readings.series import SERIES_BUDGET


class IngestSettings(ProcessSettings):
    """Folder, broker and stores of the ingest process. There are no default credentials."""

    data: Path = Field(examples=["/var/lib/meterhouse"])
    broker: str = Field(repr=False, examples=["mqtt://user:password@host:1883"])
    store: str = Field(repr=False, examples=["sqlite:///var/lib/meterhouse/readings.db"])
    records: str = Field(repr=False, examples=["sqlite:////var/lib/meterhouse/records.db"])
    broker_rights: Literal["checked", "trusted"] = "trusted"
    """``checked``: a broker that lets in who has no account, or us speak for an agent, is refused before anything is
    taken in. ``trusted``: whoever set it up has seen to that."""

    leave_stored: bool = False
    """Go on in another store, and leave what was stored before where it is."""

    series_budget: int = Field(default=SERIES_BUDGET, gt=0)
    metrics: str = ""
    """Where to answer ``/metrics`` and ``/health``, ``127.0.0.1:9464`` say; empty: nowhere."""
