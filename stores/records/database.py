"""The records' database: opened, brought to the schema this Meterhouse writes, its failures told as ours."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DatabaseError

from facility.errors import ConfigError, StoreUnavailable
from stores.folder import check_folder
from stores.records import account_tables  # noqa: F401 - with both ``tables.METADATA`` is whole
from stores.records.quarantine import tables as quarantine_tables  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Engine, ExceptionContext

ALLOWED = "sqlite:////absolute/path/records.db or postgresql+psycopg://user@host/database"
BUSY_TIMEOUT_S = 10.0
NEWEST = max(step.name[:4] for step in (Path(__file__).parents[1] / "migrations" / "versions").glob("[0-9]*.py"))
"""The schema this Meterhouse writes: a step's file begins with its revision."""


def open_records(url: str) -> Engine:
    """Open the records and migrate them to the newest schema.

    Raises ``ConfigError`` for a URL or place that cannot be used and for records of a newer Meterhouse;
    later failures of the database arrive as ``StoreUnavailable``.
    """
    place = _parsed(url)
    options: dict[str, Any] = {}
    if place.get_backend_name() == "sqlite":
        check_folder(Path(place.database or ""))
        options["connect_args"] = {"timeout": BUSY_TIMEOUT_S, "isolation_level": None}
    try:
        engine = sa.create_engine(place, **options)
    except ModuleNotFoundError as error:
        raise ConfigError(f"records in {place.get_backend_name()} need the Python package {error.name}") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        if present_schema(engine) != NEWEST:
            from stores.records.migration import migrate  # noqa: PLC0415 - Alembic takes a third of a second to import

            with writing(engine) as connection:  # one process at a time
                migrate(connection)
    except DatabaseError as error:
        engine.dispose()
        raise ConfigError(f"the records in {place.render_as_string()} cannot be used: {error.orig}") from None
    except ConfigError:
        engine.dispose()
        raise
    event.listen(engine, "handle_error", _as_unavailable)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes: committed when the block ends, undone when it raises.

    On SQLite it takes the write lock first, so what it reads stays true until it commits.
    """
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        yield connection


def present_schema(engine: Engine) -> str | None:
    """The revision of the records as they are; None where there are none yet."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _parsed(url: str) -> sa.URL:
    try:
        place = sa.make_url(url)
    except ArgumentError:
        raise ConfigError(f"the records' URL cannot be read (allowed: {ALLOWED})") from None
    if place.drivername == "postgresql+psycopg":
        return place
    if place.get_backend_name() != "sqlite" or not Path(place.database or "").is_absolute():
        raise ConfigError(f"no records under '{place.render_as_string()}' (allowed: {ALLOWED})")
    return place


def _set_up_sqlite(connection: Any, _record: object) -> None:
    """WAL lets other processes read while one writes; FULL keeps what was committed through a power cut."""
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}").close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")


def _as_unavailable(context: ExceptionContext) -> None:
    if isinstance(context.sqlalchemy_exception, sa.exc.OperationalError):
        raise StoreUnavailable(f"the records cannot be reached: {context.original_exception}")
