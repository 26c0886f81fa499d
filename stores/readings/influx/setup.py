"""Makes an InfluxDB ready for readings, as often as one likes, and looks whether it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from secrets import token_hex
from typing import TYPE_CHECKING

from accounting.local_time import DAY_MS
from facility.errors import ConfigError, StoreUnavailable
from facility.so_many import so_many
from stores.readings.influx.buckets import bucket_days, prepare_buckets
from stores.readings.influx.layout import (
    DAILY,
    HOURLY,
    LOG,
    LOG_DAYS,
    RAW,
    SHARD_DAYS,
    shard_days,
    source,
)
from stores.readings.influx.mark import check_mark, read_mark, write_mark
from stores.readings.influx.points import END_MS, FIRST_MS, within
from stores.readings.influx.stretches import WEEK_MS

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from stores.readings.influx.wire import InfluxWire

TRIED_BYTES = 16_384
"""More than one page even when it is compressed; over a day each overwrites the one before."""

COUNTED_WEEKS = 520
"""Ten years; what lies before or in the future, hardly ever anything, is counted at once."""


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days readings, hours and days are kept; 0 is for ever, None leaves it as it is (new: for ever)."""

    raw_days: int | None = None
    hourly_days: int | None = None
    daily_days: int | None = None

    def by_policy(self) -> Mapping[str, int | None]:
        """Days of every policy; the log of changes has its own."""
        return {RAW: self.raw_days, HOURLY: self.hourly_days, DAILY: self.daily_days, LOG: LOG_DAYS}


def prepare(
    wire: InfluxWire,
    retention: Retention,
    site: str,
    now_ms: int,
    *,
    may_shorten: bool = False,
) -> None:
    """Create or adjust database and policies, or buckets and their mappings, and mark them as the site's.

    Raises ``StoreUnavailable``, and changes nothing in the database of another site or of a newer Meterhouse; the same
    with ``ConfigError`` where something would be kept for less long (that deletes), unless it ``may_shorten``.
    """
    if not wire.address.speaks_v2:
        wire.ask_json(f'CREATE DATABASE "{wire.address.database}"')
    known = kept_days(wire)
    mark = read_mark(wire) if DAILY in known else None
    if mark is not None:  # before anything is changed: what is kept for less long is deleted
        check_mark(wire, mark, site)
    if not may_shorten:
        _check_not_shorter(wire, known, retention, now_ms)
    if wire.address.speaks_v2:
        prepare_buckets(wire, retention.by_policy())
    else:
        _prepare_policies(wire, retention, known)
    if mark is None:
        write_mark(wire, site, now_ms)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a person wants to know of a store in use."""

    place: str
    site: str
    schema: int
    kept_days: Mapping[str, int]


def look_over(wire: InfluxWire, site: str | None, now_ms: int) -> Prepared:
    """How a store in use is. Raises ``StoreUnavailable`` for one that is not.

    A few pages are written, so that a full disk or an account that may only read is found here: fewer may find room.
    """
    mark = read_mark(wire)
    if mark is None:
        raise StoreUnavailable(f"{wire.address.place} has not been prepared: run meterhouse store init")
    check_mark(wire, mark, site)
    wire.write(LOG, f'tried what="{token_hex(TRIED_BYTES)}" {now_ms // DAY_MS * DAY_MS}'.encode())
    return Prepared(wire.address.place, mark.site, mark.schema, kept_days(wire))


def kept_days(wire: InfluxWire) -> dict[str, int]:
    """For how many days each policy keeps; 0 is for ever. Raises ``StoreUnavailable``."""
    if wire.address.speaks_v2:  # there, SHOW RETENTION POLICIES says "for ever" of every bucket (measured on 2.7.12)
        return bucket_days(wire)
    answer = wire.ask_json(f'SHOW RETENTION POLICIES ON "{wire.address.database}"')
    rows = [dict(zip(series.columns, row, strict=True)) for series in answer for row in series.values]
    return {
        row["name"]: int(row["duration"].partition("h")[0].rstrip("s")) // 24
        for row in rows
        if row["name"] in SHARD_DAYS
    }


def count_readings(wire: InfluxWire, now_ms: int) -> int:
    """How many readings are stored, as the server counts: a week at a time, for it counts 3 to 10 million a second.

    By time and not by points, which takes it up to three times as long; a week without readings costs it nothing.
    """
    weeks = range(now_ms - COUNTED_WEEKS * WEEK_MS, now_ms + 1, WEEK_MS)
    edges = [FIRST_MS, *weeks, END_MS]
    return sum(count_between(wire, start_ms, end_ms) for start_ms, end_ms in pairwise(edges))


def server_series(wire: InfluxWire) -> int | None:
    """Series of the database as the server counts them, those of points long gone too; None where it does not say.

    Only InfluxDB 1.x answers this.
    """
    try:
        answer = wire.ask_json(f'SHOW SERIES CARDINALITY ON "{wire.address.database}"')
    except StoreUnavailable:
        return None
    return sum(int(row[-1]) for series in answer for row in series.values) if answer else None


def count_between(wire: InfluxWire, start_ms: int, end_ms: int) -> int:
    """How many readings are stored in the range, by one question."""
    found = wire.ask_json(f"SELECT count(value) FROM {source(wire, RAW, 'reading')} WHERE {within(start_ms, end_ms)}")
    return int(found[0].values[0][1]) if found else 0


def _check_not_shorter(wire: InfluxWire, known: Mapping[str, int], retention: Retention, now_ms: int) -> None:
    shorter = [
        f"{policy} from before {datetime.fromtimestamp(now_ms / 1000 - days * DAY_MS / 1000, UTC):%Y-%m-%d}"
        f" (kept {_span(known[policy])}, to be kept {_span(days)})"
        for policy, days in retention.by_policy().items()
        if policy != LOG and policy in known and days and (days < known[policy] or not known[policy])
    ]
    if shorter:
        raise ConfigError(
            f"this would at once delete in {wire.address.place}: {', '.join(shorter)};"
            " nothing was changed; add --shorten if that is meant"
        )


def _span(days: int) -> str:
    return so_many(days, "day") if days else "for ever"


def _prepare_policies(wire: InfluxWire, retention: Retention, known: Container[str]) -> None:
    """None becomes the default of the database: another program may write there without naming one."""
    for policy, days in retention.by_policy().items():
        if policy in known and days is None:
            continue
        verb = "ALTER" if policy in known else "CREATE"
        duration = f"{days}d" if days else "INF"
        wire.ask_json(
            f'{verb} RETENTION POLICY "{policy}" ON "{wire.address.database}" DURATION {duration} REPLICATION 1'
            f" SHARD DURATION {shard_days(policy, days)}d"
        )
