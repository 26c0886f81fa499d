"""``meterhouse backup``: one file from which a server can be put back, written while it runs."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from facility.errors import ConfigError, MeterhouseError
from meterhouse.answers.backup import counts, mib, rows_of
from meterhouse.backup.contents import RECORDS
from meterhouse.backup.keys import make_key, recipients_file
from meterhouse.backup.owner import leave_to_owner
from meterhouse.backup.settings import BackupSettings
from meterhouse.backup.sources import sources_of
from meterhouse.backup.writing import LOCK, Made, backups_in, write_backup
from meterhouse.commands.up import settings_in
from meterhouse.output import answer, answers, facts, say, texts, warn
from meterhouse.up.nightly import NightlyBackup
from meterhouse.up.settings_file import NAME
from process.pulse import BEAT_S, Pulse
from process.settings import read_settings
from stores.backup_note import NAME as NOTE
from stores.backup_note import BackupNote, keep_backup_note, read_backup_note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wording.texts import Texts


@dataclass(frozen=True, slots=True)
class BackupAnswer:
    """A backup that is whole."""

    file: str
    size: Annotated[int, "bytes of the file"]
    made_at: datetime
    files: Annotated[int, "that are in it"]
    readings: Annotated[int | None, "in the backup; absent where they are kept elsewhere"]
    records: Annotated[int, "rows of all tables of the records"]
    elsewhere: Annotated[list[str], "what is not in it, and what backs it up"]


@answers(BackupAnswer)
def backup(
    *,
    to: Annotated[str, typer.Option("--to", metavar="FOLDER", help="Where it goes; else METERHOUSE_BACKUP says.")] = "",
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Make the key that opens backups, and show it once: write it down.")
    ] = False,
    nightly: Annotated[
        bool, typer.Option("--nightly", help="As the schedule does: older ones than METERHOUSE_BACKUP_KEEP go.")
    ] = False,
    every_night: Annotated[
        bool, typer.Option("--every-night", help="Go on and write one each night: a service where no 'up' runs.")
    ] = False,
) -> None:
    """Write a backup of records, settings, secrets, journal and readings; the server goes on meanwhile."""
    settings = _settings()
    if new_key:
        _show_key(settings)
        return
    folder = to or settings.backup
    if not folder:
        raise ConfigError("no folder for backups: say --to FOLDER, or set METERHOUSE_BACKUP")
    if every_night:
        _go_on(settings.model_copy(update={"backup": folder}))
        return
    made, site = _write(settings, Path(folder).absolute(), datetime.now(UTC))
    for left in made.manifest.elsewhere:
        warn(texts()("cli.backup.elsewhere", what=left))
    whole = _answer(made)
    answer(whole, lambda: facts(_facts(texts(), whole)))
    if nightly:
        for old in backups_in(made.file.parent, site)[: -settings.backup_keep]:
            old.unlink()


def _go_on(settings: BackupSettings) -> None:
    """Write one each night until SIGTERM or SIGINT, which end one that is under way as well."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    nightly, pulse = NightlyBackup(settings.data, settings), Pulse(settings.data, "backup", time.monotonic)
    while not stop.wait(BEAT_S):
        nightly.look()
        pulse.beat()
    nightly.stop()


def _settings() -> BackupSettings:
    """Raise ``ConfigError`` where there is no server whose backup it could be."""
    settings = read_settings(BackupSettings)
    if (settings.data / NAME).exists():
        settings_in(settings.data.absolute())
        return read_settings(BackupSettings, data=settings.data.absolute())
    if not any((settings.data / name).exists() for name in ("ingest.db", RECORDS)):
        raise ConfigError(f"there is no server in {settings.data}: METERHOUSE_DATA names its folder")
    return settings


def _show_key(settings: BackupSettings) -> None:
    key = make_key(settings.data)
    leave_to_owner(recipients_file(settings.data), settings.data)
    say("cli.backup.shown_key", file=recipients_file(settings.data))
    typer.echo(key)


def _write(settings: BackupSettings, to: Path, now: datetime) -> tuple[Made, str]:
    """Write it, and note what came of it for whoever raises the alarm; what was made, and of which site."""
    before = read_backup_note(settings.data)
    try:
        sources = sources_of(settings, settings.influx_backup_at)
        made = write_backup(sources, to, now)
    except MeterhouseError as error:
        _note(settings, msgspec.structs.replace(before, tried_at=now, failed=str(error)))
        raise
    _note(settings, BackupNote(made_at=now, file=str(made.file), size=made.size, tried_at=now, lacks=made.lacks))
    return made, sources.site


def _note(settings: BackupSettings, note: BackupNote) -> None:
    try:
        keep_backup_note(settings.data, note)
        for name in (NOTE, LOCK):
            leave_to_owner(settings.data / name, settings.data)
    except OSError as error:
        warn(f"{settings.data}: {error.strerror}")


def _answer(made: Made) -> BackupAnswer:
    return BackupAnswer(
        str(made.file), made.size, made.made_at, *rows_of(made.manifest), elsewhere=made.manifest.elsewhere
    )


def _facts(t: Texts, made: BackupAnswer) -> Iterator[tuple[str, str]]:
    yield t("cli.backup.file"), made.file
    yield t("cli.backup.size"), mib(made.size)
    yield from counts(t, made.files, made.readings, made.records)
