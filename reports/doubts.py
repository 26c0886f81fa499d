"""Why a bill is not fit to be closed yet: the month is not over, or its figures are not what they will be."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from accounting.local_time import zone_called
from accounting.spells import Outcome
from facility.quantities import ACCOUNTED, Utility
from facility.remark import Remark, RemarkKind
from facility.wall_time import shown_instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from accounting.spells import SpellBook
    from facility.catalogue import Catalogue
    from reports.bill import UtilityBill
    from stores.records.accounting.recomputations import Recomputation

PRINTED = Decimal("0.0005")
"""What registers and intervals may differ by: less than a bill's quantities show."""


def doubts(
    catalogue: Catalogue,
    spells: SpellBook,
    building: str,
    span: tuple[datetime, datetime],
    utilities: Sequence[UtilityBill],
    waiting: Sequence[Recomputation],
    now: datetime,
) -> Iterator[Remark]:
    """Each reason, whose text says what to do about it; ``waiting`` are the recomputations that are not done."""
    start, end = span
    if now < start:
        yield Remark(RemarkKind.MONTH_NOT_BEGUN, {"start": start.date()})
    elif now < end:
        yield Remark(RemarkKind.MONTH_NOT_OVER, {"end": end.date()})
    if now >= start and not any(one.is_known for one in utilities):
        yield Remark(RemarkKind.NOTHING_KNOWN, {"building": building})
    yield from _not_read(catalogue, building)
    for one in waiting:
        if meters := _meters(catalogue, building, one, round(start.timestamp() * 1000), round(end.timestamp() * 1000)):
            yield Remark(RemarkKind.TO_BE_COMPUTED_AGAIN, {"meters": tuple(meters), "reason": one.reason})
    yield from _asked(catalogue, spells, building, span)
    for utility in utilities:
        if utility.residual >= PRINTED:
            apart = {"utility": utility.utility, "difference": utility.residual, "unit": utility.unit}
            yield Remark(RemarkKind.REGISTERS_DIFFER, {**apart, "meter": utility.meters[0], "first": start.date()})


def _not_read(catalogue: Catalogue, building: str) -> Iterator[Remark]:
    """Head meters whose counter is no point of the estate: the bill says nothing of them, for any month."""
    for utility in Utility:
        for meter in catalogue.head_meters(building, utility):
            if catalogue.accounted_point(meter) is None:
                params = {"meter": meter.id, "quantity": ACCOUNTED[utility].word, "utility": utility.value}
                yield Remark(RemarkKind.COUNTER_NOT_READ, params)


def _asked(catalogue: Catalogue, spells: SpellBook, building: str, span: tuple[datetime, datetime]) -> Iterator[Remark]:
    """Spells of the head counters that reach into the time and wait for a person; in doubt they reach on without end.

    Their times are told in words, on the clocks of the site: a closed month keeps what was known of it as text.
    """
    zone = zone_called(catalogue.site.timezone)
    start_ms, end_ms = (at.timestamp() * 1000 for at in span)
    heads = ((utility.unit, point) for utility in Utility for point in catalogue.head_counters(building, utility))
    for unit, point in heads:
        for one in spells.of(point.id):
            if one.is_asked and one.since_ms < end_ms and (one.until_ms is None or one.until_ms > start_ms):
                since = shown_instant(datetime.fromtimestamp(one.first_ms / 1000, UTC), zone)
                params = {"meter": point.meter, "since": since, "before": one.before, "level": one.level, "unit": unit}
                kind = RemarkKind.SPELL_ASKED if one.outcome is Outcome.IN_DOUBT else RemarkKind.STEP_ASKED
                yield Remark(kind, params)


def _meters(catalogue: Catalogue, building: str, one: Recomputation, start_ms: int, end_ms: int) -> list[str]:
    """The building's meters whose figures between two instants a recomputation has yet to make."""
    if one.next_ms >= end_ms or one.last_ms < start_ms:
        return []
    meters = dict.fromkeys(catalogue.point[point].meter for point in one.points if point in catalogue.point)
    return [meter for meter in meters if catalogue.meter[meter].building == building]
