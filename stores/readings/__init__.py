"""Readings and rollups behind one port; a URL chooses the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facility.errors import ConfigError
from stores.readings.memory import MemoryStore
from stores.readings.sqlite import SqliteStore

if TYPE_CHECKING:
    from stores.readings.port import ReadingStore

ALLOWED = "memory: or sqlite:///absolute/path/readings.db"


def open_readings(url: str) -> ReadingStore:
    """Open the store that ``url`` names. Raises ``ConfigError`` for a URL or a place that cannot be used."""
    if url == "memory:":
        return MemoryStore()
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path.strip("/"):
        return SqliteStore(Path("/", path.lstrip("/")))
    # The URL itself stays out of the message: that of a server may hold a password.
    raise ConfigError(f"no reading store for '{url.partition(':')[0]}:…' (allowed: {ALLOWED})")
