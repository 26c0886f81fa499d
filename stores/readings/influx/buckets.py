"""Buckets and mappings of InfluxDB 2.x: one of each for every retention policy that 1.x would have."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from influxdb_client import DBRPCreate, DBRPsService
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.rest import ApiException

from facility.errors import StoreUnavailable
from stores.readings.influx.layout import RAW, SHARD_DAYS, shard_days

if TYPE_CHECKING:
    from collections.abc import Mapping

    from influxdb_client import Bucket

    from stores.readings.influx.wire import InfluxWire

DAY_S = 86_400


def prepare_buckets(wire: InfluxWire, days: Mapping[str, int | None]) -> None:
    """Create or adjust a bucket per policy and map it, so that InfluxQL finds it; None leaves one as it is.

    Raises ``StoreUnavailable``.
    """
    database = wire.address.database
    with wire.refusals():
        buckets, mappings = wire.client.buckets_api(), DBRPsService(wire.client.api_client)
        org = _organisation(wire)
        listed = mappings.get_dbr_ps(org_id=org, db=database).content
        mapped = {one.retention_policy for one in listed if not one.virtual}
        for policy, kept in days.items():
            rules = BucketRetentionRules(
                every_seconds=(kept or 0) * DAY_S, shard_group_duration_seconds=shard_days(policy, kept) * DAY_S
            )
            bucket = _bucket(wire, policy, org)
            if bucket is None:
                name = f"{database}/{policy}"
                bucket = buckets.create_bucket(bucket_name=name, org=org, retention_rules=rules)
            elif kept is not None:
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


def bucket_days(wire: InfluxWire) -> dict[str, int]:
    """For how many days each bucket that is there keeps, by policy; 0 is for ever. Raises ``StoreUnavailable``."""
    with wire.refusals():
        org = _organisation(wire)
        found = {policy: _bucket(wire, policy, org) for policy in SHARD_DAYS}
    return {policy: _days(bucket) for policy, bucket in found.items() if bucket is not None}


def _days(bucket: Bucket) -> int:
    return sum(int(rule.every_seconds) for rule in bucket.retention_rules) // DAY_S


def _bucket(wire: InfluxWire, policy: str, org: str) -> Bucket | None:
    """The policy's bucket. One that is not there is answered with 404 (2.7.12), or might be with an empty list.

    Raises ``ApiException``.
    """
    name = f"{wire.address.database}/{policy}"
    try:
        found = wire.client.buckets_api().find_buckets(name=name, org_id=org).buckets
    except ApiException as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return None
    return next(iter(found), None)


def _organisation(wire: InfluxWire) -> str:
    """The id of the organisation, whose name people know. Raises ``StoreUnavailable`` where there is none."""
    name = wire.address.org
    try:
        found = wire.client.organizations_api().find_organizations(org=name)
    except ApiException as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        found = []
    if not found:
        hint = "if this is a 1.x, its address begins with influx://"
        raise StoreUnavailable(f"{wire.address.place}: there is no organisation '{name}' ({hint})")
    return str(found[0].id)
