"""What is planned: maintenance and events during which what is found is put aside, except what is urgent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from facility.errors import Rejected
from facility.work import Severity, over_at
from stores.records.audit import append_entry
from stores.records.database import writing
from stores.records.tables import planned_event

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import Connection, Engine

    from facility.work import Alert, Finding

LONGEST = timedelta(days=14)
"""Nothing is put aside for longer: what lasts is a change of the building, and belongs into its calendar."""

WEEK = timedelta(days=7)
SHORTEST = timedelta(hours=1)
MARGIN = timedelta(hours=1)
"""An event is not held to the minute."""

LONGEST_REASON = 500

p = planned_event.c


@unique
class PlanKind(StrEnum):
    """What is planned."""

    MAINTENANCE = "maintenance"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """A time in a building, or at one meter, or for one detector there; ``every_week`` by the clocks of ``zone``."""

    kind: PlanKind
    building: str
    begins_at: datetime
    ends_at: datetime
    reason: str
    meter: str | None = None
    detector: str | None = None
    every_week: bool = False
    zone: str = "UTC"
    id: int = 0
    by: str = ""
    noted_at: datetime | None = None
    withdrawn_at: datetime | None = None

    def end_at(self, at: datetime) -> datetime | None:
        """When it ends where it goes on at an instant, else None."""
        if at < self.begins_at or self.withdrawn_at is not None:
            return None
        if not self.every_week:
            return self.ends_at if at < self.ends_at else None
        zone = ZoneInfo(self.zone)
        first = self.begins_at.astimezone(zone).replace(tzinfo=None)
        weeks = (at.astimezone(zone).replace(tzinfo=None) - first) // WEEK
        end = (first + weeks * WEEK).replace(tzinfo=zone) + (self.ends_at - self.begins_at)
        return end if at < end else None

    def is_about(self, finding: Finding) -> bool:
        """Whether it is of the building, and the meter and detector where it names them, of a finding."""
        return (
            self.building == finding.building
            and self.meter in {None, finding.meter}
            and self.detector in {None, finding.detector}
        )


def as_weekly(case: Alert, reason: str, zone: str) -> PlannedEvent:
    """The event of a case that was expected, as it is to be expected each week: there, of that kind, for as long."""
    end = max(over_at(case) or case.last_seen_at, case.last_seen_at, case.since + SHORTEST)
    return PlannedEvent(
        PlanKind.EVENT,
        case.building,
        case.since - MARGIN,
        min(end + MARGIN, case.since - MARGIN + WEEK),
        reason,
        case.meter,
        case.detector,
        every_week=True,
        zone=zone,
    )


class PlannedEvents:
    """Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all_of(
        self, buildings: Collection[str] | None = None, *, from_at: datetime | None = None
    ) -> list[PlannedEvent]:
        """Those that stand, of these buildings or of all, the one that begins last first.

        ``from_at``: without those that are over by then.
        """
        query = sa.select(planned_event).where(p.withdrawn_at.is_(None))
        if buildings is not None:
            query = query.where(p.building.in_(buildings))
        if from_at is not None:
            query = query.where(p.every_week | (p.ends_at > from_at))
        with self._engine.connect() as connection:
            return [_event(row) for row in connection.execute(query.order_by(p.begins_at.desc(), p.id)).mappings()]

    def event(self, number: int) -> PlannedEvent | None:
        """One that stands."""
        query = sa.select(planned_event).where(p.id == number, p.withdrawn_at.is_(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return _event(row) if row else None

    def add(self, event: PlannedEvent, by: str, at: datetime) -> PlannedEvent:
        """Note one; the same again is noted once. Raises ``Rejected`` for a time that cannot be, or is too long."""
        _check(event, at)
        row = {
            "kind": event.kind.value,
            "building": event.building,
            "meter": event.meter,
            "detector": event.detector,
            "begins_at": event.begins_at,
            "ends_at": event.ends_at,
            "every_week": event.every_week,
            "zone": event.zone,
            "reason": event.reason.strip(),
            "by": by,
            "noted_at": at,
        }
        same = [
            p[name] == row[name] for name in ("building", "meter", "detector", "begins_at", "ends_at", "every_week")
        ]
        with writing(self._engine) as connection:
            known = connection.execute(sa.select(p.id).where(p.withdrawn_at.is_(None), *same).limit(1)).scalar()
            if known is not None:
                return _by_number(connection, known)
            number = connection.execute(sa.insert(planned_event).values(row).returning(p.id)).scalar_one()
            append_entry(connection, at, by, "planned_event.noted", str(number), event.reason.strip())
            return _by_number(connection, number)

    def withdraw(self, number: int, by: str, at: datetime) -> None:
        """It does not take place, or is over early. Raises ``Rejected`` where there is none."""
        with writing(self._engine) as connection:
            if _by_number(connection, number).withdrawn_at is not None:
                raise _unknown(number)
            connection.execute(sa.update(planned_event).where(p.id == number).values(withdrawn_at=at))
            append_entry(connection, at, by, "planned_event.withdrawn", str(number), "")


def plan_of(connection: Connection, finding: Finding) -> tuple[int, datetime] | None:
    """The planned event that a finding lies in and when that ends; of what is urgent people are told all the same."""
    if finding.severity is Severity.URGENT:
        return None
    query = sa.select(planned_event).where(
        p.building == finding.building,
        p.withdrawn_at.is_(None),
        p.begins_at <= finding.seen_at,
        p.every_week | (p.ends_at > finding.seen_at),
    )
    for row in connection.execute(query.order_by(p.id)).mappings():
        event = _event(row)
        end = event.end_at(finding.seen_at) if event.is_about(finding) else None
        if end is not None:
            return event.id, end
    return None


def _check(event: PlannedEvent, at: datetime) -> None:
    if not event.reason.strip() or len(event.reason) > LONGEST_REASON:
        raise Rejected("no_reason", f"a reason is needed, of {LONGEST_REASON} characters at most")
    if event.ends_at <= event.begins_at:
        raise Rejected("no_time", "it ends before it begins")
    longest = WEEK if event.every_week else LONGEST
    if event.ends_at - event.begins_at > longest:
        raise Rejected("too_long", f"it lasts longer than {longest.days} days")
    if event.ends_at <= at and not event.every_week:
        raise Rejected("over", "it is over already")


def _by_number(connection: Connection, number: int) -> PlannedEvent:
    row = connection.execute(sa.select(planned_event).where(p.id == number)).mappings().one_or_none()
    if row is None:
        raise _unknown(number)
    return _event(row)


def _unknown(number: int) -> Rejected:
    return Rejected("unknown_event", f"there is no planned event {number}")


def _event(row: Any) -> PlannedEvent:
    return PlannedEvent(**{**row, "kind": PlanKind(row["kind"])})
