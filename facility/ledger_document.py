"""A meter's installations in a site.yaml to its ledger: local times read, what cannot be told with its line."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from facility.ledger import Installation
from facility.ledger_faults import faults_of

if TYPE_CHECKING:
    from facility.documents import Document
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
    for fault in faults_of(found):
        document.report(("meters", i, "installations", fault.entry, fault.fact), fault.what, fault.allowed)
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
