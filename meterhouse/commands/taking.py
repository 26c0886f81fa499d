"""What commands hand out is on record: a file, or what a program reads, as an export; a look where it is important."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from facility.levels import Level
from meterhouse.commands.spoken import given_by, written_as
from stores.access.exports import ExportWish, Taken, note_look, take_along
from stores.records.audit import Audit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy.engine import Engine

    from facility.catalogue import Catalogue
    from facility.work import Alert

Reason = Annotated[str, typer.Option("--reason", help="What it is for; needed above the level internal.")]
Custodian = Annotated[
    str, typer.Option("--custodian", help="The custodian who let it go; needed where it is important.")
]


def handed_out(
    records: Engine,
    estate: Catalogue,
    what: str,
    points: Collection[str],
    wish: ExportWish,
    *,
    is_export: bool,
    least: Level = Level.PUBLIC,
) -> Taken | None:
    """Put on record what is handed out next; what it is as an export, None where somebody only looks.

    Raises ``ConfigError`` where its level asks for more than was said, ``StoreUnavailable``.
    """
    now, audit = datetime.now(UTC), Audit(records)
    if not is_export:
        note_look(audit, estate, what, points, wish.person, now)
        return None
    with written_as({"reason": "--reason", "custodian": "--custodian"}):
        return take_along(audit, estate, what, points, wish, now, least=least)


def looked_at(records: Engine, estate: Catalogue, what: str, points: Collection[str]) -> None:
    """Put on record that somebody at the machine looks at what rests on these points, where it is important."""
    known = [one for one in points if one in estate.point]
    note_look(Audit(records), estate, what, known, given_by(""), datetime.now(UTC))


def looked_at_cases(records: Engine, estate: Catalogue, what: str, cases: Iterable[Alert]) -> None:
    """The same of cases, and all that they rest on."""
    points = {point for case in cases for point in (case.point, *(one.point for one in case.evidence))}
    looked_at(records, estate, what, sorted(points))


def estate_handed_out(records: Engine, estate: Catalogue, what: str) -> None:
    """Put on record that the estate itself is taken along: every point's name, and no figure of any."""
    now = datetime.now(UTC)
    take_along(Audit(records), estate, what, list(estate.point), wish_of(), now, holds_figures=False)


def wish_of(reason: str = "", custodian: str = "") -> ExportWish:
    """Who is at the machine's own console, and what they say."""
    return ExportWish(given_by(""), reason, custodian)
