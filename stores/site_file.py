"""Reads an estate's document from a folder: site.yaml, and the notices of moved workdays beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounting.calendars import SiteCalendar
from facility.documents.notice import notice_folder, with_notices
from facility.documents.part import parse
from facility.documents.site import load_site
from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from facility.catalogue import Catalogue
    from facility.profile import DeviceProfile


def read_site(file: Path, profiles: Mapping[str, DeviceProfile]) -> Catalogue:
    """The estate in ``file``, with the notices in ``calendar/<country>/<year>.yaml`` beside it.

    Raises ``ConfigError`` with file, line and what is allowed.
    """
    text = _text_of(file)
    estate = load_site(text, str(file), profiles, reader="registry")
    _check_calendar(estate, text, str(file))
    beside = (file.parent / notice_folder(estate)).glob("*.yaml")
    return with_notices(estate, {str(one): _text_of(one) for one in beside})


def _check_calendar(estate: Catalogue, text: str, name: str) -> None:
    """Raise ``ConfigError``, with its line, for a country whose holidays nobody knows."""
    try:
        SiteCalendar(estate.site)
    except ConfigError as error:
        document = parse(text, name)
        for problem in error.problems:
            where, what, allowed = (
                (problem.where, problem.what, problem.allowed) if isinstance(problem, Problem) else ("", problem, "")
            )
            document.report(tuple(where.split(".")), what, allowed)
        document.check()


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(Problem(str(file), f"cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        raise ConfigError(Problem(str(file), f"is not UTF-8 text (byte {error.start})")) from None
