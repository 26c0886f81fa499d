"""``meterhouse reconcile``: ingest compares what came in with what is stored, and mends what differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from meterhouse.answers.errands import ErrandAnswer, errand_answer, wait_for_answers
from meterhouse.commands.spoken import given_by
from meterhouse.output import answer, answers, texts
from meterhouse.settings import Settings
from stores.records.database import open_records
from stores.records.errands import Errands


@dataclass(frozen=True, slots=True)
class ReconcileAnswer:
    """What was asked for, and what came of it."""

    errand: ErrandAnswer


@answers(ReconcileAnswer)
def reconcile(
    wait_s: Annotated[float, typer.Option("--wait", min=0, help="Wait so many seconds for the outcome.")] = 60,
) -> None:
    """Ask for the comparison, and print what came of it."""
    errands = Errands(open_records(Settings().records_url))
    asked = errands.ask("reconcile", None, given_by(""), datetime.now(UTC))
    (errand,) = wait_for_answers(errands, [asked], wait_s)
    shown = errand_answer(errand)
    answer(ReconcileAnswer(shown), lambda: shown.outcome or texts()("cli.errand.unanswered", wait_s=f"{wait_s:g}"))
