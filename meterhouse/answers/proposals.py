"""What ``meterhouse account proposals`` answers: for programs and as a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the answer's shape is read by its types
from typing import TYPE_CHECKING, Annotated

from facility.currency import minor_digits
from facility.quantities import Utility
from meterhouse.output import shown, table, texts
from stores.records.accounting.proposals import EntryState
from wording.reasons import reason_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stores.records.accounting.proposals import Proposal
    from wording.formats import Formats

COLUMNS = (
    "cli.column.entry",
    "cli.column.building",
    "cli.column.meter",
    "cli.column.month",
    "proposal.use",
    "proposal.estimated",
    "proposal.cost",
    "cli.column.reason",
    "cli.column.state",
)


@dataclass(frozen=True, slots=True)
class ProposedDay:
    """What one day turned out to be more, or less."""

    day: Annotated[str, "local, such as `2026-10-14`"]
    use: float
    estimated: Annotated[float, "of the estimated part of use"]
    cost: float


@dataclass(frozen=True, slots=True)
class ProposalAnswer:
    """What a closed month turned out to be more (or less), not entered unless a person accepts it."""

    entry: Annotated[int, "its number"]
    state: EntryState
    building: Annotated[str, "its id"]
    meter: Annotated[str, "its id"]
    utility: Utility
    quantity: str
    month: Annotated[str, "local, such as `2026-10`"]
    unit: Annotated[str, "of `use` and `estimated`"]
    use: Annotated[float, "difference to what was handed in and entered"]
    estimated: Annotated[float, "of the estimated part of use"]
    cost: float
    currency: str
    reason: str
    at: Annotated[datetime, "when it was proposed; once accepted, when it was entered"]
    decided_at: datetime | None
    decided_by: str | None
    decision: Annotated[str | None, "why it was accepted or dismissed"]
    days: list[ProposedDay]


@dataclass(frozen=True, slots=True)
class ProposalsAnswer:
    """Proposed entries, oldest first."""

    proposals: list[ProposalAnswer]


def proposal_answer(one: Proposal, currency: str) -> ProposalAnswer:
    """A proposed entry as it stands."""
    utility = Utility(one.utility)
    return ProposalAnswer(
        entry=one.number,
        state=one.state,
        building=one.building,
        meter=one.meter,
        utility=utility,
        quantity=one.quantity,
        month=one.month,
        unit=utility.unit,
        use=one.sum_of("qty"),
        estimated=one.sum_of("est_qty"),
        cost=one.sum_of("cost"),
        currency=currency,
        reason=one.reason,
        at=one.at,
        decided_at=one.decided_at,
        decided_by=one.decided_by or None,
        decision=one.decision or None,
        days=[
            ProposedDay(day, *(fields.get(name, 0.0) for name in ("qty", "est_qty", "cost")))
            for day, fields in sorted(one.differences.items())
        ],
    )


def proposals_table(found: Sequence[ProposalAnswer], formats: Formats) -> str:
    """One line per entry."""
    t = texts()
    if not found:
        return t("proposal.none")
    rows = [
        (
            str(one.entry),
            one.building,
            one.meter,
            one.month,
            *(f"{x:+,.3f} {formats.sign(one.unit)}" for x in (one.use, one.estimated)),
            f"{one.cost:+,.{minor_digits(one.currency)}f} {one.currency}",
            reason_text(one.reason, t),
            _standing(one, formats),
        )
        for one in found
    ]
    return "\n".join([table(COLUMNS, rows, right=(0, 4, 5, 6)), *([t("proposal.hint")] if _waits(found) else [])])


def _waits(found: Sequence[ProposalAnswer]) -> bool:
    return any(one.state is EntryState.PROPOSED for one in found)


def _standing(one: ProposalAnswer, formats: Formats) -> str:
    word = texts()(f"proposal.{one.state}")
    if one.decided_at is None:
        return word
    return f"{word} · {shown(one.decided_by)} · {formats.written_minute(one.decided_at)} · {shown(one.decision)}"
