"""The form of one role: which, in which part of the estate, up to which level, until when."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Annotated

from fastapi import Form, HTTPException

from facility.levels import parse_level
from facility.rights import parse_role
from stores.access import Grant, RolePart

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from console.visit import Visit
    from facility.catalogue import Catalogue

EVERY_LEVEL = "every"


class Given:
    """What a form says of a role, as it says it."""

    def __init__(
        self,
        role: Annotated[str, Form(max_length=40)],
        where: Annotated[str, Form(max_length=200)] = "site:",
        level: Annotated[str, Form(max_length=20)] = "internal",
        until: Annotated[str, Form(max_length=20)] = "",
    ) -> None:
        """``where`` is ``site:``, ``building:ID`` or ``department:ID``; ``until`` is the last local day, or empty."""
        self.role, self.where, self.level, self.until = role, where, level, until


def places(estate: Catalogue, language: str) -> dict[str, str]:
    """The parts of an estate in which a role may hold beside the whole, as a form names them and as people do."""
    found = {f"{RolePart.BUILDING}:{one.id}": one.name.in_language(language) for one in estate.buildings}
    return found | {f"{RolePart.DEPARTMENT}:{one.id}": one.name.in_language(language) for one in estate.departments}


def grant_of(visit: Visit, given: Given) -> Grant:
    """The role that a form gives. Raises ``Rejected`` for a role or level that is none, 422 for what no form says."""
    part, _, target = given.where.partition(":")
    if part not in set(RolePart):
        raise HTTPException(422)
    level = None if given.level == EVERY_LEVEL else parse_level(given.level)
    return Grant(parse_role(given.role), RolePart(part), target, level, _end_of(given.until, visit.formats.zone))


def _end_of(day: str, zone: ZoneInfo) -> datetime | None:
    """The midnight after a day on the site's clock."""
    if not day:
        return None
    try:
        last = date.fromisoformat(day)
    except ValueError:
        raise HTTPException(422) from None
    return datetime.combine(last.fromordinal(last.toordinal() + 1), time(), zone)
