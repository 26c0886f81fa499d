"""Readings and rollups behind one port; a URL chooses the store."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from facility.errors import ConfigError
from stores.readings.influx.address import OF_1X, OF_2X, influx_address, is_influx
from stores.readings.memory import MemoryStore
from stores.readings.sqlite.mending import mend
from stores.readings.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from stores.readings.estate import EstateSource
    from stores.readings.influx.wire import InfluxWire
    from stores.readings.port import ReadingStore
    from stores.readings.sqlite.mending import Salvaged

ALLOWED = f"memory: or sqlite:///absolute/path/readings.db or {OF_1X} or {OF_2X}"


def open_readings(url: str, estate: EstateSource | None = None) -> ReadingStore:
    """Open the store that ``url`` names. Raises ``ConfigError`` for a URL or a place that cannot be used.

    ``estate`` is the registry, from which an InfluxDB's tags come: without it such a store can only be read.
    """
    if url == "memory:":
        return MemoryStore()
    if file := _file_of(url):
        return SqliteStore(file)
    if is_influx(url):
        return _open_influx(url, estate)
    raise _unknown()


def mend_readings(url: str, now_ms: int) -> Salvaged:
    """Mend the file that a URL names, which cannot be opened as it is. Raises ``StoreUnavailable``."""
    return mend(_file_of(url) or Path(), now_ms, lambda: None)


def place_of(url: str) -> str:
    """Which store a URL names, however it is reached: for people and to compare, without a secret.

    Raises ``ConfigError`` for a URL that cannot be used.
    """
    if is_influx(url):
        return influx_address(url).place
    if file := _file_of(url):
        return str(file)
    if url == "memory:":
        return "memory"
    raise _unknown()


def _file_of(url: str) -> Path | None:
    scheme, _, path = url.partition(":///")
    return Path("/", path.lstrip("/")) if scheme == "sqlite" and path.strip("/") else None


def _unknown() -> ConfigError:
    # The URL itself stays out of the message: that of a server may hold a password, and where its scheme was
    # forgotten it begins with one.
    return ConfigError(f"no reading store has such a URL (allowed: {ALLOWED})")


def influx_connection(url: str) -> InfluxWire:
    """A connection to the InfluxDB of a URL; nothing connects yet. Raises ``ConfigError``."""
    if find_spec("influxdb_client") is None:
        raise ConfigError("an InfluxDB needs the package influxdb-client: install meterhouse[influx]")
    from stores.readings.influx.wire import connect  # noqa: PLC0415 - half a second to load, and optional

    return connect(influx_address(url))


def _open_influx(url: str, estate: EstateSource | None) -> ReadingStore:
    wire = influx_connection(url)
    from stores.readings.influx.store import InfluxStore  # noqa: PLC0415 - it needs the client

    return InfluxStore(wire, estate, time.time_ns)
