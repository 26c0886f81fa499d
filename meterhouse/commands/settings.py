"""``meterhouse settings``: what a server is set to, and who says so."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated

import typer

from meterhouse.commands.init import Folder  # noqa: TC001 - typer reads the annotation
from meterhouse.output import answer, answers, shown, table, texts
from meterhouse.settings import DEFAULT_DATA
from meterhouse.up.folder import check_version
from meterhouse.up.settings_file import KNOWN, NAME, SECRET, read_settings_file

app = typer.Typer(no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class SettingAnswer:
    """One setting."""

    name: str
    value: Annotated[str | None, "as it holds now; `set` where it may hold a password"]
    source: Annotated[str, "`environment`, `default`, or file and line"]
    meaning: Annotated[str, "in the reader's language"]


@dataclass(frozen=True, slots=True)
class SettingsAnswer:
    """Every setting of a server."""

    settings: list[SettingAnswer]


@app.callback()
def settings() -> None:
    """What a server is set to."""


@app.command(help="Show every setting of a server: its value, where that comes from, what it means.")
@answers(SettingsAnswer)
def show(data: Folder = DEFAULT_DATA) -> None:
    """Explain each value and where it came from."""
    check_version(data)
    said = read_settings_file(data / NAME)
    found = [_setting(name, said.get(name), str(data / NAME)) for name in KNOWN]
    columns = ("settings.name", "settings.value", "settings.source", "settings.meaning")
    rows = [(one.name, shown(one.value), one.source, one.meaning) for one in found]
    answer(SettingsAnswer(found), lambda: table(columns, rows))


def _setting(name: str, said: tuple[int, str] | None, file: str) -> SettingAnswer:
    explained, default = KNOWN[name]
    if name in os.environ:
        value, source = os.environ[name], "environment"
    elif said is not None:
        value, source = said[1], f"{file}:{said[0]}"
    else:
        value, source = default, "default"
    value = "set" if name in SECRET and value else value
    return SettingAnswer(name, value or None, source, texts()(explained))
