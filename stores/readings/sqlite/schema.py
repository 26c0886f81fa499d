"""The tables of the embedded reading store, and how a file of before is brought to them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from accounting.local_time import MINUTE_MS
from facility.errors import ConfigError
from stores.readings.rollup_columns import FieldType
from stores.readings.rollups import ROLLUPS, Rollup

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 3
"""2: the newest reading of a point is the last of its rows; a table of its own cost a page more for each reading.
3: rows have seals."""

_TABLES = (
    "CREATE TABLE series (id INTEGER PRIMARY KEY, point TEXT NOT NULL UNIQUE, seal INTEGER)",
    (
        "CREATE TABLE reading (series INTEGER NOT NULL, t_ms INTEGER NOT NULL, x REAL NOT NULL, q INTEGER NOT NULL,"
        " seal INTEGER, PRIMARY KEY (series, t_ms)) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE write_log (id INTEGER PRIMARY KEY, series INTEGER NOT NULL, first_ms INTEGER NOT NULL,"
        " last_ms INTEGER NOT NULL)"
    ),
    (
        "CREATE TABLE rollup_series (id INTEGER PRIMARY KEY, rollup TEXT NOT NULL, tags TEXT NOT NULL, seal INTEGER,"
        " UNIQUE (rollup, tags))"
    ),
)


_COLUMNS_OF = {
    "series": {"id", "point", "seal"},
    "reading": {"series", "t_ms", "x", "q", "seal"},
    "write_log": {"id", "series", "first_ms", "last_ms"},
    "rollup_series": {"id", "rollup", "tags", "seal"},
}

_COLUMNS = {FieldType.FLOAT: "REAL", FieldType.INTEGER: "INTEGER", FieldType.TEXT: "TEXT"}


def bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """Create or extend the tables; refuse a file of a newer Meterhouse and one that is not ours."""
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    if schema > SCHEMA:
        raise ConfigError(newer(path, schema))
    if schema == 0:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            raise ConfigError(f"{path} is the database of another program")
        for statement in _TABLES:
            connection.execute(statement)
    if schema == 1:
        connection.execute("DROP TABLE IF EXISTS latest")
    if 0 < schema < SCHEMA:
        _add_seals(connection)
    if schema < SCHEMA:
        connection.execute(f"PRAGMA user_version={SCHEMA}")
    _check_columns(connection)
    for name, rollup in ROLLUPS.items():
        _follow_rollup(connection, name, rollup)


def _check_columns(connection: sqlite3.Connection) -> None:
    """Raise ``sqlite3.DatabaseError`` where the disk has changed how a table was made."""
    for name, columns in _COLUMNS_OF.items():
        present = {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
        if present != columns:
            raise sqlite3.DatabaseError(f"the table {name} has the columns {', '.join(sorted(present))}")


def _add_seals(connection: sqlite3.Connection) -> None:
    """Names are sealed at once; rows one by one as the check comes by, for there may be very many."""
    for table in ("series", "reading", "rollup_series"):
        if "seal" not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN seal INTEGER")
    connection.execute("UPDATE series SET seal = name_seal(id, point)")
    connection.execute("UPDATE rollup_series SET seal = name_seal(id, rollup, tags)")


def newer(path: Path, schema: int) -> str:
    """What to say of a file that a newer Meterhouse has changed."""
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
    if columns and "seal" not in {row[1] for row in columns}:
        connection.execute(f"ALTER TABLE {name} ADD COLUMN seal INTEGER")
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
        f"CREATE TABLE IF NOT EXISTS {name} (series INTEGER NOT NULL, t_ms INTEGER NOT NULL, seal INTEGER,"
        f" PRIMARY KEY ({', '.join(key)})) WITHOUT ROWID"
    )


def _order_anew(connection: sqlite3.Connection, name: str, rollup: Rollup, key: tuple[str, str]) -> None:
    """A table whose rows stood in another order."""
    connection.execute(f"ALTER TABLE {name} RENAME TO {name}_before")
    connection.execute(_table(name, key))
    present = [row[1] for row in connection.execute(f"PRAGMA table_info({name}_before)")]
    for field in [field for field in rollup.types if field in present]:
        connection.execute(f"ALTER TABLE {name} ADD COLUMN {field} {_COLUMNS[rollup.types[field]]}")
    kept = ", ".join(["series", "t_ms", "seal", *(field for field in rollup.types if field in present)])
    connection.execute(
        f"INSERT INTO {name} ({kept}) SELECT {kept} FROM {name}_before ORDER BY {', '.join(key)}"  # noqa: S608 - names of ROLLUPS
    )
    connection.execute(f"DROP TABLE {name}_before")


def _change_type(connection: sqlite3.Connection, name: str, field: str, kind: str) -> None:
    """A column of another type, with what stood in the one before: a REAL would round a whole number."""
    connection.execute(f"ALTER TABLE {name} ADD COLUMN new_{field} {kind}")
    connection.execute(f"UPDATE {name} SET new_{field} = CAST({field} AS {kind}), seal = NULL")  # noqa: S608 - names of ROLLUPS
    connection.execute(f"ALTER TABLE {name} DROP COLUMN {field}")
    connection.execute(f"ALTER TABLE {name} RENAME COLUMN new_{field} TO {field}")
