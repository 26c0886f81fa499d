"""The file of the embedded reading store: opened and checked once, its connections lent to one call at a time."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from accounting.local_time import MINUTE_MS
from facility.errors import ConfigError, StoreUnavailable
from stores.folder import check_folder
from stores.readings.rollup_columns import FieldType
from stores.readings.rollups import ROLLUPS, Rollup
from stores.wal import use_wal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA = 2
"""2: the newest reading of a point is the last of its rows; a table of its own cost a page more for each reading."""

IDLE_CONNECTIONS = 4

_SETTINGS = (
    "PRAGMA synchronous=FULL; PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=4000;"
)
"""A page written again and again goes from the log into the file every 16 MB: every 4 MB costs a quarter more."""

_TABLES = (
    "CREATE TABLE series (id INTEGER PRIMARY KEY, point TEXT NOT NULL UNIQUE)",
    (
        "CREATE TABLE reading (series INTEGER NOT NULL, t_ms INTEGER NOT NULL, x REAL NOT NULL, q INTEGER NOT NULL,"
        " PRIMARY KEY (series, t_ms)) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE write_log (id INTEGER PRIMARY KEY, series INTEGER NOT NULL, first_ms INTEGER NOT NULL,"
        " last_ms INTEGER NOT NULL)"
    ),
    (
        "CREATE TABLE rollup_series (id INTEGER PRIMARY KEY, rollup TEXT NOT NULL, tags TEXT NOT NULL,"
        " UNIQUE (rollup, tags))"
    ),
)


_COLUMNS = {FieldType.FLOAT: "REAL", FieldType.INTEGER: "INTEGER", FieldType.TEXT: "TEXT"}


class SqliteFile:
    """A SQLite file in WAL mode: several processes may read while one writes.

    A connection serves one call and goes back to the idle ones, so threads may share the store and no thread
    that ends takes a connection with it. A connection that failed is closed, never lent again.
    """

    def __init__(self, path: Path, busy_timeout_s: float) -> None:
        """Open or create the file. Raises ``ConfigError`` where it cannot be used as it is."""
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._lock = Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        check_folder(path)
        try:
            self._prepare()
        except sqlite3.OperationalError as error:
            raise ConfigError(f"the readings in {path} cannot be opened for writing: {error}") from None
        except sqlite3.DatabaseError as error:
            raise ConfigError(f"{path} is not a readings file: {error}") from None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; each statement sees one consistent state."""
        connection = self._take()
        try:
            yield connection
        except sqlite3.Error as error:
            connection.close()
            raise StoreUnavailable(f"{self._path}: {error}") from error
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection inside one transaction: on disk when the block ends, undone when it raises."""
        with self.reading() as connection:
            # Taking the write lock first means waiting here, never failing halfway.
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def probe(self) -> None:
        """Raises ``StoreUnavailable`` where the file cannot be read, or a newer Meterhouse has changed it meanwhile."""
        with self.reading() as connection:
            (schema,) = connection.execute("PRAGMA user_version").fetchone()
        if schema != SCHEMA:
            raise StoreUnavailable(_newer(self._path, schema))

    def close(self) -> None:
        """Close every idle connection; one that is lent closes when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise StoreUnavailable(f"{self._path} has been closed")
            if self._idle:
                return self._idle.pop()
        try:
            return self._connect()
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{self._path}: {error}") from error

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < IDLE_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        wait = self._busy_timeout_s
        connection = sqlite3.connect(self._path, timeout=wait, isolation_level=None, check_same_thread=False)
        try:
            connection.executescript(_SETTINGS)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _prepare(self) -> None:
        connection = self._connect()
        try:
            use_wal(connection, self._busy_timeout_s)
            connection.execute("BEGIN IMMEDIATE")
            _bring_up_to_date(connection, self._path)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """Create or extend the tables; refuse a file of a newer Meterhouse and one that is not ours."""
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    if schema > SCHEMA:
        raise ConfigError(_newer(path, schema))
    if schema == 0:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            raise ConfigError(f"{path} is the database of another program")
        for statement in _TABLES:
            connection.execute(statement)
    if schema == 1:
        connection.execute("DROP TABLE latest")
    if schema < SCHEMA:
        connection.execute(f"PRAGMA user_version={SCHEMA}")
    for name, rollup in ROLLUPS.items():
        _follow_rollup(connection, name, rollup)


def _newer(path: Path, schema: int) -> str:
    return f"{path} was written by a newer Meterhouse (schema {schema}, this one reads {SCHEMA})"


def is_by_time(rollup: Rollup) -> bool:
    """Whether rows of one instant stand together: what a whole estate says of a minute is then written in a few pages.

    Of hours and days those of one series stand together, for they are read by the year.
    """
    return rollup.step_ms <= MINUTE_MS


def _follow_rollup(connection: sqlite3.Connection, name: str, rollup: Rollup) -> None:
    """Give the rollup a table with a column per field; one that is new, or of another type now, is added."""
    key = ("t_ms", "series") if is_by_time(rollup) else ("series", "t_ms")
    columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
    if columns and tuple(row[1] for row in sorted(columns, key=lambda row: row[5]) if row[5]) != key:
        _order_anew(connection, name, rollup, key)
    connection.execute(_table(name, key))
    present = {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({name})")}
    for field, kind in rollup.types.items():
        if field not in present:
            connection.execute(f"ALTER TABLE {name} ADD COLUMN {field} {_COLUMNS[kind]}")
        elif present[field] != _COLUMNS[kind]:
            _change_type(connection, name, field, _COLUMNS[kind])


def _table(name: str, key: tuple[str, str]) -> str:
    return (
        f"CREATE TABLE IF NOT EXISTS {name} (series INTEGER NOT NULL, t_ms INTEGER NOT NULL,"
        f" PRIMARY KEY ({', '.join(key)})) WITHOUT ROWID"
    )


def _order_anew(connection: sqlite3.Connection, name: str, rollup: Rollup, key: tuple[str, str]) -> None:
    """A table whose rows stood in another order."""
    connection.execute(f"ALTER TABLE {name} RENAME TO {name}_before")
    connection.execute(_table(name, key))
    present = [row[1] for row in connection.execute(f"PRAGMA table_info({name}_before)")]
    for field in [field for field in rollup.types if field in present]:
        connection.execute(f"ALTER TABLE {name} ADD COLUMN {field} {_COLUMNS[rollup.types[field]]}")
    kept = ", ".join(["series", "t_ms", *(field for field in rollup.types if field in present)])
    connection.execute(
        f"INSERT INTO {name} ({kept}) SELECT {kept} FROM {name}_before ORDER BY {', '.join(key)}"  # noqa: S608 - names of ROLLUPS
    )
    connection.execute(f"DROP TABLE {name}_before")


def _change_type(connection: sqlite3.Connection, name: str, field: str, kind: str) -> None:
    """A column of another type, with what stood in the one before: a REAL would round a whole number."""
    connection.execute(f"ALTER TABLE {name} ADD COLUMN new_{field} {kind}")
    connection.execute(f"UPDATE {name} SET new_{field} = CAST({field} AS {kind})")  # noqa: S608 - names of ROLLUPS
    connection.execute(f"ALTER TABLE {name} DROP COLUMN {field}")
    connection.execute(f"ALTER TABLE {name} RENAME COLUMN new_{field} TO {field}")
