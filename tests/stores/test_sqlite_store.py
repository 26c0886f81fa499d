"""The embedded store among other processes, full disks, sudden deaths and strange files."""

import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from rigs.patience import PATIENCE_S

from facility.errors import ConfigError, StoreUnavailable
from facility.model import ReadingBatch
from stores.readings import open_readings
from stores.readings.memory import MemoryStore
from stores.readings.port import RollupSeries
from stores.readings.sqlite import store as sqlite
from stores.readings.sqlite.schema import SCHEMA
from stores.readings.sqlite.store import SqliteStore

POINT = "main/active_power/total"


def run(script, *arguments, **options):
    """Start another process on the store whose path is its first argument."""
    lines = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.Popen(lines, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def finish(process):
    """What the process printed, after checking that it ended well."""
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    return out


def one(t_ms, x=1.0, point=POINT):
    return ReadingBatch([point], [0], [t_ms], [x])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "readings.db"


@pytest.fixture
def store(path):
    store = SqliteStore(path)
    yield store
    store.close()


WRITE_ONE = """
    import sys
    from pathlib import Path
    from facility.model import ReadingBatch
    from stores.readings.sqlite.store import SqliteStore
    store = SqliteStore(Path(sys.argv[1]))
    store.write(ReadingBatch(["other/active_power/total"], [0, 0], [50, 60], [1.0, 2.0]))
    store.close()
"""


def test_what_another_process_wrote_is_seen(path, store):
    store.write(one(10))
    cursor = store.changes(0).cursor
    finish(run(WRITE_ONE, path))
    assert dict(store.changes(cursor).ranges) == {"other/active_power/total": (50, 60)}
    assert store.read(["other/active_power/total"], 0, 100)["other/active_power/total"].x.tolist() == [1.0, 2.0]
    assert store.latest()["other/active_power/total"].t_ms == 60


def test_several_processes_may_open_a_new_file_at_once(path):
    for process in [run(WRITE_ONE, path) for _ in range(4)]:
        finish(process)
    store = SqliteStore(path)
    assert store.totals()["other/active_power/total"].count == 2
    store.close()


WRITE_FOR_EVER = """
    import sys
    from pathlib import Path
    from facility.model import ReadingBatch
    from stores.readings.sqlite.store import SqliteStore
    store = SqliteStore(Path(sys.argv[1]))
    first = int(sys.argv[2])
    for i in range(first, first + 100_000):
        points = [f"m{n}/active_power/total" for n in range(20)]
        store.write(ReadingBatch(points, list(range(20)), [i] * 20, [float(i)] * 20))
        print(i, flush=True)
"""


def test_a_killed_writer_loses_no_acknowledged_batch(path):
    acknowledged = []
    for start in (0, 1_000_000, 2_000_000):
        writer = run(WRITE_FOR_EVER, path, start)
        acknowledged += [int(writer.stdout.readline()) for _ in range(40)]
        writer.kill()
        rest, _ = writer.communicate()
        acknowledged += [int(line) for line in rest.split("\n")[:-1]]
    store = SqliteStore(path)
    points = [f"m{n}/active_power/total" for n in range(20)]
    stored = store.read(points, 0, 10**9)
    counts = {len(series) for series in stored.values()}
    assert set(acknowledged) <= set(stored[points[0]].t_ms.tolist())
    assert len(counts) == 1, "a batch is stored whole or not at all"
    assert dict(store.changes(0).ranges).keys() == set(points)
    store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_threads_may_share_the_store(store):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: store.write(one(i, float(i), f"m{i % 5}/active_power/total")), range(80)))
        counts = list(pool.map(lambda _: sum(t.count for t in store.totals().values()), range(8)))
    assert counts == [80] * 8


def test_a_locked_file_is_unavailable_and_nothing_is_stored(path):
    store = SqliteStore(path, busy_timeout_s=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.write(one(10))
    assert store.totals() == {}
    other.execute("ROLLBACK")
    other.close()
    store.write(one(10))
    assert store.totals()[POINT].count == 1
    store.close()


FILL = """
    import resource, sys
    from pathlib import Path
    from facility.errors import StoreUnavailable
    from facility.model import ReadingBatch
    from stores.readings.sqlite.store import SqliteStore
    store = SqliteStore(Path(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    def rows(i):
        return ReadingBatch(["main/active_power/total"], [0] * 500, list(range(i * 500, i * 500 + 500)), [1.0] * 500)
    acknowledged, i = 0, 0
    try:
        while i < 1000:
            store.write(rows(i))
            i, acknowledged = i + 1, acknowledged + 500
    except StoreUnavailable as error:
        print("unavailable", error)
    assert store.totals()["main/active_power/total"].count == acknowledged, "nothing of the failed write is kept"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.write(rows(i))
    assert store.totals()["main/active_power/total"].count == acknowledged + 500
    store.close()
"""


def test_a_full_disk_is_unavailable_and_the_store_goes_on_when_there_is_room(path):
    assert finish(run(FILL, path)).startswith("unavailable")


def test_the_write_log_is_folded_and_tells_no_less(store, monkeypatch, path):
    monkeypatch.setattr(sqlite, "FOLD_AFTER", 50)
    cursors = []
    for t in range(300):
        store.write(one(t, point=f"m{t % 3}/active_power/total"))
        cursors.append(store.changes(cursors[-1] if cursors else 0).cursor)
    connection = sqlite3.connect(path)
    (entries,) = connection.execute("SELECT count(*) FROM write_log").fetchone()
    connection.close()
    assert entries <= 103
    for t, cursor in enumerate(cursors):
        ranges = store.changes(cursor).ranges
        for later in range(t + 1, 300):
            first, last = ranges[f"m{later % 3}/active_power/total"]
            assert first <= later <= last
    assert dict(store.changes(cursors[-11]).ranges)["m0/active_power/total"] == (291, 297), "recent ranges stay exact"


def test_a_file_of_a_newer_meterhouse_is_refused(path):
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={SCHEMA + 1}")
    connection.close()
    with pytest.raises(ConfigError, match=rf"written by a newer Meterhouse \(schema {SCHEMA + 1}, this one reads"):
        SqliteStore(path)


def test_a_probe_tells_a_file_that_a_newer_meterhouse_has_changed_or_that_is_damaged(path, store):
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={SCHEMA + 1}")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with pytest.raises(StoreUnavailable, match="written by a newer Meterhouse"):
        store.probe()
    with path.open("r+b") as file:
        file.write(bytes(100))
    with pytest.raises(StoreUnavailable, match=r"readings\.db"):
        store.probe()


def test_a_field_that_rollups_gained_gets_its_column(path, monkeypatch):
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE usage_1h DROP COLUMN occ")
    connection.close()
    store = SqliteStore(path)
    assert store.read_rollup("usage_1h", {}, 0, 1, ["occ"]) == []
    store.close()


def test_a_strange_file_is_refused(tmp_path):
    text = tmp_path / "text.db"
    text.write_text("not a database at all, but long enough to be looked at" * 40)
    with pytest.raises(ConfigError, match="is not a readings file"):
        SqliteStore(text)
    connection = sqlite3.connect(tmp_path / "other.db")
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    with pytest.raises(ConfigError, match="is the database of another program"):
        SqliteStore(tmp_path / "other.db")


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"the folder .*absent for readings.db does not exist"):
        SqliteStore(tmp_path / "absent" / "readings.db")


OPEN_AS_NOBODY = """
    import os, sys
    from pathlib import Path
    from facility.errors import ConfigError
    from stores.readings.sqlite.store import SqliteStore
    from stores.records.database import open_records
    if os.getuid() == 0:
        os.setuid(65534)
    for attempt in (lambda p: SqliteStore(p), lambda p: open_records(f"sqlite:///{p}")):
        try:
            attempt(Path(sys.argv[1]))
        except ConfigError as error:
            print(error)
"""


@pytest.fixture
def read_only_folder():
    """A folder that nobody may write, in a place that everybody may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    folder.rmdir()


def test_a_read_only_folder_is_refused_in_one_sentence(read_only_folder):
    said = finish(run(OPEN_AS_NOBODY, read_only_folder / "kept.db")).splitlines()
    assert said == [f"the folder {read_only_folder} for kept.db is read-only"] * 2


def test_a_closed_store_says_so(store):
    store.close()
    with pytest.raises(StoreUnavailable, match="has been closed"):
        store.latest()


def test_a_url_chooses_the_store(tmp_path):
    assert isinstance(open_readings("memory:"), MemoryStore)
    for slashes in ("sqlite://", "sqlite:///"):
        open_readings(f"{slashes}{tmp_path}/readings.db").close()
    assert (tmp_path / "readings.db").is_file()


@pytest.mark.parametrize("url", ["", "sqlite:///", "sqlite:readings.db", "postgresql://me:secret@host/db", "/var/x.db"])
def test_another_url_is_refused_naming_what_is_allowed(url):
    with pytest.raises(ConfigError, match=r"allowed: memory: or sqlite:///absolute/path") as refusal:
        open_readings(url)
    assert "secret" not in str(refusal.value)


def test_it_keeps_no_connection_for_each_thread(store):
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda i: store.write(one(i)), range(40)))
    assert len(store._file._idle) <= 4


def test_files_are_opened_durably(store, path):
    with store._file.reading() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert path.with_name("readings.db-wal").exists()


def test_a_file_in_which_the_newest_readings_had_a_table_of_their_own_is_taken_over(tmp_path):
    path = tmp_path / "readings.db"
    store = SqliteStore(path)
    store.write(ReadingBatch([POINT, "other/voltage/total"], [0, 0, 1], [1000, 2000, 500], [1.0, 2.0, 230.0]))
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE latest (series INTEGER PRIMARY KEY, t_ms INTEGER, x REAL, q INTEGER)")
    connection.execute("INSERT INTO latest VALUES (1, 1000, 1.0, 0)")
    connection.execute("PRAGMA user_version=1")
    connection.commit()
    connection.close()
    store = SqliteStore(path)
    assert {point: (latest.t_ms, latest.x) for point, latest in store.latest().items()} == {
        POINT: (2000, 2.0),
        "other/voltage/total": (500, 230.0),
    }
    store.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'latest'").fetchone() == (0,)
    connection.close()


def minute(k, t_ms, value):
    tags = {
        "site": "s", "building": "b", "utility": "", "meter": f"m{k}", "role": "sub", "quantity": "voltage",
        "channel": "total",
    }  # fmt: skip
    return RollupSeries(tags, np.array([t_ms]), {"value": np.array([value]), "n": np.array([1.0])})


def test_a_minute_of_a_whole_estate_is_written_in_a_few_pages(tmp_path):
    store, wal = SqliteStore(tmp_path / "readings.db"), tmp_path / "readings.db-wal"
    for t_ms in range(0, 200 * 60_000, 60_000):
        store.write_rollup("live", [minute(k, t_ms, float(t_ms + k)) for k in range(200)])
    with store._file.reading() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA wal_autocheckpoint=0")
    store.write_rollup("live", [minute(k, 200 * 60_000, 1.0) for k in range(200)])
    assert wal.stat().st_size / 200 < 500
    (of_one,) = store.read_rollup("live", {"meter": "m7"}, 60_000, 4 * 60_000)
    assert (of_one.t_ms.tolist(), of_one.fields["value"].tolist()) == (
        [60_000, 120_000, 180_000],
        [60_007.0, 120_007.0, 180_007.0],
    )
    store.close()


def test_a_file_whose_minutes_stood_by_series_is_taken_over(tmp_path):
    path = tmp_path / "readings.db"
    store = SqliteStore(path)
    store.write_rollup("live", [minute(k, t_ms, k + t_ms / 1e6) for k in range(3) for t_ms in (0, 60_000)])
    expected = [
        (one.tags, one.t_ms.tolist(), one.fields["value"].tolist()) for one in store.read_rollup("live", {}, 0, 2**52)
    ]
    store.close()
    connection = sqlite3.connect(path)
    connection.executescript(
        "ALTER TABLE live RENAME TO newer; CREATE TABLE live (series INTEGER NOT NULL, t_ms INTEGER NOT NULL,"
        " value REAL, PRIMARY KEY (series, t_ms)) WITHOUT ROWID;"
        " INSERT INTO live SELECT series, t_ms, value FROM newer; DROP TABLE newer"
    )
    connection.close()
    for _ in range(2):
        store = SqliteStore(path)
        found = store.read_rollup("live", {}, 0, 2**52)
        assert [(one.tags, one.t_ms.tolist(), one.fields["value"].tolist()) for one in found] == expected
        store.close()
    connection = sqlite3.connect(path)
    keys = {row[5]: row[1] for row in connection.execute("PRAGMA table_info(live)")}
    assert (keys[1], keys[2]) == ("t_ms", "series")
    connection.close()


def test_a_reading_costs_the_page_that_holds_it_and_little_more(tmp_path):
    """Four readings a transaction, each of another point, as 500 points read once a minute come in."""
    store, points, path = SqliteStore(tmp_path / "readings.db"), [f"m{n}/voltage/total" for n in range(400)], tmp_path
    for point in points:
        store.write(ReadingBatch([point], [0] * 300, list(range(300)), [230.0] * 300))
    wal = path / "readings.db-wal"
    connection = sqlite3.connect(path / "readings.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for begin in range(0, len(points), 4):
        some = points[begin : begin + 4]
        store.write(ReadingBatch(some, [0, 1, 2, 3], [1000] * 4, [231.0] * 4))
    connection.close()
    frames = wal.stat().st_size / (4096 + 24)
    store.close()
    assert frames / len(points) < 1.5
