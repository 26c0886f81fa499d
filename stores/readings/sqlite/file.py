"""The file of the embedded reading store: opened and checked once, its connections lent to one call at a time."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from facility.errors import ConfigError, StoreDamaged, StoreUnavailable
from stores.folder import check_folder
from stores.readings.rollups import ROLLUPS
from stores.readings.sqlite.schema import SCHEMA, bring_up_to_date, newer
from stores.readings.sqlite.seal import name_seal, row_seal_of
from stores.wal import use_wal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IDLE_CONNECTIONS = 4

_SETTINGS = (
    "PRAGMA synchronous=FULL; PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=48000;"
)
"""A page written again and again goes from the log into the file every 190 MB. Each counter has pages of its own, which
are written once a minute: at 10,000 points 16 MB are full after seconds, and every page went into the file then."""

DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
MAGIC = b"SQLite format 3\0"
MOST_WRONG_BYTES = 4

UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What a damaged page raises: what SQLite says of it may quote bytes that are no text."""


def is_damage(error: sqlite3.Error | UnicodeDecodeError) -> bool:
    """Whether it is the file's contents that are to blame."""
    return isinstance(error, UnicodeDecodeError) or getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE


def was_ours(path: Path) -> bool:
    """Whether a file that cannot be read as a database once was one, as its first bytes say."""
    try:
        with path.open("rb") as file:
            first = file.read(len(MAGIC))
    except OSError:
        return False
    return len(first) == len(MAGIC) and sum(a != b for a, b in zip(first, MAGIC, strict=True)) <= MOST_WRONG_BYTES


def identity_of(path: Path) -> tuple[int, int] | None:
    """Which file lies here now, whatever it is called; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def nobody_swapping(path: Path, *, we_swap: bool = False) -> Iterator[None]:
    """While a file is opened nobody puts another in its place: its log would be taken for that of the other."""
    fd = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX if we_swap else fcntl.LOCK_SH)
        yield
    finally:
        os.close(fd)


def connect(path: Path, busy_timeout_s: float = 10.0, *, mode: str = "rwc") -> sqlite3.Connection:
    """A connection that knows how rows are sealed, and has read the file's first page."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)
    connection.text_factory = lambda text: text.decode(errors="replace")  # what the disk changed is found by its seal
    connection.create_function("name_seal", -1, name_seal, deterministic=True)
    for name, rollup in ROLLUPS.items():
        connection.create_function(f"{name}_seal", -1, row_seal_of(rollup.types), deterministic=True)
    return connection


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
        self.generation = 0
        """Grows where another file has taken the place of the one that was opened: nothing learnt of it holds then."""

        check_folder(path)
        self._open()

    def _open(self) -> None:
        path = self._path
        try:
            self._prepare()
        except sqlite3.OperationalError as error:
            raise ConfigError(f"the readings in {path} cannot be opened for writing: {error}") from None
        except sqlite3.DatabaseError as error:
            if was_ours(path):
                raise StoreDamaged(f"{path} is damaged: {error}") from None
            raise ConfigError(f"{path} is not a readings file: {error}") from None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; each statement sees one consistent state."""
        connection = self._take()
        try:
            yield connection
        except (sqlite3.Error, UnicodeDecodeError) as error:
            connection.close()
            kind = StoreDamaged if is_damage(error) else StoreUnavailable
            raise kind(f"{self._path}: {error}") from error
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

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self._path

    def probe(self) -> None:
        """Raises ``StoreUnavailable`` where the file cannot be read, or a newer Meterhouse has changed it meanwhile."""
        with self.reading() as connection:
            (schema,) = connection.execute("PRAGMA user_version").fetchone()
        if schema != SCHEMA:
            raise StoreUnavailable(newer(self._path, schema))

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
            self._follow()
            if self._idle:
                return self._idle.pop()
        try:
            return self._connect()
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{self._path}: {error}") from error

    def _follow(self) -> None:
        """Turn to the file that lies here now, where it is another one: mended, or put in its place."""
        if identity_of(self._path) == self._identity:
            return
        for connection in self._idle:
            connection.close()
        self._idle, self.generation = [], self.generation + 1
        try:
            self._open()
        except ConfigError as error:
            raise StoreUnavailable(str(error)) from None

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < IDLE_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        with nobody_swapping(self._path):
            connection = connect(self._path, self._busy_timeout_s)
        try:
            connection.executescript(_SETTINGS)
        except UnicodeDecodeError as error:
            connection.close()
            raise sqlite3.DatabaseError(f"its pages are no text: {error}") from None
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _prepare(self) -> None:
        connection = self._connect()
        self._identity = identity_of(self._path)
        try:
            use_wal(connection, self._busy_timeout_s)
            connection.execute("BEGIN IMMEDIATE")
            bring_up_to_date(connection, self._path)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
