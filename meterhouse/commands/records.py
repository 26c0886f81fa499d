"""``meterhouse records``: move the records between SQLite and PostgreSQL."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import sqlalchemy as sa
import typer

from facility.errors import ConfigError
from meterhouse.backup.snapshot import snapshot
from meterhouse.output import answer, answers, facts, say
from meterhouse.settings import Settings
from process.health import noted_health
from process.lock import FileLock
from stores.records.copying import copy_records
from stores.records.database import ALLOWED, NEWEST, look_at_records, open_records, present_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

COPY = ".records-"
"""How the folder of a copy is called, while it is needed."""

app = typer.Typer(help="Move the records to another database.", no_args_is_help=True, rich_markup_mode=None)


@dataclass(frozen=True, slots=True)
class RecordsAnswer:
    """What was copied, and found the same on both sides."""

    tables: Annotated[dict[str, int], "rows by table"]
    rows: int


@app.callback()
def records() -> None:
    """Move the records to another database."""


@app.command(
    help="Copy all records to an empty database, SQLite or PostgreSQL, count and compare; the source stays as it is."
    " End the server first. A URL with a password belongs in the environment, for everybody on the machine can read a"
    " command line.",
    short_help="Copy all records to another database.",
)
@answers(RecordsAnswer)
def migrate(
    to: Annotated[str, typer.Option(envvar="METERHOUSE_RECORDS_TO", help="URL of the database that is filled.")],
) -> None:
    """Copy in one transaction: all of it, or nothing."""
    settings = Settings()
    if _place(settings.records_url) == _place(to):
        raise ConfigError(f"--to names {_place(to)}, where the records are already: name another database")
    held = _hold(settings)
    try:
        with _looked_at(settings.records_url) as source:
            target = open_records(to)
            try:
                copied = copy_records(source, target)
            finally:
                target.dispose()
    finally:
        for lock in held:
            lock.release()
    moved = RecordsAnswer(copied, sum(copied.values()))
    answer(moved, lambda: facts((name, f"{rows:,}") for name, rows in copied.items() if rows))
    say("cli.records.same", rows=f"{moved.rows:,}")


@contextmanager
def _looked_at(url: str) -> Iterator[Engine]:
    """The records in this Meterhouse's schema; a file of an earlier one stays as it is, a copy of it is brought up."""
    source = look_at_records(url)
    try:
        if (present := present_schema(source)) is None:
            raise ConfigError(f"there are no records in {_place(url)}: nothing was copied")
        if source.dialect.name != "sqlite":
            yield source
            return
        file = Path(str(sa.make_url(url).database))
        for left in file.parent.glob(f"{COPY}*"):  # of one that was killed
            shutil.rmtree(left)
        with TemporaryDirectory(prefix=COPY, dir=file.parent) as place:
            if present != NEWEST:
                snapshot(file, Path(place) / file.name, ())
                file = Path(place) / file.name
            opened = open_records(f"sqlite:///{file}")
            try:
                yield opened
            finally:
                opened.dispose()
    finally:
        source.dispose()


def _place(url: str) -> str:
    """Which database a URL names, without its options. Raises ``ConfigError`` for what is no URL."""
    try:
        place = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigError(f"a URL of records cannot be read (allowed: {ALLOWED})") from None
    return place.set(query={}, password=None, username=None).render_as_string()


def _hold(settings: Settings) -> list[FileLock]:
    """Keep processes away that write meanwhile. Raises ``ConfigError`` where one runs."""
    from meterhouse.overview import ask  # noqa: PLC0415 - it reads what processes answer

    taken = f"a server runs in {settings.data}: end it first ('meterhouse down'), for it would go on in the old records"
    held = [FileLock(settings.data / name, taken) for name in ("up.lock", "ingest.lock") if settings.data.exists()]
    if ask(noted_health(settings.data)).processes:
        raise ConfigError(taken)
    return held
