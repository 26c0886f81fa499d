"""A meter's installations in a site.yaml to its ledger: local times read, what cannot be told with its line."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from facility.ledger import Installation

if TYPE_CHECKING:
    from facility.documents import Document, Place
    from facility.site_schema import InstallationPart, MeterPart

_FACTS = ("serial", "digits", "rolls_over_at", "ct_ratio", "pt_ratio")


def read_installations(document: Document, i: int, part: MeterPart, zone: str) -> tuple[Installation, ...]:
    """The ledger of meter number ``i``, oldest first; problems are reported to the document."""
    for name in _FACTS:
        if part.installations and name in part.model_fields_set:
            document.report(("meters", i, name), f"'{name}' stands beside 'installations'", "only inside them")
    if part.digits is not None and part.rolls_over_at is not None:
        document.report(("meters", i, "digits"), "'digits' and 'rolls_over_at' say the same thing", "one of them")
    found = tuple(_installation(part.id, one, zone) for one in part.installations)
    for k, one in enumerate(found):
        _check(document, ("meters", i, "installations", k), one, found[k - 1] if k else None)
    return found


def _installation(meter: str, part: InstallationPart, zone: str) -> Installation:
    facts = part.model_dump(exclude={"since"})
    return Installation(meter=meter, since=_instant(part.since, zone), **facts)


def _instant(at: dt.datetime, zone: str) -> dt.datetime:
    """UTC of a local wall time, or of a time that names its own zone."""
    plain = dt.datetime.fromisoformat(at.isoformat())
    try:
        return plain.replace(tzinfo=plain.tzinfo or ZoneInfo(zone)).astimezone(dt.UTC)
    except (ZoneInfoNotFoundError, ValueError):
        return plain.replace(tzinfo=dt.UTC)  # the zone itself is reported where it stands


def _check(document: Document, place: Place, one: Installation, before: Installation | None) -> None:
    if one.digits is not None and one.rolls_over_at is not None:
        document.report((*place, "digits"), "'digits' and 'rolls_over_at' say the same thing", "one of them")
    if one.span and one.opening is not None and one.opening >= one.span:
        document.report((*place, "opening"), f"opening read {one.opening:g} is more than the register holds")
    if before is None:
        if one.closing is not None:
            document.report((*place, "closing"), "the first installation closes nothing", "opening alone")
        if one.continues:
            document.report((*place, "continues"), "the first installation continues nothing")
        return
    if one.since <= before.since:
        what = f"a swap on {one.since:%Y-%m-%d %H:%M} UTC lies before the install of {before.since:%Y-%m-%d %H:%M} UTC"
        document.report((*place, "since"), what, "a later time: installations stand oldest first")
    if not one.continues and one.serial and one.serial == before.serial:
        document.report(
            (*place, "serial"), f"serial '{one.serial}' hung there before", "'continues: true' for a new ratio"
        )
    if before.span and one.closing is not None and one.closing >= before.span:
        document.report((*place, "closing"), f"closing read {one.closing:g} is more than the old register holds")
