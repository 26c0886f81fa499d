"""``meterhouse upgrade`` and ``rollback``: a data folder in this Meterhouse's form, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from facility.errors import ConfigError
from meterhouse.backup.upgrade import roll_back
from meterhouse.backup.upgrade import upgrade as upgrade_folder
from meterhouse.commands.init import Folder  # noqa: TC001 - typer reads the annotation
from meterhouse.output import answer, answers, texts
from meterhouse.settings import DEFAULT_DATA, Settings


@dataclass(frozen=True, slots=True)
class UpgradeAnswer:
    """The form of a data folder before and now."""

    schema_before: Annotated[str | None, "of the records; absent where nothing was to be done"]
    schema: Annotated[str | None, "of the records now; absent where nothing was to be done"]
    before: Annotated[str | None, "where the old folder lies"]


@dataclass(frozen=True, slots=True)
class RollbackAnswer:
    """What came since the upgrade and is not in the folder any more."""

    readings: int
    acts: Annotated[int, "entries of the audit trail"]
    since: Annotated[str, "where the folder of the upgrade lies"]


@answers(UpgradeAnswer)
def upgrade(data: Folder = DEFAULT_DATA) -> None:
    """Bring a data folder of an earlier release to this one's form: in a copy, which then takes its place."""
    done = upgrade_folder(_settings(data), datetime.now(UTC))
    if done is None:
        answer(UpgradeAnswer(None, None, None), lambda: texts()("cli.upgrade.nothing", folder=data))
        return
    whole = UpgradeAnswer(done.schema_before, done.schema, str(done.before))
    words = {"before": done.schema_before, "now": done.schema, "folder": str(done.before)}
    answer(whole, lambda: texts()("cli.upgrade.done", **words))


@answers(RollbackAnswer)
def rollback(
    data: Folder = DEFAULT_DATA,
    *,
    give_up: Annotated[
        bool, typer.Option("--give-up", help="Leave what came since the upgrade, which the old folder lacks.")
    ] = False,
) -> None:
    """Put the data folder of before the newest upgrade back, for the release that wrote it."""
    done = roll_back(_settings(data), datetime.now(UTC), gives_up=give_up)
    whole = RollbackAnswer(done.readings, done.acts, str(done.since))
    words = {"readings": f"{done.readings:,}", "acts": f"{done.acts:,}", "folder": str(done.since)}
    answer(whole, lambda: texts()("cli.rollback.done", **words))


def _settings(data: Path) -> Settings:
    """Raise ``ConfigError`` where there is no folder."""
    if not data.is_dir():
        raise ConfigError(f"there is no server in {data}: name its folder by --data")
    return Settings(data=data.absolute())
