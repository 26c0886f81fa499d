"""Where things stand in an InfluxDB: retention policies and measurements.

On 1.x a policy belongs to the database. On 2.x it is a bucket called ``database/policy``, which is also what the
server's mapping for InfluxQL makes of the pair, so that both are written and asked in the same words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stores.readings.rollups import ROLLUPS, RetentionClass

if TYPE_CHECKING:
    from stores.readings.influx.wire import InfluxWire

RAW, HOURLY, DAILY, LOG = *(kept.value for kept in RetentionClass), "log"
LOG_DAYS = 7
"""So long a reader of changes may be away before it is told everything again."""

SHARD_DAYS = {RAW: 7, HOURLY: 182, DAILY: 3640, LOG: 1}
"""Days that one file of a policy spans: a year of hours is read from three."""


def policy_of(rollup: str) -> str:
    """The policy of a rollup: one for each class of retention."""
    return ROLLUPS[rollup].retention.value


def shard_days(policy: str, days: int | None) -> int:
    """Days of a shard of a policy that keeps so many (0, None: for ever): InfluxDB refuses a longer one."""
    return min(SHARD_DAYS[policy], days) if days else SHARD_DAYS[policy]


def source(wire: InfluxWire, policy: str, measurement: str) -> str:
    """A measurement as a query names it."""
    return f'"{wire.address.database}"."{policy}"."{measurement}"'
