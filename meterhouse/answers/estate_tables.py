"""What ``meterhouse import meters`` answers: what a table changes, or what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from imports.fault_words import fault_text
from meterhouse.answers.imports import MOST_FAULTS, FaultAnswer
from meterhouse.commands.spoken import change_text
from meterhouse.output import texts

if TYPE_CHECKING:
    from imports.estate_plan import EstatePlan
    from wording.formats import Formats

MOST_CHANGES = 40
"""So many changes are shown; the rest is counted."""


@dataclass(frozen=True, slots=True)
class EstateTableAnswer:
    """What a table of meters would change, or what is wrong with it."""

    file: str
    read_as: Annotated[str, "encoding and delimiter, or the sheet"]
    rows: int
    change_count: int
    changes: Annotated[list[str], "the first 200, in the reader's language"]
    fault_count: int
    faults: Annotated[list[FaultAnswer], "the first 200"]
    applied: Annotated[bool, "false where nothing changes, with a fault, and with `--dry-run`"]


def estate_answer(file: str, plan: EstatePlan, formats: Formats, *, is_applied: bool) -> EstateTableAnswer:
    """The plan for programs."""
    return EstateTableAnswer(
        file,
        plan.read_as,
        plan.rows,
        len(plan.changes),
        [change_text(one) for one in plan.changes[:MOST_FAULTS]],
        len(plan.faults),
        [
            FaultAnswer(one.row, one.column, one.kind.value, fault_text(one, texts(), formats))
            for one in plan.faults[:MOST_FAULTS]
        ],
        is_applied,
    )


def estate_text(plan: EstatePlan, formats: Formats) -> str:
    """The plan for people: every change, or every fault."""
    t = texts()
    said = [fault_text(one, t, formats) for one in plan.faults] or [change_text(one) for one in plan.changes]
    most = MOST_FAULTS if plan.faults else MOST_CHANGES
    more = [t("cli.import.more", n=f"{len(said) - most:,}")] if len(said) > most else []
    head = t("cli.import.estate_read", rows=f"{plan.rows:,}", read_as=plan.read_as or "–")
    return "\n".join([head, *said[:most], *more])
