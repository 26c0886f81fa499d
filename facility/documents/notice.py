"""A year's notice of moved workdays as a file of its own: ``calendar/CN/2027.yaml`` beside site.yaml."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from pydantic import Field

from facility.documents.part import DocumentPart, parse
from facility.errors import ConfigError, Problem
from facility.model import Notice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facility.catalogue import Catalogue


class NoticeDocument(DocumentPart):
    """A whole notice file; its name is the year."""

    basis: str = Field(min_length=1)
    workdays: list[dt.date] = []
    days_off: list[dt.date] = []


def read_notice(text: str, name: str, year: int) -> Notice:
    """The notice of a year. Raises ``ConfigError`` with every problem: file, line, what, and what is allowed."""
    document = parse(text, name)
    body = document.validate(NoticeDocument)
    for key, days in (("workdays", body.workdays), ("days_off", body.days_off)):
        for i, day in enumerate(days):
            if day.year != year:
                document.report((key, i), f"{day} is not in {year}")
    for day in sorted(set(body.workdays) & set(body.days_off)):
        document.report(("workdays",), f"{day} is both worked and off")
    document.check()
    return Notice(year, body.basis, tuple(body.workdays), tuple(body.days_off))


def notice_folder(estate: Catalogue) -> str:
    """Where an estate's notices stand beside its document: ``calendar/CN``."""
    return f"calendar/{estate.site.holiday_country or 'none'}"


def with_notices(estate: Catalogue, files: Mapping[str, str]) -> Catalogue:
    """The estate with the notices of ``files``: name (``calendar/CN/2027.yaml``) → text.

    Raises ``ConfigError`` for a file that is not named for a year, or for one whose notice is known already.
    """
    notices = {notice.year: notice for notice in estate.site.notices}
    for name, text in sorted(files.items()):
        year = PurePath(name).stem
        if not year.isdecimal() or int(year) in notices:
            raise ConfigError(Problem(name, "is no year of its own", "one file a year, such as 2027.yaml"))
        notices[int(year)] = read_notice(text, name, int(year))
    return replace(estate, site=replace(estate.site, notices=tuple(notices.values())))
