"""What a server is set to that is nobody's else: where backups go, when, how many are kept; its certificate."""

from __future__ import annotations

from pydantic import Field

from meterhouse.settings import Settings


class BackupSettings(Settings):
    """Of the environment, or of the settings file of the data folder."""

    backup: str = Field(default="", examples=["/mnt/backups"])
    """A folder, on another disk or machine; none: no backup is made by itself, and none is missed."""

    cert: str = ""
    """The certificate that was given, whose end the doctor tells."""

    backup_at: str = Field(default="03:10", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["03:10"])
    """When, by the site's own clock."""

    influx_backup_at: str = Field(default="", examples=["influx.example:8088"])
    """Where an InfluxDB 1.x listens for its own program; its host's port 8088 unless something is said.

    ``elsewhere`` says of any InfluxDB that somebody else makes its backups.
    """

    backup_keep: int = Field(default=14, ge=1)
    """How many of those that were made by themselves stay."""
