"""Why a bill is not fit to be closed yet: the month is not over, or its figures are not what they will be."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from facility.catalogue import Catalogue
    from reports.bill import UtilityBill
    from stores.records.recomputations import Recomputation

PRINTED = Decimal("0.0005")
"""What registers and intervals may differ by: less than a bill's quantities show."""


def doubts(
    catalogue: Catalogue,
    building: str,
    span: tuple[datetime, datetime],
    utilities: Sequence[UtilityBill],
    waiting: Sequence[Recomputation],
    now: datetime,
) -> Iterator[str]:
    """Each reason with what to do about it; ``waiting`` are the recomputations that are not done."""
    start, end = span
    if now < end:
        yield f"the month is not over before {end:%Y-%m-%d}; only a month that is over can be closed"
    if not any(one.shares.measured_h + one.shares.estimated_h > 0 for one in utilities):
        yield (
            f"nothing is known of {building} in this month; see that its head meters are read and analytics runs,"
            " then make the bill again"
        )
    for one in waiting:
        if meters := _meters(catalogue, building, one, round(start.timestamp() * 1000), round(end.timestamp() * 1000)):
            yield (
                f"{', '.join(meters)}: these figures are to be computed again ({one.reason}); wait until analytics"
                " has done it (meterhouse account recomputations), then make the bill again"
            )
    for utility in utilities:
        if utility.residual >= PRINTED:
            yield (
                f"{utility.utility}: registers and intervals differ by {utility.residual} {utility.unit}; wait until"
                " analytics has taken in the newest readings, or ask for it with meterhouse account recompute"
                f" (--meter {utility.meters[0]} --from {start:%Y-%m-%d}), then make the bill again"
            )


def _meters(catalogue: Catalogue, building: str, one: Recomputation, start_ms: int, end_ms: int) -> list[str]:
    """The building's meters whose figures between two instants a recomputation has yet to make."""
    if one.next_ms >= end_ms or one.last_ms < start_ms:
        return []
    meters = dict.fromkeys(catalogue.point[point].meter for point in one.points if point in catalogue.point)
    return [meter for meter in meters if catalogue.meter[meter].building == building]
