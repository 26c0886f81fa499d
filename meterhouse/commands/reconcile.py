"""``meterhouse reconcile``: ingest compares what came in with what is stored, and mends what differs."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from meterhouse.answers import unanswered_sentence, wait_for_answers
from meterhouse.settings import Settings
from stores.records.database import open_records
from stores.records.errands import Errands


def reconcile(
    wait_s: Annotated[float, typer.Option("--wait", min=0, help="Wait so many seconds for the outcome.")] = 60,
) -> None:
    """Ask for the comparison, and print what came of it."""
    errands = Errands(open_records(Settings().records_url))
    asked = errands.ask("reconcile", None, getpass.getuser(), datetime.now(UTC))
    (errand,) = wait_for_answers(errands, [asked], wait_s)
    typer.echo(errand.outcome if errand.done_at else f"{unanswered_sentence(wait_s)}.")
