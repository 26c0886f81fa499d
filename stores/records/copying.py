"""Copies all records into another, empty database, and compares the two: between SQLite and PostgreSQL, either way."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from facility.errors import ConfigError, StoreUnavailable
from stores.records.columns import METADATA
from stores.records.database import NEWEST, present_schema, writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Engine

ROWS_AT_ONCE = 1_000
FILES_AT_ONCE = 4
"""Rows that hold whole files are megabytes each."""


def copy_records(source: Engine, target: Engine) -> dict[str, int]:
    """Copy every table as it is in one state of the source, in one transaction of the target. Rows by table.

    Raises ``ConfigError`` for a target that holds records already or a source of another schema, ``StoreUnavailable``
    where the two differ in the end: then nothing was copied.
    """
    if (present := present_schema(source)) != NEWEST:
        raise ConfigError(
            f"the records are of schema {present or 'none'}, and only those of {NEWEST} are copied: start the server"
            " once, which brings them there"
        )
    with source.connect() as reading, writing(target) as connection:
        if full := [table.name for table in METADATA.sorted_tables if _count(connection, table)]:
            raise ConfigError(f"the database that is to be filled holds records already ({full[0]}): name an empty one")
        copied = {table.name: _copy(table, reading, connection) for table in METADATA.sorted_tables}
        differing = [t.name for t in METADATA.sorted_tables if _digest(t, reading) != _digest(t, connection)]
        if differing:
            raise StoreUnavailable(f"the copy differs from the records in {', '.join(differing)}: nothing was copied")
    return copied


def _copy(table: sa.Table, source: Connection, target: Connection) -> int:
    count = 0
    for rows in _parts(table, source):
        target.execute(sa.insert(table), rows)
        count += len(rows)
    if target.dialect.name == "postgresql":
        _count_on(table, target)
    return count


def _parts(table: sa.Table, connection: Connection) -> Iterator[list[dict[str, Any]]]:
    holds_files = any(isinstance(column.type, sa.LargeBinary) for column in table.columns)
    at_once = FILES_AT_ONCE if holds_files else ROWS_AT_ONCE
    found = connection.execution_options(yield_per=at_once).execute(sa.select(table))
    for part in found.mappings().partitions():
        yield [dict(row) for row in part]


def _count_on(table: sa.Table, target: Connection) -> None:
    """Numbers that PostgreSQL gives begin behind those that were copied."""
    for column in table.primary_key.columns:
        sequence = target.execute(sa.select(sa.func.pg_get_serial_sequence(table.name, column.name))).scalar()
        newest = sequence and target.execute(sa.select(sa.func.max(column))).scalar()
        if newest:
            target.execute(sa.select(sa.func.setval(sequence, newest)))


def _count(connection: Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _digest(table: sa.Table, connection: Connection) -> tuple[int, int]:
    """Rows, and the sum of their digests: of a table's rows in any order, for databases sort texts otherwise."""
    count = total = 0
    for rows in _parts(table, connection):
        for row in rows:
            words = json.dumps(list(row.values()), default=str, ensure_ascii=False, sort_keys=True)
            total += int.from_bytes(hashlib.sha256(words.encode()).digest())
        count += len(rows)
    return count, total % 2**256
