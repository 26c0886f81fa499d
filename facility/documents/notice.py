"""A year's notice of moved workdays as a file of its own: ``calendar/CN/2027.yaml`` beside site.yaml."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from facility.documents.part import DocumentPart, parse
from facility.model import Notice


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
