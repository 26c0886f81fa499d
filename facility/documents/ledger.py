"""Reads a meter's installations from site.yaml into its ledger: local times become instants, mistakes name lines."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from facility.ledger.faults import faults_of
from facility.ledger.installation import Installation
from facility.wall_time import instant_of, skipped_around, skipped_words

if TYPE_CHECKING:
    from facility.documents.part import Document, Place
    from facility.documents.site_schema import InstallationPart, MeterPart

_FACTS = ("serial", "digits", "rolls_over_at", "ct_ratio", "pt_ratio")


def read_installations(document: Document, i: int, part: MeterPart, zone: str) -> tuple[Installation, ...]:
    """The ledger of meter number ``i``, oldest first; problems are reported to the document."""
    for name in _FACTS:
        if part.installations and name in part.model_fields_set:
            document.report(("meters", i, name), f"'{name}' stands beside 'installations'", "only inside them")
    if part.digits is not None and part.rolls_over_at is not None:
        document.report(("meters", i, "digits"), "'digits' and 'rolls_over_at' say the same thing", "one of them")
    found = tuple(
        _installation(document, ("meters", i, "installations", k), part.id, one, zone)
        for k, one in enumerate(part.installations)
    )
    for fault in faults_of(found):
        document.report(("meters", i, "installations", fault.entry, fault.fact), fault.what, fault.allowed)
    return found


def _installation(document: Document, place: Place, meter: str, part: InstallationPart, zone: str) -> Installation:
    facts = part.model_dump(exclude={"since"})
    return Installation(meter=meter, since=_instant(document, place, part.since, zone), **facts)


def _instant(document: Document, place: Place, since: dt.datetime, zone: str) -> dt.datetime:
    """UTC of a local wall time, or of a time that names its own zone."""
    plain = dt.datetime.fromisoformat(since.isoformat())
    try:
        here = ZoneInfo(zone)
        if around := skipped_around(plain, here):
            document.report((*place, "since"), *skipped_words(plain, around, here))
        return instant_of(plain, here)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return plain.replace(tzinfo=dt.UTC)  # the zone itself is reported where it stands
    except OverflowError:
        document.report((*place, "since"), f"{plain} lies outside all time", "such as 2026-09-14 10:30")
        return plain.replace(tzinfo=dt.UTC)
