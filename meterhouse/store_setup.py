"""Makes the reading store that a URL names ready for a site: a file is made when it is opened, a server is told."""

from __future__ import annotations

from pathlib import Path

from facility.errors import ConfigError
from stores.readings import influx_connection, open_readings, place_of
from stores.readings.influx.address import is_influx


def prepare_store(
    url: str,
    site: str,
    now_ms: int,
    retention_days: tuple[int | None, int | None, int | None] = (None, None, None),
    *,
    may_shorten: bool = False,
) -> None:
    """Create what is missing, and keep readings, hours and days for so many days (0: for ever, None: as it is).

    Raises ``ConfigError`` where that is shorter than before, unless it ``may_shorten``.
    """
    open_readings(url).close()  # says what is wrong with the URL, and makes a file
    if is_influx(url):
        from stores.readings.influx.setup import Retention, prepare  # noqa: PLC0415 - the client is optional

        wire = influx_connection(url)
        prepare(wire, Retention(*retention_days), site, now_ms, may_shorten=may_shorten)
        wire.client.close()


def check_exists(url: str) -> None:
    """Raise ``ConfigError`` for a file that is not there: to open it would make an empty one."""
    if url.startswith("sqlite") and not Path(place_of(url)).exists():
        raise ConfigError(f"there is no file {place_of(url)}")
