"""Makes an InfluxDB ready for readings, as often as one likes, and looks whether it is."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING

from influxdb_client import DBRPCreate, DBRPsService
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from accounting.local_time import DAY_MS
from facility.errors import StoreUnavailable
from stores.readings.influx_layout import (
    DAILY,
    HOURLY,
    LOG,
    LOG_DAYS,
    RAW,
    SHARD_DAYS,
    check_mark,
    read_mark,
    source,
    write_mark,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from stores.readings.influx_wire import InfluxWire

DAY_S = 86_400
FOR_EVER = "0s"
TRIED_BYTES = 16_384
"""More than one page even when it is compressed; over a day each overwrites the one before."""

NOT_FOUND = 404
NOT_THERE = " (is there such an organisation? and is this an InfluxDB 2.x? the address of a 1.x begins with influx://)"


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days readings, hours and days are kept; 0 is for ever, None leaves it as it is (new: for ever)."""

    raw_days: int | None = None
    hourly_days: int | None = None
    daily_days: int | None = None

    def by_policy(self) -> Mapping[str, int | None]:
        """Days of every policy; the log of changes has its own."""
        return {RAW: self.raw_days, HOURLY: self.hourly_days, DAILY: self.daily_days, LOG: LOG_DAYS}


def prepare(wire: InfluxWire, retention: Retention, site: str, now_ms: int) -> None:
    """Create or adjust database and policies, or buckets and their mappings, and mark them as the site's.

    Raises ``StoreUnavailable``, and changes nothing in the database of another site or of a newer Meterhouse.
    """
    if wire.address.speaks_v2:
        _prepare_buckets(wire, retention, site)
    else:
        _prepare_policies(wire, retention, site)
    if read_mark(wire) is None:
        write_mark(wire, site, now_ms)


def _check_owner(wire: InfluxWire, present: Collection[str], site: str) -> None:
    """Before anything is changed: what is kept shorter is deleted, and it may be somebody else's."""
    if DAILY in present and (mark := read_mark(wire)) is not None:
        check_mark(wire, mark, site)


def look_over(wire: InfluxWire, site: str | None, now_ms: int) -> list[tuple[str, str]]:
    """What a person wants to know of a store in use, as (what, how it is). Raises ``StoreUnavailable`` for what is not.

    A few pages are written, so that a full disk or an account that may only read is found here: fewer may find room.
    """
    mark = read_mark(wire)
    if mark is None:
        raise StoreUnavailable(f"{wire.address.place} has not been prepared: run meterhouse store init")
    check_mark(wire, mark, site)
    wire.write(LOG, f'tried what="{token_hex(TRIED_BYTES)}" {now_ms // DAY_MS * DAY_MS}'.encode())
    return [
        ("server", wire.address.place),
        ("site", mark.site),
        ("schema", str(mark.schema)),
        (
            "kept",
            ", ".join(f"{name} {'for ever' if time == FOR_EVER else time}" for name, time in kept_for(wire).items()),
        ),
    ]


def kept_for(wire: InfluxWire) -> dict[str, str]:
    """How long each policy keeps, in InfluxDB's words; ``0s`` is for ever."""
    answer = wire.ask_json(f'SHOW RETENTION POLICIES ON "{wire.address.database}"')
    rows = [dict(zip(series.columns, row, strict=True)) for series in answer for row in series.values]
    return {row["name"]: row["duration"] for row in rows if row["name"] in SHARD_DAYS}


def count_readings(wire: InfluxWire) -> int:
    """How many readings are stored, as the server counts."""
    found = wire.ask_json(f"SELECT count(value) FROM {source(wire, RAW, 'reading')}")
    return int(found[0].values[0][1]) if found else 0


def server_series(wire: InfluxWire) -> int | None:
    """Series of the database as the server counts them, those of points long gone too; None where it does not say.

    Only InfluxDB 1.x answers this.
    """
    try:
        answer = wire.ask_json(f'SHOW SERIES CARDINALITY ON "{wire.address.database}"')
    except StoreUnavailable:
        return None
    return sum(int(row[-1]) for series in answer for row in series.values) if answer else None


def _prepare_policies(wire: InfluxWire, retention: Retention, site: str) -> None:
    """None becomes the default of the database: another program may write there without naming one."""
    database = wire.address.database
    wire.ask_json(f'CREATE DATABASE "{database}"')
    known = {row[0] for series in wire.ask_json(f'SHOW RETENTION POLICIES ON "{database}"') for row in series.values}
    _check_owner(wire, known, site)
    for policy, days in retention.by_policy().items():
        if policy in known and days is None:
            continue
        verb = "ALTER" if policy in known else "CREATE"
        duration = f"{days}d" if days else "INF"
        wire.ask_json(
            f'{verb} RETENTION POLICY "{policy}" ON "{database}" DURATION {duration} REPLICATION 1'
            f" SHARD DURATION {_shard_days(policy, days)}d"
        )


def _shard_days(policy: str, days: int | None) -> int:
    """InfluxDB refuses a shard that is longer than what is kept."""
    return min(SHARD_DAYS[policy], days) if days else SHARD_DAYS[policy]


def _prepare_buckets(wire: InfluxWire, retention: Retention, site: str) -> None:
    database = wire.address.database
    try:
        buckets, mappings = wire.client.buckets_api(), DBRPsService(wire.client.api_client)
        org = _organisation(wire)
        mapped = {mapping.retention_policy for mapping in mappings.get_dbr_ps(org_id=org, db=database).content}
        _check_owner(wire, mapped, site)
        for policy, days in retention.by_policy().items():
            name = f"{database}/{policy}"
            rules = BucketRetentionRules(
                every_seconds=(days or 0) * DAY_S, shard_group_duration_seconds=_shard_days(policy, days) * DAY_S
            )
            bucket = next((b for b in buckets.find_buckets(name=name, org_id=org).buckets if b.name == name), None)
            if bucket is None:
                bucket = buckets.create_bucket(bucket_name=name, org=org, retention_rules=rules)
            elif days is not None:
                bucket.retention_rules = [rules]
                buckets.update_bucket(bucket)
            if policy not in mapped:
                mappings.post_dbrp(
                    DBRPCreate(
                        org_id=org,
                        bucket_id=bucket.id,
                        database=database,
                        retention_policy=policy,
                        default=policy == RAW,
                    )
                )
    except ApiException as error:
        raise wire.failure(error, NOT_THERE if error.status == NOT_FOUND else "") from None
    except (HTTPError, OSError) as error:
        raise wire.silence(error) from None


def _organisation(wire: InfluxWire) -> str:
    """The id of the organisation: its name is what people know."""
    name = wire.address.org
    found = wire.client.organizations_api().find_organizations(org=name)
    if not found:
        raise StoreUnavailable(f"{wire.address.place}: there is no organisation '{name}'")
    return str(found[0].id)
