"""The records' database: opened, brought to the schema this Meterhouse writes, its failures told as ours.

What must hold on SQLite and on PostgreSQL alike, and each does otherwise:

- *A read sees one state.* SQLite's transactions do; PostgreSQL's do at the level REPEATABLE READ, which is set for all.
- *Who writes excludes others who write*, so that what they read stays true until they commit (``writing``).
- *Nobody waits for ever*: for a lock ``BUSY_TIMEOUT_S``, for a server ``CONNECT_TIMEOUT_S``, for a writer that hangs
  ``IDLE_TIMEOUT_S``.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from facility.errors import ConfigError, StoreDamaged, StoreUnavailable
from stores.folder import check_folder
from stores.records import tables  # noqa: F401 - with these ``METADATA`` is whole
from stores.records.accounting import tables as accounting_tables  # noqa: F401
from stores.records.accounts import tables as account_tables  # noqa: F401
from stores.records.audit_key import AUDIT_FILES, AuditFiles
from stores.records.imports import tables as import_tables  # noqa: F401
from stores.records.letters import tables as letter_tables  # noqa: F401
from stores.records.orders import tables as order_tables  # noqa: F401
from stores.records.quarantine import tables as quarantine_tables  # noqa: F401
from stores.records.roster import tables as roster_tables  # noqa: F401
from stores.records.status import tables as status_tables  # noqa: F401
from stores.wal import use_wal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Engine, ExceptionContext

ALLOWED = "sqlite:////absolute/path/records.db or postgresql+psycopg://user@host/database"
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
BUSY_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 10
IDLE_TIMEOUT_S = 60.0
AUDIT_KEY = "audit_key"
"""This word of a URL names the file of the audit trail's key; in SQLite it lies beside the records without."""

WRITER_LOCK = int.from_bytes(b"mhwrites")
"""Number of the advisory lock that who writes on PostgreSQL holds."""

NEWEST = max(step.name[:4] for step in (Path(__file__).parents[1] / "migrations" / "versions").glob("[0-9]*.py"))
"""The schema this Meterhouse writes: a step's file begins with its revision."""


def open_records(url: str) -> Engine:
    """Open the records and migrate them to the newest schema.

    Raises ``ConfigError`` for a URL or place that cannot be used and for records of a newer Meterhouse,
    ``StoreUnavailable`` where the database cannot be reached now; so do all later failures of the database.
    """
    place = _parsed(url)
    engine = _engine_at(place)
    try:
        if present_schema(engine) != NEWEST:
            from stores.records.migration import migrate  # noqa: PLC0415 - Alembic takes a third of a second to import

            with writing(engine) as connection:  # one process at a time
                migrate(connection)
    except DatabaseError as error:
        engine.dispose()
        if _is_passing(error):
            raise StoreUnavailable(
                f"the records in {place.render_as_string()} cannot be reached: {_said(error.orig)}"
            ) from None
        raise ConfigError(f"the records in {place.render_as_string()} cannot be used: {_said(error.orig)}") from None
    except ConfigError:
        engine.dispose()
        raise
    event.listen(engine, "handle_error", _as_unavailable)
    if key_file := _audit_key_file(place):
        engine.update_execution_options(**{AUDIT_FILES: AuditFiles(key_file)})
    return engine


def _audit_key_file(place: sa.URL) -> Path | None:
    """Where the key of the audit trail is; on a server that others share somebody must say so."""
    if named := place.query.get(AUDIT_KEY):
        return Path(str(named))
    return Path(str(place.database)).with_suffix(".audit.key") if place.get_backend_name() == "sqlite" else None


def look_at_records(url: str) -> Engine:
    """Open the records to look at them, as they are: no file is made and no schema changed.

    Raises ``StoreUnavailable`` where there are none or they cannot be read, ``ConfigError`` for a URL that cannot be
    used and for records of a newer Meterhouse.
    """
    place = _parsed(url)
    file = Path(place.database or "") if place.get_backend_name() == "sqlite" else None
    if file is not None and not file.exists():
        raise StoreUnavailable(f"{file} does not exist: has ingest run with this folder (METERHOUSE_DATA)?")
    engine = _engine_at(place) if file is None else _looking_at(file)
    try:
        present = present_schema(engine)
    except DatabaseError as error:
        engine.dispose()
        raise StoreUnavailable(
            f"the records in {place.render_as_string()} cannot be read: {_said(error.orig)}"
        ) from None
    if present is not None and present > NEWEST:
        engine.dispose()
        raise ConfigError(f"the records in {place.render_as_string()} were written by a newer Meterhouse ({present})")
    event.listen(engine, "handle_error", _as_unavailable)
    return engine


def _looking_at(file: Path) -> Engine:
    """A SQLite file that is read alone."""
    place = sa.URL.create("sqlite", database=file.as_uri(), query={"mode": "ro", "uri": "true"})
    return sa.create_engine(place, connect_args={"timeout": BUSY_TIMEOUT_S})


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes: committed when the block ends, undone when it raises.

    No two of them run at once, in whichever process: what one reads stays true until it commits, so ``max + 1``, "is
    there one yet" and "does it still stand" need no care of their own. SQLite's write lock does that, taken at the
    start; on PostgreSQL an advisory lock that ends with the transaction. Its statements see what was committed before
    they began (READ COMMITTED), hence all that earlier writers did; who only reads waits for nobody.
    """
    with _writer(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(
                f"SET LOCAL lock_timeout = {round(BUSY_TIMEOUT_S * 1000)};"
                f" SET LOCAL idle_in_transaction_session_timeout = {round(IDLE_TIMEOUT_S * 1000)};"
                f" SELECT pg_advisory_xact_lock({WRITER_LOCK})"
            )
        yield connection


def _writer(engine: Engine) -> Engine:
    if engine.dialect.name == "sqlite":
        return engine.execution_options(sqlite_begin="IMMEDIATE")
    return engine.execution_options(isolation_level="READ COMMITTED")


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


def _engine_at(place: sa.URL) -> Engine:
    """An engine that has not connected yet. Raises ``ConfigError`` for a folder or package that is missing."""
    place = place.difference_update_query([AUDIT_KEY])
    if place.get_backend_name() == "sqlite":
        check_folder(Path(place.database or ""))
        engine = sa.create_engine(place, connect_args={"timeout": BUSY_TIMEOUT_S, "isolation_level": None})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    waits = {} if "connect_timeout" in place.query else {"connect_timeout": CONNECT_TIMEOUT_S}
    try:
        return sa.create_engine(place, isolation_level="REPEATABLE READ", connect_args=waits)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"records in {place.get_backend_name()} need the Python package {error.name}"
            " (Meterhouse's extra 'postgres')"
        ) from None


def _set_up_sqlite(connection: Any, _record: object) -> None:
    """WAL lets other processes read while one writes; FULL keeps what was committed through a power cut."""
    use_wal(connection, BUSY_TIMEOUT_S)
    for setting in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}").close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")


def _said(error: BaseException | None) -> str:
    """What a database says in lines, in one."""
    return " ".join(str(error).split())


def _is_passing(error: DatabaseError) -> bool:
    """Whether opening may succeed later: somebody else is at work, or no server answered, or it has no room yet.

    A server that refuses a connection gives no code, only its sentence, which begins with FATAL.
    """
    if isinstance(error.orig, sqlite3.Error):
        passing = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR")  # the last: a full disk, too, to WAL
        return error.orig.sqlite_errorname.startswith(passing)
    said = str(error.orig)
    is_refused = "FATAL:" in said and not any(words in said for words in ("the database system is", "too many"))
    return isinstance(error, OperationalError) and not is_refused


def _as_unavailable(context: ExceptionContext) -> None:
    if not isinstance(context.original_exception, Exception):  # a signal ends this process: the database is well
        return
    error = context.original_exception
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE:
        raise StoreDamaged(f"the records are damaged: {error}")
    if context.is_disconnect or isinstance(context.sqlalchemy_exception, OperationalError):
        raise StoreUnavailable(f"the records cannot be reached: {_said(context.original_exception)}")
