"""``meterhouse audit``: whether what people did is still on record as it was written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from meterhouse.commands.spoken import given_by, written_as
from meterhouse.output import answer, answers, texts
from meterhouse.settings import Settings
from stores.records.audit import Audit, TrailLook
from stores.records.database import open_records

if TYPE_CHECKING:
    from stores.records.audit_fault import Fault

app = typer.Typer(help="Look through the audit trail.", no_args_is_help=True)

Reason = Annotated[str, typer.Option("--reason", help="Why it may stand as it is; kept in the audit trail.")]


@dataclass(frozen=True, slots=True)
class TrailAnswer:
    """What a look through the trail found."""

    whole: bool
    entries: Annotated[int, "entries that are as they were written, from the first on"]
    keyed_from: Annotated[int | None, "number of the first entry that is sealed with the key"]
    fault: Annotated[str | None, "what is wrong first"]


@app.command(help="Hold every entry of the audit trail against its seal.")
@answers(TrailAnswer)
def verify() -> None:
    """Print what is wrong first, and end with 1, or say that all is as it was written."""
    look = Audit(open_records(Settings().records_url)).look_through()
    _say(look)
    if look.fault:
        raise typer.Exit(1)


@app.command(help="Go on with an audit trail that is not whole, on record, once somebody has looked into it.")
@answers(TrailAnswer)
def accept(*, reason: Reason, by: Annotated[str, typer.Option("--by", help="Who has looked into it.")] = "") -> None:
    """Seal on from here with a new key, and put on record what was wrong."""
    with written_as({"reason": "--reason"}):
        look = Audit(open_records(Settings().records_url)).accept(datetime.now(UTC), given_by(by), reason)
    _say(look)


def _say(look: TrailLook) -> None:
    whole = TrailAnswer(not look.fault, look.entries, look.keyed_from, look.fault or None)
    word = "cli.audit.broken" if look.fault else "cli.audit.whole"
    answer(whole, lambda: texts().counted(word, look.entries, fault=_spoken(look.wrong)))


def _spoken(wrong: Fault | None) -> str:
    return "" if wrong is None else texts()(f"cli.audit.{wrong.what}", **wrong.numbers)
