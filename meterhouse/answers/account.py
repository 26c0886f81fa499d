"""What ``meterhouse account`` answers: bills and recomputations, for programs and as tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal  # noqa: TC003 - the answer's shape is read by its types
from typing import TYPE_CHECKING, Annotated, Literal

from facility.currency import minor_digits
from facility.remark import RemarkKind
from meterhouse.output import shown, table, texts
from reports.adjusting import AdjustingLine  # noqa: TC001
from reports.bill import UtilityBill  # noqa: TC001
from reports.closing import stops_closing
from wording.reasons import reason_text
from wording.remarks import remark_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports.bill import Bill
    from stores.access.exports import Taken
    from stores.records.accounting.recomputations import Recomputation
    from wording.formats import Formats


COLUMNS = (
    "cli.column.asked",
    "cli.column.by",
    "cli.column.reason",
    "cli.column.counters",
    "cli.column.state",
    "cli.column.month",
    "cli.column.use_before",
    "cli.column.use_after",
    "cli.column.cost_before",
    "cli.column.cost_after",
)


@dataclass(frozen=True, slots=True)
class RemarkAnswer:
    """What a person must know before handing a bill in."""

    remark: RemarkKind
    text: Annotated[str, "in the reader's language"]
    stops_closing: Annotated[bool, "the month is not closed while this holds, or only with `--accept-missing`"]


@dataclass(frozen=True, slots=True)
class BillAnswer:
    """A building's month."""

    site: Annotated[str, "its id"]
    building: Annotated[str, "its id"]
    name: Annotated[str, "the building's, in the reader's language"]
    month: Annotated[str, "local, such as `2026-10`"]
    start: datetime
    end: Annotated[datetime, "the first instant that is not billed"]
    timezone: str
    currency: str
    closed_at: Annotated[datetime | None, "when the month was closed"]
    closed_by: str | None
    total: Annotated[Decimal | None, "the sum of all lines, to the cent; null where nothing is known or charged"]
    utilities: list[UtilityBill]
    adjustments: list[AdjustingLine]
    accepted_missing: Annotated[str | None, "why it was closed although something is missing"]
    notes: list[RemarkAnswer]
    level: Annotated[str | None, "data level of what it rests on"] = None
    export: Annotated[str | None, "by which it is found in the audit trail"] = None


@dataclass(frozen=True, slots=True)
class MonthAgain:
    """A month's figures, summed over the counters, before and after."""

    month: Annotated[str, "local, such as `2026-10`"]
    use_before: float | None
    use_after: float | None
    cost_before: float | None
    cost_after: float | None


@dataclass(frozen=True, slots=True)
class RecomputationAnswer:
    """A wish to compute figures again."""

    asked_at: datetime
    by: str
    reason: str
    points: Annotated[list[str], "ids of the counters"]
    start: Annotated[datetime, "what is computed again begins here"]
    end: Annotated[datetime, "and ends before this instant"]
    state: Literal["waiting", "done"]
    finished_at: datetime | None
    months: list[MonthAgain]


@dataclass(frozen=True, slots=True)
class RecomputationsAnswer:
    """The newest recomputations, newest first."""

    recomputations: list[RecomputationAnswer]


def bill_answer(bill: Bill, formats: Formats, taken: Taken | None = None) -> BillAnswer:
    """A bill without the days it was made from; ``taken`` is the export that it is."""
    stop = {one.kind for one in stops_closing(bill)}
    if RemarkKind.METER_HOURS_MISSING in stop:
        stop.add(RemarkKind.HOURS_MISSING)  # of one meter, the same
    return BillAnswer(
        site=bill.site,
        building=bill.building,
        name=bill.name.in_language(formats.language),
        month=bill.month,
        start=bill.start.astimezone(UTC),
        end=bill.end.astimezone(UTC),
        timezone=bill.timezone,
        currency=bill.currency,
        closed_at=bill.closed.at if bill.closed else None,
        closed_by=bill.closed.by if bill.closed else None,
        total=bill.due,
        utilities=list(bill.utilities),
        adjustments=list(bill.adjustments),
        accepted_missing=bill.accepted_missing or None,
        notes=[RemarkAnswer(one.kind, remark_text(one, formats), one.kind in stop) for one in bill.notes],
        level=taken.level.word if taken else None,
        export=taken.id if taken else None,
    )


def recomputation_answer(one: Recomputation) -> RecomputationAnswer:
    """How far it has got, and what it changed."""
    start, end = (datetime.fromtimestamp(t_ms / 1000, UTC) for t_ms in (one.first_ms, one.last_ms + 1))
    return RecomputationAnswer(
        asked_at=one.asked_at,
        by=one.by,
        reason=one.reason,
        points=list(one.points),
        start=start,
        end=end,
        state="done" if one.finished_at else "waiting",
        finished_at=one.finished_at,
        months=[
            MonthAgain(month, *(figures.get(when, {}).get(what) for what in ("qty", "cost") for when in _WHEN))
            for month, figures in one.months.items()
        ],
    )


_WHEN = ("before", "after")


def recomputations_table(found: Sequence[RecomputationAnswer], formats: Formats) -> str:
    """One line for each month of each."""
    if not found:
        return texts()("cli.account.never_again")
    rows = [row for one in found for row in _rows(one, formats)]
    return table(COLUMNS, rows, right=(3, 6, 7, 8, 9))


def _rows(one: RecomputationAnswer, formats: Formats) -> Iterator[tuple[str, ...]]:
    asked, state = (
        f"{formats.local(one.asked_at):%Y-%m-%d %H:%M}",
        texts()("cli.account.done" if one.finished_at else "cli.account.waiting"),
    )
    head = (asked, one.by, reason_text(one.reason, texts()), str(len(one.points)), state)
    for month in one.months or [MonthAgain("", None, None, None, None)]:
        uses = (shown(None if x is None else f"{x:,.3f}") for x in (month.use_before, month.use_after))
        digits = minor_digits(formats.currency)
        costs = (shown(None if x is None else f"{x:,.{digits}f}") for x in (month.cost_before, month.cost_after))
        yield (*head, shown(month.month), *uses, *costs)
