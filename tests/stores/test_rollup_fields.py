"""Rollups with whole numbers and texts: in files of an older layout, over small bodies, copied from store to store."""

import sqlite3

import pytest
from rigs.influx_server import InfluxServer, make_ready
from rigs.influx_town import Registry
from rigs.trial_rollup import TRIAL, add_trial, mixed, rows_of

from accounting.local_time import DAY_MS, HOUR_MS, MINUTE_MS
from facility.errors import Rejected
from stores.readings import open_readings
from stores.readings.influx.address import influx_address
from stores.readings.influx.wire import connect
from stores.readings.memory import MemoryStore
from stores.readings.migrate import copy
from stores.readings.rollup_columns import FieldType
from stores.readings.rollups import ROLLUPS, TAGS, RetentionClass
from stores.readings.sqlite.store import SqliteStore

FLOATS = dict.fromkeys(("count", "x"), FieldType.FLOAT)
INTEGER = {"count": FieldType.INTEGER, "x": FieldType.FLOAT}
BIG = 2**53 + 1
COLUMNS = {FieldType.FLOAT: "REAL", FieldType.INTEGER: "INTEGER", FieldType.TEXT: "TEXT"}


def floats(*counts):
    series = mixed(range(0, HOUR_MS * len(counts), HOUR_MS), x=[0.5] * len(counts))
    series.fields["count"] = series.fields["x"] * 0 + counts
    return series


def test_every_rollup_says_its_step_and_its_retention_class():
    """What was once asked of a name's ending."""
    said = {name: (rollup.step_ms, rollup.retention.value) for name, rollup in ROLLUPS.items()}
    assert said == {
        "usage_1h": (HOUR_MS, "hourly"),
        "usage_1d": (DAY_MS, "daily"),
        "building_1h": (HOUR_MS, "hourly"),
        "building_1d": (DAY_MS, "daily"),
        "baseline_1h": (HOUR_MS, "hourly"),
        "profile_day": (DAY_MS, "daily"),
        "live": (MINUTE_MS, "raw"),
        "events": (HOUR_MS, "daily"),
        "device_health": (MINUTE_MS, "raw"),
        "platform_1m": (MINUTE_MS, "raw"),
        "score_1m": (MINUTE_MS, "hourly"),
        "quota": (DAY_MS, "daily"),
        "alert_1d": (DAY_MS, "daily"),
    }
    assert {name: rollup.total for name, rollup in ROLLUPS.items() if rollup.total} == {
        "usage_1h": "building_1h",
        "usage_1d": "building_1d",
    }


def test_every_tag_and_field_has_a_meaning_and_one_unit():
    said = {}
    for name, rollup in ROLLUPS.items():
        assert set(rollup.tags) <= TAGS.keys(), name
        assert not set(rollup.said) & {"series", "t_ms", "row", "time", *rollup.tags}, "names of the stores' own"
        for field, one in rollup.said.items():
            assert one.meaning
            assert not one.meaning.endswith("."), f"{name}.{field}"
            said.setdefault(field, set()).add(one.unit)
    assert {field: units for field, units in said.items() if len(units) > 1} == {}


@pytest.mark.parametrize("kept", RetentionClass)
def test_rows_are_kept_as_their_class_says(url, monkeypatch, kept):
    trial = add_trial(monkeypatch, retention=kept)
    store = open_readings(url, Registry())
    store.write_rollup(trial, [mixed([0], note=["a"])])
    wire = connect(influx_address(url))
    asked = {one: f"SELECT note FROM {one.value}.trial" for one in RetentionClass}  # noqa: S608 - no name from outside
    assert [one for one, query in asked.items() if wire.ask_json(query)] == [kept]
    wire.client.close()
    store.close()


def test_a_sqlite_file_in_which_a_whole_number_was_a_float_is_read_and_then_keeps_it_exactly(tmp_path, monkeypatch):
    path, trial = tmp_path / "readings.db", add_trial(monkeypatch, FLOATS)
    older = SqliteStore(path)
    older.write_rollup(trial, [floats(1.0, 7.0, float("nan"))])
    older.close()
    add_trial(monkeypatch, INTEGER)
    for _ in range(2):
        store = SqliteStore(path)
        assert [row["count"] for row in rows_of(store, trial).values()] == [1, 7, None]
        assert {row["x"] for row in rows_of(store, trial).values()} == {0.5}
        store.close()
    store = SqliteStore(path)
    store.write_rollup(trial, [mixed([0], count=[BIG])])
    assert rows_of(store, trial)[0] == {"count": BIG, "x": 0.5}
    store.close()
    kinds = {row[1]: row[2] for row in sqlite3.connect(path).execute("PRAGMA table_info(trial)")}
    assert (kinds["count"], kinds["x"]) == ("INTEGER", "REAL")


def test_a_file_of_the_present_layout_is_left_as_it_is(tmp_path):
    path = tmp_path / "readings.db"
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    for name, rollup in ROLLUPS.items():
        kinds = {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({name})")}
        assert kinds == {"series": "INTEGER", "t_ms": "INTEGER", "seal": "INTEGER"} | {
            name: COLUMNS[kind] for name, kind in rollup.types.items()
        }
    before = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    SqliteStore(path).close()
    assert connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == before
    connection.close()


def test_an_influx_field_that_was_a_float_is_read_beside_later_whole_numbers(url, monkeypatch):
    trial = add_trial(monkeypatch, FLOATS, RetentionClass.HOURLY)
    older = open_readings(url, Registry())
    older.write_rollup(trial, [floats(1.0, 7.0)])
    older.close()
    add_trial(monkeypatch, INTEGER, RetentionClass.HOURLY)
    store, later = open_readings(url, Registry()), 400 * DAY_MS  # another file of the server
    store.write_rollup(trial, [mixed([later], count=[BIG])])
    assert {t_ms: row["count"] for t_ms, row in rows_of(store, trial).items()} == {0: 1, HOUR_MS: 7, later: BIG}
    with pytest.raises(Rejected, match="field_type_conflict"):
        store.write_rollup(trial, [mixed([0], count=[2])])
    store.close()


def test_a_body_is_never_parted_inside_a_text():
    with InfluxServer({"INFLUXDB_HTTP_MAX_BODY_SIZE": "900"}) as strict, pytest.MonkeyPatch.context() as patch:
        trial, url = add_trial(patch), strict.url_of("small")
        make_ready(url, "town")
        store, texts = open_readings(url, Registry()), ["line\n" * (50 + i) for i in range(40)]
        store.write_rollup(trial, [mixed(range(40), note=texts)])
        assert [row["note"] for row in rows_of(store, trial).values()] == texts
        with pytest.raises(Rejected):
            store.write_rollup(trial, [mixed([100], note=["line\n" * 400])])
        assert len(rows_of(store, trial)) == 40
        store.close()


def test_whole_numbers_and_texts_are_copied_and_compared(url, monkeypatch, tmp_path):
    trial = add_trial(monkeypatch)
    source, between, target = MemoryStore(), open_readings(url, Registry()), SqliteStore(tmp_path / "readings.db")
    rows = mixed([0, HOUR_MS], count=[BIG, None], note=['a "b"\nc', None], x=[float("nan"), 1.0])
    source.write_rollup(trial, [rows])
    for one, other in ((source, between), (between, target)):
        assert [(copied.rows, copied.differences) for copied in (move(one, other), move(one, other))] == [
            (2, []),
            (0, []),
        ]
    assert rows_of(target, trial) == rows_of(source, trial)
    target.write_rollup(trial, [mixed([0], note=["another"])])
    source.delete_rollup(trial, TRIAL, 0, HOUR_MS)
    (difference,) = move(source, target).differences
    assert "rows in the source: 1, others in the target: 2" in difference
    between.close()
    target.close()


def move(source, target):
    return copy(source, target, lambda _: None)
