"""Makes the reading store that a URL names ready for a site: a file is made when it is opened, a server is told."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from facility.errors import ConfigError, Problem, StoreUnavailable
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


def check_belongs(url: str, site: str, where: str) -> None:
    """Raise ``ConfigError`` where a store is marked as another site's: its readings would be found no more.

    One that is away, or that nobody has marked, has nothing against it.
    """
    if not is_influx(url):
        return
    from stores.readings.influx.mark import read_mark  # noqa: PLC0415 - the client is optional

    wire = influx_connection(url)
    with suppress(StoreUnavailable):
        mark = read_mark(wire)
        if mark is not None and mark.site != site:
            holds = f"{wire.address.place} holds the readings of '{mark.site}': a site keeps its id"
            raise ConfigError(Problem(f"{where}: site.id", f"is '{site}', and {holds}", mark.site))
    wire.client.close()


def check_exists(url: str) -> None:
    """Raise ``ConfigError`` for a file that is not there: to open it would make an empty one."""
    if url.startswith("sqlite") and not Path(place_of(url)).exists():
        raise ConfigError(f"there is no file {place_of(url)}")
