"""Settings of the analytics process, from the environment alone (prefix METERHOUSE_)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from analytics.heartbeat import Method
from analytics.suspicion.budget import Budget
from process.settings import ProcessSettings
from stores.records.audit_shipping import check_place


class AnalyticsSettings(ProcessSettings):
    """Where the stores are and how far back alarms are stepped."""

    data: Path = Field(examples=["/var/lib/meterhouse"])
    store: str = Field(repr=False, examples=["sqlite:///var/lib/meterhouse/readings.db"])
    records: str = Field(repr=False, examples=["sqlite:////var/lib/meterhouse/records.db"])
    shown_store: str = Field(
        default="", repr=False, examples=["influx://writer:password@host:8086/meterhouse-internal"]
    )
    """Where figures up to the level ``internal`` are kept once more, for Grafana, which reads nothing else."""

    leave_stored: bool = False
    """Read this store though ingest has stored in another."""

    step_days: int = Field(default=30, ge=0)
    tick_s: float = Field(default=2.0, gt=0, allow_inf_nan=False)
    budget: Budget = Budget.NORMAL
    """How many alarms the staff will bear: quiet, normal or keen."""

    models: bool = True
    """Off: nothing is expected of use; reports, bills, silent meters, leaks, doors and floors go on."""

    broker: str = Field(default="", repr=False)
    """Where ingest tells what it has accepted. Without it doors and leaks are seen only once they are stored."""

    heartbeat: str = Field(default="", repr=False, examples=["https://watch.example.org/ping/KEY"])
    """An address outside that is told again and again that all is well; none: nobody is."""

    heartbeat_method: Method = "post"
    heartbeat_s: float = Field(default=60.0, ge=1, le=86400, allow_inf_nan=False)

    audit_checkpoints: Annotated[str, AfterValidator(check_place)] = ""
    """A file, or a syslog, to which a signed checkpoint of the audit trail is shipped each hour; none: nowhere."""
    notify: str = Field(default="", repr=False, examples=["mail=mailtos://user:password@smtp.example.org"])
    """Couriers by name, each with an address that apprise knows; none: nobody is told of anything."""

    orders_hook: str = Field(default="", repr=False, examples=["https://cmms.example.org/hook/KEY"])
    """An address of the site's own maintenance system that hears each step of a work order; none: nobody does."""

    console_url: str = Field(default="", pattern=r"^(https?://\S+)?$", examples=["https://meters.example.org"])
    """Where people open the console: links in letters lead there."""

    language: Literal["en", "zh-Hans"] = "en"
    """In which letters go to who has chosen none."""

    daily_at: str = Field(default="08:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["08:00"])
    """Local time of the day's digest."""

    backup: str = ""
    """The folder of backups; where one is set, an old backup is an alarm."""

    metrics: str = ""
    """Where to answer ``/metrics`` and ``/health``, ``127.0.0.1:9466`` say; empty: nowhere."""
