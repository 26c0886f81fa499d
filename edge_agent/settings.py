"""Settings of an edge agent, from the environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from edge_agent.clock import Trust
from edge_agent.outbox.room import DEFAULT_ROOM, Room
from process.settings import ProcessSettings

MIB = 2**20


class EdgeSettings(ProcessSettings):
    """``METERHOUSE_DATA``, ``METERHOUSE_BROKER``, ``METERHOUSE_SITE``, ``METERHOUSE_AGENT`` and what tunes them."""

    data: Path = Path("meterhouse-data")
    broker: str = Field(default="mqtt://127.0.0.1:1883", repr=False)
    site: Path = Path("site.yaml")
    agent: str = Field(examples=["edge-1"])
    profiles: Path | None = None
    """A folder of the site's own device profiles, ``maker/model.yaml``, beside those that are shipped."""

    replay: Path | None = None
    """A folder of recorded readings that is played beside live polling."""

    commit_s: float = Field(default=0.5, gt=0, le=1)
    batch_rows: int = Field(default=500, ge=1, le=500)
    window_batches: int = Field(default=20, ge=5, le=20)
    silence_s: float = Field(default=3.0, ge=0.2)
    keep_days: float = Field(default=DEFAULT_ROOM.window_s / 86400, ge=1)
    """At least a day: rows that are held protect their times where the clock is set back by hours."""
    keep_rows: int = Field(default=DEFAULT_ROOM.window_rows, ge=0)
    most_unstored_rows: int = Field(default=DEFAULT_ROOM.unstored_rows, ge=1000)
    outbox_mib: float = Field(default=DEFAULT_ROOM.file_bytes / MIB, ge=1, allow_inf_nan=False)
    ballast_mib: float = Field(default=DEFAULT_ROOM.ballast_bytes / MIB, ge=0.25, allow_inf_nan=False)
    backlog_rate: float = Field(default=4000, ge=0)
    """Rows a second of what waited, 0 for no bound."""
    backlog_delay_s: float = Field(default=30, ge=0)
    """The longest delay, drawn by chance, with which a long backlog begins after a long absence."""
    clock: Trust = Trust.AUTO
    server_gone_minutes: float = Field(default=30, gt=0, allow_inf_nan=False)
    """After how long without a word of the server the agent says so itself, on the spot."""

    @property
    def room(self) -> Room:
        """Bounds of the outbox."""
        return Room(
            self.keep_days * 86400,
            self.keep_rows,
            self.most_unstored_rows,
            int(self.outbox_mib * MIB),
            int(self.ballast_mib * MIB),
        )
