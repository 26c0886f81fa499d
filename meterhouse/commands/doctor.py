"""``meterhouse doctor``: how the server itself stands, one line a thing, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meterhouse.backup.settings import BackupSettings
from meterhouse.output import answer, answers, table, texts
from meterhouse.up.certificates import CertificateFiles
from process.settings import read_settings
from reports.doctor import Ground, How, examine, sentence, to_do, worst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wording.texts import Texts

EXITS = {How.WELL: 0, How.CARE: 1, How.WRONG: 2}
COLUMNS = ("doctor.what", "doctor.how", "doctor.found")


@dataclass(frozen=True, slots=True)
class DoctorLineAnswer:
    """One thing that was looked at."""

    name: Annotated[str, "`clock`, `disk`, `backup`, …"]
    how: How
    found: Annotated[str, "in words"]
    to_do: Annotated[str | None, "absent where all is well"]


@dataclass(frozen=True, slots=True)
class DoctorAnswer:
    """How the server stands."""

    how: Annotated[How, "that of its worst line"]
    lines: list[DoctorLineAnswer]


@answers(DoctorAnswer)
def doctor() -> None:
    """Look at clock, disk, processes, broker, stores, certificates, silent points, backup, versions and permissions.

    Nothing is changed by looking. The exit code is 0 where all is well, 1 where something wants care, 2 where something
    is wrong or cannot be seen.
    """
    t, lines = texts(), examine(_ground(), datetime.now(UTC))
    said = [DoctorLineAnswer(one.name, one.how, sentence(t, one), to_do(t, one) or None) for one in lines]
    whole = DoctorAnswer(worst(lines), said)
    answer(whole, lambda: "\n".join(_words(t, whole)))
    if code := EXITS[whole.how]:
        raise typer.Exit(code)


def _ground() -> Ground:
    settings = read_settings(BackupSettings)
    files = CertificateFiles(settings.data / "secrets")
    return Ground(
        settings.data,
        settings.store_url,
        settings.records_looked_at,
        (files.ca, files.certificate, *([Path(settings.cert)] if settings.cert else [])),
        settings.backup,
    )


def _words(t: Texts, whole: DoctorAnswer) -> Iterator[str]:
    yield table(COLUMNS, [(t(f"doctor.{one.name}"), t(f"doctor.how.{one.how}"), one.found) for one in whole.lines])
    for one in whole.lines:
        if one.to_do:
            yield t("doctor.line", name=t(f"doctor.{one.name}"), what=one.to_do)
