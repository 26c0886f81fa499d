"""Where things stand in an InfluxDB: retention policies, measurements, and the mark that says whose they are.

On 1.x a policy belongs to the database. On 2.x it is a bucket called ``database/policy``, which is also what the
server's mapping for InfluxQL makes of the pair, so that both are written and asked in the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.errors import StoreUnavailable

if TYPE_CHECKING:
    from stores.readings.influx_wire import InfluxWire

SCHEMA = 1
RAW, HOURLY, DAILY, LOG = "raw", "hourly", "daily", "log"
LOG_DAYS = 7
"""So long a reader of changes may be away before it is told everything again."""

SHARD_DAYS = {RAW: 7, HOURLY: 182, DAILY: 3640, LOG: 1}
"""Days that one file of a policy spans: a year of hours is read from three."""

_MARK = "meterhouse"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a database says of itself."""

    schema: int
    site: str


def policy_of(rollup: str) -> str:
    """The policy of a rollup: hours and days are kept for different times."""
    return DAILY if rollup.endswith("_1d") else HOURLY


def shard_days(policy: str, days: int | None) -> int:
    """Days of a shard of a policy that keeps so many (0, None: for ever): InfluxDB refuses a longer one."""
    return min(SHARD_DAYS[policy], days) if days else SHARD_DAYS[policy]


def source(wire: InfluxWire, policy: str, measurement: str) -> str:
    """A measurement as a query names it."""
    return f'"{wire.address.database}"."{policy}"."{measurement}"'


def read_mark(wire: InfluxWire) -> Mark | None:
    """The newest mark, or None where nothing has been written. Raises ``StoreUnavailable``."""
    query = f'SELECT "schema", "site" FROM {source(wire, DAILY, _MARK)} ORDER BY time DESC LIMIT 1'
    for series in wire.ask_json(query):
        _, schema, site = series.values[0]
        return Mark(int(schema), str(site))
    return None


def write_mark(wire: InfluxWire, site: str, now_ms: int) -> None:
    """Say whose readings these are and how they are laid out."""
    text = site.replace("\\", "\\\\").replace('"', '\\"')
    wire.write(DAILY, f'{_MARK} schema={SCHEMA}i,site="{text}" {now_ms}'.encode())


def check_mark(wire: InfluxWire, mark: Mark, site: str | None) -> None:
    """Raise ``StoreUnavailable`` for the database of a newer Meterhouse or of another site: nothing is touched then."""
    place = wire.address.place
    if mark.schema > SCHEMA:
        raise StoreUnavailable(
            f"{place} was written by a newer Meterhouse (schema {mark.schema}, this one reads {SCHEMA})"
        )
    if site is not None and mark.site != site:
        raise StoreUnavailable(f"{place} holds the readings of site '{mark.site}', the registry is of site '{site}'")
