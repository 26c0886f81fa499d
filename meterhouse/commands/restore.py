"""``meterhouse restore``: puts a backup in the place of a data folder, or says what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from meterhouse.answers.backup import counts, moment, rows_of
from meterhouse.backup.influx import FOLDER as INFLUX
from meterhouse.backup.keys import read_identities
from meterhouse.backup.restoring import look, restore_backup
from meterhouse.commands.init import Folder  # noqa: TC001 - typer reads the annotation
from meterhouse.output import answer, answers, facts, texts
from meterhouse.settings import DEFAULT_DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meterhouse.backup.unpacking import Unpacked
    from wording.texts import Texts


@dataclass(frozen=True, slots=True)
class RestoreAnswer:
    """A backup that was read to its end and found whole."""

    site: str
    made_at: datetime
    written_by: Annotated[str, "version of Meterhouse"]
    files: int
    readings: Annotated[int | None, "absent where they are kept elsewhere"]
    records: Annotated[int, "rows of all tables of the records"]
    elsewhere: Annotated[list[str], "what is not in it"]
    folder: Annotated[str | None, "where it was put; absent where it was only looked at"]
    before: Annotated[str | None, "where the folder is that stood there"]
    influx: Annotated[str | None, "where an InfluxDB's own backup was put, for its own program"] = None


@answers(RestoreAnswer)
def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    key: Annotated[Path, typer.Option("--key", help="The file with the key that opens it.")],
    data: Folder = DEFAULT_DATA,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Read the backup to its end and say what is in it; change nothing.")
    ] = False,
) -> None:
    """Restore a server from a backup: whole, or the folder stays as it is. It must not run meanwhile."""
    identities = read_identities(key)
    if check:
        found = _answer(look(file, identities), None, None)
    else:
        folder = data.absolute()
        done = restore_backup(file, identities, folder, datetime.now(UTC))
        found = _answer(done.unpacked, folder, done.before)
    answer(found, lambda: "\n".join(_lines(texts(), found)))


def _answer(unpacked: Unpacked, folder: Path | None, before: Path | None) -> RestoreAnswer:
    head, manifest = unpacked.head, unpacked.manifest
    files, readings, records = rows_of(manifest)
    return RestoreAnswer(
        head.site,
        head.made_at,
        head.meterhouse,
        files,
        readings,
        records,
        manifest.elsewhere,
        str(folder) if folder else None,
        str(before) if before else None,
        str(folder / INFLUX) if folder and (folder / INFLUX).exists() else None,
    )


def _lines(t: Texts, found: RestoreAnswer) -> Iterator[str]:
    said = [(t("cli.backup.of"), f"{found.site}, {moment(found.made_at)}")]
    yield facts([*said, *counts(t, found.files, found.readings, found.records)])
    for left in found.elsewhere:
        yield t("cli.backup.elsewhere", what=left)
    if found.folder is None:
        yield t("cli.restore.whole")
        return
    yield t("cli.restore.done", folder=found.folder)
    if found.influx:
        yield t("cli.restore.influx", folder=found.influx)
    if found.before:
        yield t("cli.restore.before", folder=found.before)
    yield t("cli.restore.next")
