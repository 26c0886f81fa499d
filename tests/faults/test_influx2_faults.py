"""The store rows of the fault table on a real InfluxDB 2.7, whose answers differ from those of 1.8."""

import time
from contextlib import closing

import pytest
from influxdb_client import InfluxDBClient
from influxdb_client.domain.authorization import Authorization
from influxdb_client.domain.permission import Permission
from influxdb_client.domain.permission_resource import PermissionResource
from rigs.influx2_fake import ORG, TOKEN
from rigs.influx2_server import Influx2Server, need_influxd2
from rigs.influx_server import make_ready
from rigs.patience import until
from rigs.store_rig import Rig, check_a_bad_line_of_5000_is_set_aside, check_what_is_too_old_is_set_aside_at_once

from stores.readings.influx.setup import Retention

need_influxd2()


@pytest.fixture(scope="module")
def running():
    with Influx2Server() as server:
        yield server


@pytest.fixture
def make_rig(running, tmp_path):
    """Makes the rig around a fresh database, and knows its URL."""
    rigs = []

    def make(retention=None, token=TOKEN):
        database = f"d{time.time_ns()}"
        make_ready(running.url_of(database), "town", retention)
        rigs.append(Rig(tmp_path, running.url_of(database, token)))
        rigs[-1].database = database
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.close()


@pytest.fixture
def admin(running):
    with InfluxDBClient(f"http://127.0.0.1:{running.port}", TOKEN, org=ORG) as client:
        yield client


def test_S1_influxd_killed_under_load_loses_nothing(running, make_rig):
    rig = make_rig()
    rig.start()
    for _ in range(3):
        rig.take_in(20_000)
        until(lambda: rig.settled >= rig.taken_in - 15_000)
        running.kill()
        rig.take_in(5_000)
        running.start()
    rig.wait_until_settled()
    rig.check_nothing_is_lost()
    assert rig.alarms == {}


def test_S2_one_bad_line_of_5000_is_set_aside_and_4999_are_stored(running, make_rig):
    rig = make_rig()
    check_a_bad_line_of_5000_is_set_aside(rig, running.url_of(rig.database))


def test_S8_a_reading_older_than_what_is_kept_is_set_aside_at_once(make_rig):
    check_what_is_too_old_is_set_aside_at_once(make_rig(Retention(raw_days=1)))


def test_S9_a_token_that_is_revoked_raises_an_alarm_and_costs_no_reading(make_rig, admin):
    org = admin.organizations_api().find_organizations(org=ORG)[0].id
    every = [
        Permission(action=action, resource=PermissionResource(type="buckets", org_id=org))
        for action in ("read", "write")
    ]
    tokens = admin.authorizations_api()
    made = tokens.create_authorization(authorization=Authorization(org_id=org, permissions=every))
    rig = make_rig(token=made.token)
    rig.take_in(500)
    rig.start()
    rig.wait_until_settled()
    made.status = "inactive"
    tokens.update_authorization(made)
    rig.take_in(500)
    until(lambda: "403" in rig.alarms.get("store_unavailable", ""))
    assert "token is inactive" in rig.alarms["store_unavailable"]
    assert made.token not in rig.alarms["store_unavailable"]
    assert rig.settled == 500
    made.status = "active"
    tokens.update_authorization(made)
    rig.wait_until_settled()
    rig.check_nothing_is_lost()
    assert rig.alarms == {}


@pytest.mark.parametrize(("token", "prepared", "said"), [("wrong", True, "401"), (TOKEN, False, "store init")])
def test_S9_a_store_that_would_take_nothing_is_told_before_the_first_reading(running, tmp_path, token, prepared, said):
    database = f"d{time.time_ns()}"
    if prepared:
        make_ready(running.url_of(database), "town")
    with closing(Rig(tmp_path, running.url_of(database, token))) as rig:
        rig.start()
        until(lambda: said in rig.alarms.get("store_unavailable", ""))


def test_S9_a_bucket_that_is_gone_raises_an_alarm_and_waits_for_store_init(running, make_rig, admin):
    rig = make_rig()
    rig.take_in(500)
    rig.start()
    rig.wait_until_settled()
    buckets = admin.buckets_api()
    buckets.delete_bucket(buckets.find_bucket_by_name(f"{rig.database}/raw"))
    rig.take_in(500)
    until(lambda: "404" in rig.alarms.get("store_unavailable", ""))
    assert "run meterhouse store init" in rig.alarms["store_unavailable"]
    assert rig.settled == 500
    make_ready(running.url_of(rig.database), "town")
    rig.wait_until_settled()
    assert rig.alarms == {}
