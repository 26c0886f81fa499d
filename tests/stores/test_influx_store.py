"""What an InfluxDB makes necessary: addresses, tags, marks, the log of changes, figures that are taken away."""

import math
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from rigs.influx_server import make_ready
from rigs.influx_town import CATALOGUE, POWER, USAGE, Registry, one
from rigs.patience import PATIENCE_S

from facility.errors import ConfigError, Rejected, StoreUnavailable
from facility.model import ReadingBatch
from stores.readings import open_readings, place_of
from stores.readings.influx.address import influx_address
from stores.readings.influx.answers import series_of, table_of
from stores.readings.influx.changes import ChangeLog
from stores.readings.influx.layout import LOG
from stores.readings.influx.store import InfluxStore
from stores.readings.influx.wire import InfluxWire, connect
from stores.readings.port import RollupSeries


def test_an_address_says_where_and_who():
    old = influx_address("influx://me:p%40ss%3Aword@db.town:8087/readings")
    assert (old.host, old.org, old.database, old.token) == ("http://db.town:8087", "-", "readings", "me:p@ss:word")
    new = influx_address("influxs+token://a%2Fb==@db.town/town%20hall/readings")
    assert (new.host, new.org, new.token, new.speaks_v2) == ("https://db.town:8086", "town hall", "a/b==", True)
    assert influx_address("influx://[::1]/db").host == "http://[::1]:8086"
    assert "p@ss" not in repr(old) + old.place


def test_two_addresses_of_one_store_name_one_place_and_no_secret():
    assert place_of("influx://me:secret@DB.town/readings?gzip=yes") == place_of("influx://db.town:8086/readings")
    new = {place_of(f"influxs+token://secret@db/{names}") for names in ("a/x", "b/x", "a/y")}
    assert new == {f"https://db:8086, organisation {org}, database {db}" for org, db in ("ax", "bx", "ay")}
    assert place_of("sqlite:////srv/readings.db") == place_of("sqlite:///srv/readings.db") == "/srv/readings.db"
    with pytest.raises(ConfigError, match="allowed: memory:") as refusal:
        place_of("me:secret@db.town/readings")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("url", ["influx://host/db", "influxs+token://t@host/org/db"])
def test_only_an_address_that_says_so_is_compressed(url):
    said = {words: influx_address(url + words).is_gzipped for words in ("", "?gzip=no", "?gzip=yes")}
    assert said == {"": False, "?gzip=no": False, "?gzip=yes": True}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("influx://me:pass%20word-secret@host/db", "space"),
        ("influx://me@host/db-secret", "both a user and a password"),
        ("influx://host", "needs a database"),
        ("influx://host/a/secret", "needs a database"),
        ("influx://host/secret'db", "needs a database"),
        ("influx://:8086/db-secret", "needs a host"),
        ("influx://host:port/db-secret", "a port from 1 to 65535"),
        ("influx+token://host/org/db-secret", "one token before the '@'"),
        ("influx+token://user:secret@host/org/db", "one token before the '@'"),
        ("influx+token://secret@host//db", "an organisation and a database"),
        ("influx+basic://secret@host/db", "allowed: influx://"),
        ("influx://[::1:8086/db-secret", "needs a host"),
        ("influx://me:se/cret@host/db-secret", "%2F"),
        ("influx://me:secret%0Aword@host/db", "a control character"),
        ("influx+token://sec%20ret-secret@host/org/db", "space"),
        ("influx://host/db?rp=secret", "takes only .gzip=yes or .gzip=no;"),
        ("influx://host/db?gzip=secret", "takes only .gzip=yes or .gzip=no;"),
        ("influx://host/db?gzip=yes&gzip=secret", "takes only .gzip=yes or .gzip=no;"),
        ("influx+token://t@host/org/db?gzip=yes#secret", "takes only .gzip=yes or .gzip=no;"),
        ("secret-token@host/org/db", "allowed: memory:"),
    ],
)
def test_an_address_that_cannot_work_is_refused_when_it_is_set(url, said):
    with pytest.raises(ConfigError, match=said) as refusal:
        open_readings(url)
    assert "secret" not in str(refusal.value)
    assert len(str(refusal.value)) < 210


def answered(series):
    return f'{{"results":[{{"statement_id":0,"series":[{series}]}}]}}'.encode()


def test_a_table_without_rows_tags_or_some_numbers_is_read():
    assert series_of(b'{"results":[{"statement_id":0}]}') == ([], "")
    (series,), _ = series_of(
        answered('{"name":"r","columns":["time","value","q"],"values":[[10,1.5,null],[20,2e16,3]]}')
    )
    plain = table_of(series)
    assert plain.tags == {}
    assert plain.columns["time"].tolist() == [10, 20]
    assert plain.columns["value"].tolist() == [1.5, 2e16]
    assert np.isnan(plain.columns["q"][0])
    (series,), _ = series_of(answered('{"name":"u","tags":{"a":"x,y"},"columns":["time","row"],"values":[[10,true]]}'))
    assert (table_of(series).tags, table_of(series).columns["row"].tolist()) == ({"a": "x,y"}, [1.0])
    (series,), _ = series_of(answered('{"name":"u","columns":["time","p"]}'))
    assert len(table_of(series).columns["p"]) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"error\nno such thing\n",
        b'{"results":[{"series":[{"name":"r","columns":["time","value"],"values":[[10,1.5],[20',
        answered('{"name":"r","columns":["time","value"],"values":[[10,1.5],[20]]}'),
        answered('{"name":"r","columns":["time","value"],"values":[[10,"words"]]}'),
        answered('{"name":"r","columns":["time","value"],"values":[[10,1.5]],"partial":true}'),
    ],
)
def test_an_answer_that_is_none_or_cut_short_is_no_data(body):
    with pytest.raises(StoreUnavailable):
        list(map(table_of, series_of(body)[0]))


def test_tags_come_from_the_registry_as_it_is_now(make, url):
    registry = Registry()
    store = make(registry)
    store.write(one(10))
    registry.change(replace(CATALOGUE, meters=(replace(CATALOGUE.meters[0], building="west wing"),)))
    store.write(one(20))
    wire = connect(influx_address(url))
    found = wire.ask_json("SELECT value FROM raw.reading GROUP BY *")
    wire.client.close()
    assert [series.tags["building"] for series in found] == ["hall", "west wing"]
    assert set(found[0].tags) == {"site", "building", "meter", "quantity", "channel"}
    assert store.read([POWER], 0, 100)[POWER].t_ms.tolist() == [10, 20]


def test_a_point_that_is_not_in_the_registry_is_refused(make):
    with pytest.raises(Rejected, match="unknown_point: x/active_power/total"):
        make().write(ReadingBatch([POWER, "x/active_power/total"], [0, 1], [10, 10], [1.0, 1.0]))
    assert make().totals() == {}


def test_without_a_registry_a_store_is_read_and_never_written(make, url, opened):
    make().write(one(10))
    opened.append(open_readings(url))
    assert opened[-1].totals()[POWER].count == 1
    with pytest.raises(ConfigError, match="only with the registry"):
        opened[-1].write(one(20))


def test_the_database_of_another_site_is_left_alone(make):
    make().write(one(10))
    foreign = make(Registry(replace(CATALOGUE, site=replace(CATALOGUE.site, id="village"))))
    said = "holds the readings of site 'town', the registry is of site 'village'"
    for call in (lambda: foreign.write(one(20)), foreign.latest, lambda: foreign.read_rollup("usage_1h", {}, 0, 1)):
        with pytest.raises(StoreUnavailable, match=said):
            call()
    assert make().totals()[POWER].count == 1


def test_the_database_of_a_newer_meterhouse_is_left_alone(make, url):
    wire = connect(influx_address(url))
    wire.write("daily", b'meterhouse schema=99i,site="town" %d' % (time.time_ns() // 1_000_000 + 1))
    wire.client.close()
    with pytest.raises(StoreUnavailable, match="newer Meterhouse"):
        make().write(one(10))


def test_a_database_that_was_given_to_another_site_meanwhile_is_written_no_more(make, url):
    store = make()
    store.write(one(10))
    wire = connect(influx_address(url))
    wire.write("daily", b'meterhouse schema=1i,site="village" %d' % (time.time_ns() // 1_000_000 + 1))
    wire.client.close()
    for call in (store.probe, lambda: store.write(one(20))):
        with pytest.raises(StoreUnavailable, match="holds the readings of site 'village'"):
            call()


def test_a_probe_needs_the_registry_only_once(make):
    registry = Registry()
    store = make(registry)
    store.probe()

    def away():
        raise StoreUnavailable("the records are away")

    registry.version = away
    with pytest.raises(StoreUnavailable, match="records are away"):
        make(registry).probe()
    store.probe()


def test_a_database_that_does_not_exist_is_no_empty_one(server, opened):
    opened.append(open_readings(server.url_of("nowhere"), Registry()))
    for call in (
        opened[0].latest,
        opened[0].totals,
        lambda: opened[0].write(one(10)),
        lambda: opened[0].changes(0),
        opened[0].probe,
    ):
        with pytest.raises(StoreUnavailable, match=r"not found.*run meterhouse store init"):
            call()


def test_good_readings_say_nothing_of_quality_outside_a_doubtful_stretch(make, url):
    make().write_many([one(10), one(20, q=2), one(40, q=3), one(50)])
    make().write_many([one(30), one(60)])  # another process finds the stretch
    wire = connect(influx_address(url))
    (found,) = wire.ask_json("SELECT q FROM raw.reading")
    wire.client.close()
    assert [(t // 1_000_000, q) for t, q in found.values] == [(20, 2), (30, 0), (40, 3)]


def test_a_reader_whose_cursor_is_older_than_the_log_is_told_everything(make, url):
    store = make()
    store.write_many([one(10), one(20)])
    cursor = store.changes(0).cursor
    wire = connect(influx_address(url))
    wire.ask_json('DROP MEASUREMENT "change"')
    assert (store.changes(cursor).cursor, dict(store.changes(cursor).ranges)) == (1, {POWER: (10, 20)})
    assert store.cursor() == 1
    assert dict(store.changes(1).ranges) == {}  # told once, not for ever
    store.write(one(30))
    assert dict(store.changes(1).ranges) == {POWER: (10, 30)}
    assert dict(store.changes(store.changes(1).cursor).ranges) == {}
    wire.client.close()


def test_a_log_as_it_was_kept_before_is_read_on(make, url):
    """With an entry of its own for each point, before the line that makes them count."""
    make().probe()
    wire = connect(influx_address(url))
    early, late = time.time_ns() - 2 * 10**9, time.time_ns() - 10**9
    for stamp, first, last in ((early, 10, 20), (late, 5, 7)):
        entry = f"written,point={POWER} first={first}i,last={last}i {stamp}"
        wire.write(LOG, f"{entry}\nwrite points=1i {stamp}".encode(), "ns")
    store = make()
    assert store.cursor() == late
    assert dict(store.changes(early).ranges) == {POWER: (5, 7)}
    assert dict(store.changes(late).ranges) == {}
    store.write(one(30))
    assert dict(store.changes(early).ranges) == {POWER: (5, 30)}
    assert dict(store.changes(late).ranges) == {POWER: (30, 30)}
    assert dict(store.changes(store.cursor()).ranges) == {}
    wire.client.close()


def test_the_log_stands_in_few_series_whatever_the_estate(make, url):
    log = ChangeLog(wire := connect(influx_address(url)), time.time_ns)
    make().probe()
    points = {f"meter-{n}/energy_import/total": (n, n + 1) for n in range(2_100)}
    log.add({"first/energy_import/total": (1, 2)})
    cursor = log.cursor()
    log.add(points)
    log.add({"meter-7/energy_import/total": (3, 90)})
    changes = log.since(cursor)
    assert dict(changes.ranges) == points | {"meter-7/energy_import/total": (3, 90)}
    assert log.since(changes.cursor).ranges == {}
    listed = wire.ask_json("SHOW SERIES")
    assert sum(len(series.values) for series in listed) < 15
    wire.client.close()


def test_two_writers_whose_clocks_differ_hide_nothing_from_a_reader(url, opened):
    def writer(clock_ns):
        opened.append(InfluxStore(connect(influx_address(url)), Registry(), clock_ns))
        return opened[-1]

    now_ns = time.time_ns()
    early, late = writer(lambda: now_ns - 10**12), writer(lambda: now_ns)
    late.write(one(10))
    cursor = early.changes(0).cursor
    early.write(one(20))
    changes = late.changes(cursor)
    assert dict(changes.ranges) == {POWER: (20, 20)}
    assert dict(late.changes(changes.cursor).ranges) == {}


def test_two_writers_that_are_behind_a_third_at_once_do_not_hide_each_other(url, opened):
    met, now_ns = threading.Barrier(2), time.time_ns()
    waiting = [met, met]

    class Together(InfluxWire):
        def ask_json(self, query):
            found = super().ask_json(query)
            if found and "WHERE time >" in query and waiting:
                waiting.pop().wait(PATIENCE_S)
            return found

    def writer(wire, clock_ns):
        opened.append(InfluxStore(wire, Registry(), lambda: clock_ns))
        return opened[-1]

    ahead = writer(connect(influx_address(url)), now_ns)
    ahead.write(one(10))
    cursor = ahead.changes(0).cursor
    wires = [connect(influx_address(url)) for _ in range(2)]
    two = [writer(Together(w.address, w.client), now_ns - 10**12 - i) for i, w in enumerate(wires)]
    threads = [threading.Thread(target=store.write, args=(one(20 + i),)) for i, store in enumerate(two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not waiting
    assert dict(ahead.changes(cursor).ranges) == {POWER: (20, 21)}


def test_tags_with_signs_of_the_protocol_come_back_as_they_were(make):
    store = make()
    store.write_rollup("usage_1h", [RollupSeries(USAGE, np.array([0]), {"qty": np.array([1.0])})])
    (series,) = store.read_rollup("usage_1h", {"enduse": "a, b=c"}, 0, 1)
    assert series.tags == USAGE


@pytest.fixture
def cut_short(url, opened):
    """A rewriting that died right after deleting, before it wrote back what it had put by."""

    class CutAfter(InfluxWire):
        def delete(self, *what):
            super().delete(*what)
            raise StoreUnavailable("cut short right after deleting")

    def cut(gone):
        wire = connect(influx_address(url))
        opened.append(InfluxStore(CutAfter(wire.address, wire.client), Registry(), time.time_ns))
        with pytest.raises(StoreUnavailable, match="cut short"):
            opened[-1].write_rollup("usage_1h", [gone])

    return cut


def test_a_rollup_that_is_cut_short_while_a_figure_is_taken_away_is_made_whole(make, cut_short):
    store = make()
    t_ms = np.array([0, 3_600_000, 7_200_000])
    figures = {"qty": np.array([1.0, 2.0, 3.0]), "cost": np.array([5.0, 6.0, 7.0])}
    store.write_rollup("usage_1h", [RollupSeries(USAGE, t_ms, figures)])
    gone = RollupSeries(USAGE, t_ms[1:2], {"qty": np.array([math.nan])})
    cut_short(gone)
    (left,) = store.read_rollup("usage_1h", {}, 0, 10**9, ["cost"])
    assert left.t_ms.tolist() == [0, 7_200_000]
    fresh = make()
    fresh.write_rollup("usage_1h", [gone])  # whoever was cut short does it again
    (series,) = fresh.read_rollup("usage_1h", {}, 0, 10**9, ["qty", "cost"])
    assert series.t_ms.tolist() == t_ms.tolist()
    assert series.fields["cost"].tolist() == [5.0, 6.0, 7.0]
    assert [math.isnan(x) for x in series.fields["qty"]] == [False, True, False]
    assert list(fresh._wire.ask('SELECT "row" FROM hourly.usage_1h_put_by')) == []


def test_what_was_put_by_does_not_come_back_after_it_was_deleted(make, cut_short):
    hour = np.array([0])
    make().write_rollup("usage_1h", [RollupSeries(USAGE, hour, {"qty": np.array([1.0])})])
    cut_short(RollupSeries(USAGE, hour, {"qty": np.array([math.nan])}))
    fresh = make()
    fresh.delete_rollup("usage_1h", {}, 0, 1)
    fresh.write_rollup("usage_1h", [RollupSeries(USAGE, hour + 10, {"qty": np.array([2.0])})])
    (series,) = fresh.read_rollup("usage_1h", {}, 0, 100)
    assert series.t_ms.tolist() == [10]


def test_preparing_again_changes_what_is_kept_and_nothing_else(make, url):
    from stores.readings.influx.setup import Retention, kept_days  # noqa: PLC0415

    store = make()
    now_ms = time.time_ns() // 1_000_000
    store.write(one(now_ms))
    make_ready(url, "town", Retention(400, 3650, 0))
    wire = connect(influx_address(url))
    assert kept_days(wire) == {"raw": 400, "hourly": 3650, "daily": 0, "log": 7}
    make_ready(url, "town")  # nothing is said, so nothing changes
    assert kept_days(wire)["raw"] == 400
    make_ready(url, "town", Retention(raw_days=0))
    assert (kept_days(wire)["raw"], kept_days(wire)["hourly"]) == (0, 3650)
    wire.client.close()
    assert store.totals()[POWER].count == 1
