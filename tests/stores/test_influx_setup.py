"""Preparing an InfluxDB: 1.8, and 2 as its fake answers."""

import re
import time

import pytest
from rigs.influx2_fake import Fake2
from rigs.influx_server import InfluxServer, make_ready

from facility.errors import ConfigError, StoreUnavailable
from stores.readings.influx.address import influx_address
from stores.readings.influx.setup import Retention, count_readings, kept_days, look_over, prepare
from stores.readings.influx.wire import InfluxWire, connect

NOW_MS = time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def servers():
    with InfluxServer() as influxd, Fake2(influxd) as fake:
        yield {"influxdb 1.8": influxd, "fake of influxdb 2": fake}


@pytest.fixture(params=["influxdb 1.8", "fake of influxdb 2"])
def wire(request, servers):
    """To a database that is not there yet."""
    wire = connect(influx_address(servers[request.param].url_of(f"t{time.time_ns()}")))
    yield wire
    wire.client.close()


def test_what_is_kept_is_made_changed_and_said(wire):
    now_ms = time.time_ns() // 1_000_000
    prepare(wire, Retention(), "town", now_ms)
    assert kept_days(wire) == {"raw": 0, "hourly": 0, "daily": 0, "log": 7}
    prepare(wire, Retention(400, 3650, 0), "town", now_ms, may_shorten=True)
    assert kept_days(wire) == {"raw": 400, "hourly": 3650, "daily": 0, "log": 7}
    assert look_over(wire, "town", now_ms).kept_days == {"raw": 400, "hourly": 3650, "daily": 0, "log": 7}


@pytest.mark.parametrize("policy", ["raw", "hourly", "daily"])
@pytest.mark.parametrize(("kept", "asked"), [(800, 8), (0, 36_500)])
def test_keeping_for_less_long_is_refused_whole_unless_it_is_meant(wire, policy, kept, asked):
    before = {"raw_days": 100, "hourly_days": 100, "daily_days": 100, f"{policy}_days": kept}
    after = {"raw_days": 200, "hourly_days": 200, "daily_days": 200, f"{policy}_days": asked}
    prepare(wire, Retention(**before), "town", NOW_MS)
    was = kept_days(wire)
    with pytest.raises(
        ConfigError, match=rf": {policy} from before \d+-\d+-\d+ [^,]*, to be kept {asked:,} days\);"
    ) as no:
        prepare(wire, Retention(**after), "town", NOW_MS)
    assert ("(kept 800 days," if kept else "(kept for ever,") in str(no.value)
    assert kept_days(wire) == was
    prepare(wire, Retention(**after), "town", NOW_MS, may_shorten=True)
    assert kept_days(wire) == {"raw": 200, "hourly": 200, "daily": 200, policy: asked, "log": 7}


@pytest.mark.parametrize("asked", [8, 9, 36_500, 0, None])
def test_keeping_as_long_or_longer_asks_nothing(wire, asked):
    prepare(wire, Retention(8, 8, 8), "town", NOW_MS)
    prepare(wire, Retention(asked, asked, asked), "town", NOW_MS)
    assert {kept_days(wire)[policy] for policy in ("raw", "hourly", "daily")} == {8 if asked is None else asked}


def test_readings_of_any_time_are_counted_once_and_never_more_than_a_week_of_them_at_once(wire, monkeypatch):
    prepare(wire, Retention(), "town", NOW_MS)
    week_ms = 7 * 86_400_000
    edges = [NOW_MS + i * week_ms + beside for i in (-520, -519, -1, 0) for beside in (-1, 0, 1)]
    times_ms = {-(10**12), 0, *edges, NOW_MS - 3 * week_ms, NOW_MS + 10**11}
    wire.write("raw", b"\n".join(b"reading,meter=m value=1 %d" % t_ms for t_ms in times_ms))
    asked = []
    ask = InfluxWire.ask_json
    monkeypatch.setattr(InfluxWire, "ask_json", lambda wire, query: asked.append(query) or ask(wire, query))
    assert count_readings(wire, NOW_MS) == len(times_ms)
    stretches = [tuple(map(int, re.findall(r"(-?\d+)ms", query))) for query in asked]
    long = [stretch for stretch in stretches if stretch[1] - stretch[0] > week_ms]
    assert [start_ms >= NOW_MS or end_ms <= NOW_MS - 520 * week_ms for start_ms, end_ms in long] == [True, True]


def test_preparing_the_database_of_another_site_deletes_nothing_there(wire):
    now_ms = time.time_ns() // 1_000_000
    prepare(wire, Retention(), "town", now_ms)
    with pytest.raises(StoreUnavailable, match="holds the readings of site 'town'"):
        prepare(wire, Retention(raw_days=1), "village", now_ms)
    assert kept_days(wire)["raw"] == 0


def test_a_name_of_an_organisation_that_is_none_is_said(servers):
    wire = connect(influx_address(servers["fake of influxdb 2"].url_of("db", org="village hall")))
    with pytest.raises(StoreUnavailable, match="there is no organisation 'village hall'"):
        prepare(wire, Retention(), "town", 0)
    wire.client.close()


def test_a_password_may_hold_any_sign_but_a_space(servers):
    influxd = servers["influxdb 1.8"]
    make_ready(influxd.url, "town")
    admin = connect(influx_address(influxd.url))
    admin.ask_json("CREATE USER caretaker WITH PASSWORD 'Schlüssel:密码\"@/' WITH ALL PRIVILEGES")
    admin.client.close()
    place = influxd.url.partition("@")[2]
    wire = connect(influx_address(f"influx://caretaker:Schl%C3%BCssel%3A%E5%AF%86%E7%A0%81%22%40%2F@{place}"))
    assert look_over(wire, "town", time.time_ns() // 1_000_000).site == "town"
    wire.client.close()


def test_a_database_without_our_policies_is_to_be_prepared(servers):
    wire = connect(influx_address(servers["influxdb 1.8"].url_of(f"t{time.time_ns()}")))
    wire.ask_json(f'CREATE DATABASE "{wire.address.database}"')
    with pytest.raises(StoreUnavailable, match=r"500 retention policy not found.*run meterhouse store init"):
        wire.write("raw", b"reading value=1 10")
    wire.client.close()
