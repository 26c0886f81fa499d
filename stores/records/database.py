"""The records' database: opened, brought to the schema this Meterhouse writes, its failures told as ours."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DatabaseError

from facility.errors import ConfigError, StoreUnavailable
from stores.folder import check_folder
from stores.records import account_tables, quarantine_tables  # noqa: F401 - with them ``tables.METADATA`` is whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Engine, ExceptionContext

ALLOWED = "sqlite:////absolute/path/records.db or postgresql+psycopg://user@host/database"
BUSY_TIMEOUT_S = 10.0


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
        _migrate(engine)
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


def _migrate(engine: Engine) -> None:
    """Apply the steps the database lacks, all in one transaction, one process at a time."""
    config = Config()
    config.set_main_option("script_location", "stores:migrations")
    config.set_main_option("path_separator", "os")
    steps = ScriptDirectory.from_config(config)
    with writing(engine) as connection:
        present = MigrationContext.configure(connection).get_current_revision()
        known = {step.revision for step in steps.walk_revisions()}
        if present is not None and present not in known:
            raise ConfigError(
                f"the records in {engine.url.render_as_string()} were written by a newer Meterhouse"
                f" (schema {present}, this one reads {steps.get_current_head()})"
            )
        if present != steps.get_current_head():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
