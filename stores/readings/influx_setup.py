"""Makes an InfluxDB ready for readings, as often as one likes, and looks whether it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from influxdb_client import DBRPCreate, DBRPsService
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.rest import ApiException

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
    from collections.abc import Container, Mapping

    from influxdb_client import Bucket

    from stores.readings.influx_wire import InfluxWire

DAY_S = 86_400
FOR_EVER = "0s"
NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days readings, hours and days are kept; 0 is for ever."""

    raw_days: int = 0
    hourly_days: int = 0
    daily_days: int = 0

    def by_policy(self) -> Mapping[str, int]:
        """Days of every policy; the log of changes has its own."""
        return {RAW: self.raw_days, HOURLY: self.hourly_days, DAILY: self.daily_days, LOG: LOG_DAYS}


def prepare(wire: InfluxWire, retention: Retention, site: str, now_ms: int) -> None:
    """Create or adjust database and policies, or buckets and their mappings, and mark them as the site's.

    Raises ``StoreUnavailable``, and changes nothing in the database of another site or of a newer Meterhouse.
    """
    if not wire.address.speaks_v2:
        wire.ask_json(f'CREATE DATABASE "{wire.address.database}"')
    known = kept_for(wire)
    mark = read_mark(wire) if DAILY in known else None
    if mark is not None:
        check_mark(wire, mark, site)
    if wire.address.speaks_v2:
        _prepare_buckets(wire, retention)
    else:
        _prepare_policies(wire, retention, known)
    if mark is None:
        write_mark(wire, site, now_ms)


def look_over(wire: InfluxWire, site: str | None, now_ms: int) -> list[tuple[str, str]]:
    """What a person wants to know of a store in use, as (what, how it is). Raises ``StoreUnavailable`` for what is not.

    A mark is written, so that a full disk or an account that may only read is found here.
    """
    mark = read_mark(wire)
    if mark is None:
        raise StoreUnavailable(f"{wire.address.place} has not been prepared: run meterhouse store init")
    check_mark(wire, mark, site)
    write_mark(wire, mark.site, now_ms)
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
    if wire.address.speaks_v2:  # which answers ``0s`` to the question below, whatever a bucket keeps
        found = _buckets(wire)
        return {policy: _duration(bucket) for policy, bucket in found.items() if bucket is not None}
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


def _prepare_policies(wire: InfluxWire, retention: Retention, known: Container[str]) -> None:
    for policy, days in retention.by_policy().items():
        verb = "ALTER" if policy in known else "CREATE"
        duration = f"{days}d" if days else "INF"
        default = " DEFAULT" if policy == RAW else ""
        wire.ask_json(
            f'{verb} RETENTION POLICY "{policy}" ON "{wire.address.database}" DURATION {duration} REPLICATION 1'
            f" SHARD DURATION {_shard_days(policy, days)}d{default}"
        )


def _shard_days(policy: str, days: int) -> int:
    """InfluxDB refuses a shard that is longer than what is kept."""
    return min(SHARD_DAYS[policy], days) if days else SHARD_DAYS[policy]


def _prepare_buckets(wire: InfluxWire, retention: Retention) -> None:
    found = _buckets(wire)
    with wire.refusals():
        buckets, mappings = wire.client.buckets_api(), DBRPsService(wire.client.api_client)
        org, database = _organisation(wire), wire.address.database
        listed = mappings.get_dbr_ps(org_id=org, db=database).content
        mapped = {one.retention_policy for one in listed if not one.virtual}
        for policy, days in retention.by_policy().items():
            rules = BucketRetentionRules(
                every_seconds=days * DAY_S, shard_group_duration_seconds=_shard_days(policy, days) * DAY_S
            )
            bucket = found[policy]
            if bucket is None:
                name = f"{database}/{policy}"
                bucket = buckets.create_bucket(bucket_name=name, org=org, retention_rules=rules)
            else:
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


def _buckets(wire: InfluxWire) -> dict[str, Bucket | None]:
    """The bucket of every policy. A name that is not there is answered with 404."""
    found: dict[str, Bucket | None] = {}
    with wire.refusals():
        org = _organisation(wire)
        for policy in SHARD_DAYS:
            name = f"{wire.address.database}/{policy}"
            try:
                (found[policy],) = wire.client.buckets_api().find_buckets(name=name, org_id=org).buckets
            except ApiException as error:
                if error.status != NOT_FOUND:
                    raise
                found[policy] = None
    return found


def _duration(bucket: Bucket) -> str:
    seconds = sum(rule.every_seconds for rule in bucket.retention_rules)
    return f"{seconds // 3600}h0m0s" if seconds else FOR_EVER


def _organisation(wire: InfluxWire) -> str:
    """The id of the organisation: its name is what people know."""
    name = wire.address.org
    try:
        (found,) = wire.client.organizations_api().find_organizations(org=name)
    except ApiException as error:
        if error.status != NOT_FOUND:
            raise
        raise StoreUnavailable(f"{wire.address.place}: there is no organisation '{name}'") from None
    return str(found.id)
