"""``meterhouse audit``: whether what people did is still on record as it was written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import TYPE_CHECKING, Annotated

import typer

from meterhouse.commands.spoken import given_by, written_as
from meterhouse.output import answer, answers, texts
from meterhouse.settings import Settings
from stores.records.audit import Audit
from stores.records.audit_checkpoint import read_checkpoints, signed_by, signed_checkpoint
from stores.records.audit_shipping import check_place, file_of, ship
from stores.records.database import open_records

if TYPE_CHECKING:
    from stores.records.audit_fault import Fault
    from stores.records.audit_look import TrailLook

app = typer.Typer(help="Look through the audit trail.", no_args_is_help=True)

Reason = Annotated[str, typer.Option("--reason", help="Why it may stand as it is; kept in the audit trail.")]


@dataclass(frozen=True, slots=True)
class TrailAnswer:
    """What a look through the trail found."""

    whole: bool
    entries: Annotated[int, "entries that are as they were written, from the first on"]
    keyed_from: Annotated[int | None, "number of the first entry that is sealed with the key"]
    fault: Annotated[str | None, "what is wrong first"]
    checkpoints: Annotated[int, "checkpoints kept elsewhere that it was held against"] = 0


@app.command(help="Hold every entry of the audit trail against its seal, and the end against checkpoints.")
@answers(TrailAnswer)
def verify(
    checkpoints: Annotated[
        Path | None, typer.Option("--checkpoints", help="The file they were shipped to, of a syslog say.")
    ] = None,
) -> None:
    """Print what is wrong first, and end with 1, or say that all is as it was written."""
    settings = Settings()
    file = checkpoints or file_of(check_place(settings.audit_checkpoints))
    kept = read_checkpoints(file) if file else []
    look = Audit(open_records(settings.records_url)).look_through(lambda key: signed_by(kept, key))
    _say(look, len(kept))
    if look.fault:
        raise typer.Exit(1)


@app.command(help="Go on with an audit trail that is not whole, on record, once somebody has looked into it.")
@answers(TrailAnswer)
def accept(*, reason: Reason, by: Annotated[str, typer.Option("--by", help="Who has looked into it.")] = "") -> None:
    """Seal on from here with a new key, and put on record what was wrong."""
    settings, now = Settings(), datetime.now(UTC)
    place, audit = check_place(settings.audit_checkpoints), Audit(open_records(settings.records_url))
    with written_as({"reason": "--reason"}):
        look = audit.accept(now, given_by(by), reason)
    if place and (end := audit.end()):
        ship(signed_checkpoint(*end, now), place)
    _say(look)


def _say(look: TrailLook, checkpoints: int = 0) -> None:
    whole = TrailAnswer(not look.fault, look.entries, look.keyed_from, look.fault or None, checkpoints)
    word = "cli.audit.broken" if look.fault else "cli.audit.whole"
    held = f"\n{texts().counted('cli.audit.checkpoints', checkpoints)}" if checkpoints else ""
    answer(whole, lambda: texts().counted(word, look.entries, fault=_spoken(look.wrong)) + held)


def _spoken(wrong: Fault | None) -> str:
    return "" if wrong is None else texts()(f"cli.audit.{wrong.what}", **wrong.numbers)
