"""The files that Grafana is given: all dashboards of an estate in both languages, from one estate the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboards import ABOUT, DASHBOARDS, PER_BUILDING
from dashboards.influxql import SLUG
from dashboards.kit import dashboard_json, written
from dashboards.words import words_of
from facility.errors import ConfigError, Problem
from facility.levels import Level
from facility.model import MeterRole
from wording.texts import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from dashboards.sheet import Sheet
    from facility.catalogue import Catalogue

SHIPPED = Level.INTERNAL
"""The level of whose database dashboards are made now."""

CONSOLE = "http://127.0.0.1:8080"
"""Where the console answers unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A dashboard that an estate does not have, because nothing would be on it."""

    dashboard: str
    utility: str


def sheets_of(catalogue: Catalogue, level: Level = SHIPPED) -> tuple[Sheet, ...]:
    """Every dashboard of the estate, before any language. Raises ``ConfigError`` for ids that no query could hold."""
    _check_ids(catalogue)
    absent = {one.dashboard for one in left_out(catalogue)}
    single = [make(catalogue, level) for key, make in DASHBOARDS.items() if key not in absent]
    each = [sheet for make in PER_BUILDING.values() for sheet in make(catalogue, level)]
    return (*single, *each)


def left_out(catalogue: Catalogue) -> tuple[LeftOut, ...]:
    """Dashboards of utilities that no head meter of the estate counts."""
    counted = {meter.utility for meter in catalogue.meters if meter.role is MeterRole.HEAD}
    return tuple(LeftOut(key, utility.value) for key, utility in ABOUT.items() if utility not in counted)


def made(catalogue: Catalogue, level: Level = SHIPPED, console: str = CONSOLE) -> dict[str, dict[str, Any]]:
    """Every dashboard by the path of its file, ``en/estate.json``."""
    sheets = sheets_of(catalogue, level)
    return {
        f"{language}/{sheet.key}.json": dashboard_json(sheet, words_of(catalogue, language), level, console)
        for language in LANGUAGES
        for sheet in sheets
    }


def texts_of(boards: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """The text of each file."""
    return {path: written(board) for path, board in boards.items()}


def differences(folder: Path, texts: Mapping[str, str]) -> Iterator[str]:
    """What in a folder is not as it would be built now."""
    for path, text in texts.items():
        file = folder / path
        if not file.exists():
            yield f"{path} is not there"
        elif not _holds(file, text):
            yield f"{path} is not as it would be built"
    yield from (f"{path} is there, and would not be built" for path in _strangers(folder, texts))


def write(folder: Path, texts: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Write what differs, remove what would not be built; the paths of both. Raises ``ConfigError`` where it cannot."""
    try:
        return _written(folder, texts)
    except OSError as error:
        raise ConfigError(f"{error.filename or folder} cannot be written: {error.strerror}") from None


def _written(folder: Path, texts: Mapping[str, str]) -> tuple[list[str], list[str]]:
    changed = [path for path, text in texts.items() if not _holds(folder / path, text)]
    for path in changed:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(texts[path], encoding="utf-8")
        file.parent.chmod(0o755)
        file.chmod(0o644)  # Grafana reads them as another user, and nothing in them is secret
    gone = list(_strangers(folder, texts))
    for path in gone:
        (folder / path).unlink()
    return changed, gone


def _holds(file: Path, text: str) -> bool:
    try:
        return file.exists() and file.read_bytes() == text.encode()
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None


def _strangers(folder: Path, texts: Iterable[str]) -> Iterator[str]:
    found = (
        file.relative_to(folder).as_posix() for name in LANGUAGES for file in sorted((folder / name).glob("*.json"))
    )
    yield from (path for path in found if path not in set(texts))


def _check_ids(catalogue: Catalogue) -> None:
    """Ids stand in queries, between quotes and slashes: what would end them there is refused."""
    ids = [("site", catalogue.site.id)]
    ids += [("building", building.id) for building in catalogue.buildings]
    ids += [("meter", meter.id) for meter in catalogue.meters]
    ids += [("agent", agent.id) for agent in catalogue.agents]
    wrong = [
        Problem(f"{what} '{one}'", "is no id that a query of a dashboard can hold", "a-z, 0-9, - and _")
        for what, one in ids
        if not SLUG.fullmatch(one)
    ]
    if wrong:
        raise ConfigError(*wrong)
    if not any(meter.role is MeterRole.HEAD and meter.utility for meter in catalogue.meters):
        raise ConfigError("no meter of the estate has the role head: there is no use to draw")
