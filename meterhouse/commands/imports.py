"""``meterhouse import``: tables that people hand in, previewed, confirmed by a second person, and undone."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from facility.errors import ConfigError, Problem, Rejected
from imports.readings import ImportPlan, plan_import
from imports.rows import Wishes
from meterhouse.answers.imports import (
    ImportsAnswer,
    PreviewAnswer,
    import_answer,
    imports_text,
    preview_answer,
    preview_text,
)
from meterhouse.commands.estate_tables import import_meters
from meterhouse.commands.spoken import formats_of, given_by
from meterhouse.output import answer, answers, say, speaks_json, texts
from meterhouse.settings import Settings
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.imports.book import Imports, ImportState, KeptImport, ProposedImport
from stores.records.registry import Registry

if TYPE_CHECKING:
    from wording.formats import Formats

app = typer.Typer(no_args_is_help=True)
app.command(
    "meters",
    help="Take in meters with the spaces and departments that they belong to, as `export meters` writes them:"
    " previewed first, changed in one step. A table with one wrong row changes nothing; what it does not name stays.",
    short_help="Take in meters with both trees from a CSV or Excel file.",
)(import_meters)

LOOK_EVERY_S = 0.2

Number = Annotated[int, typer.Argument(help="The import's number.", min=1, max=2**63 - 1)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the import and in the audit trail.")]
By = Annotated[str, typer.Option("--by", help="Who does it; you, unless said otherwise.")]
Wait = Annotated[float, typer.Option("--wait", min=0, help="Wait so many seconds for ingest.")]


@app.command(
    help="Take in readings from a CSV or Excel file: previewed first, stored as entered by hand once a person has"
    " confirmed them. A file with one wrong row brings nothing.",
    short_help="Take in readings from a CSV or Excel file.",
)
@answers(PreviewAnswer)
def readings(
    file: Annotated[Path, typer.Argument(help="The table.", exists=True, dir_okay=False, readable=True)],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be stored.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", help="ROLE=HEADER, where the guess is wrong: meter, time, end, register, use, unit."),
    ] = None,
    meter: Annotated[str, typer.Option("--meter", help="The meter, where the table is about one.")] = "",
    quantity: Annotated[str, typer.Option("--quantity", help="What is measured, where a meter measures several.")] = "",
    unit: Annotated[str, typer.Option("--unit", help="Unit of the figures, where the table does not say.")] = "",
    tells: Annotated[str, typer.Option("--tells", help="register or use: what the figures are.")] = "",
    decimal: Annotated[str, typer.Option("--decimal", help="point or comma.")] = "",
    date_order: Annotated[str, typer.Option("--date-order", help="dmy or mdy, of dates such as 3/4/2026.")] = "",
    period: Annotated[str, typer.Option("--period", help="month, day, hour, half-hour or quarter-hour: of use.")] = "",
    stamped: Annotated[str, typer.Option("--stamped", help="start or end: what the time of a period is.")] = "",
    encoding: Annotated[str, typer.Option("--encoding", help="Of a CSV file, such as gbk or cp1252.")] = "",
    sheet: Annotated[str, typer.Option("--sheet", help="Of a workbook; the first, unless said otherwise.")] = "",
    by: By = "",
    wait_s: Wait = 20,
) -> None:
    """Preview, then propose; confirm at once where nobody else may."""
    wishes = Wishes(
        columns=_columns(column or []),
        meter=meter,
        quantity=quantity,
        unit=unit,
        tells=tells,
        decimal=decimal,
        date_order=date_order,
        period=period,
        stamped=stamped,
        encoding=encoding,
        sheet=sheet,
    )
    settings = Settings()
    records = open_records(settings.records_url)
    plan, formats = _planned(settings, Registry(records), file, wishes)
    if plan.faults or dry_run:
        _show(plan, formats)
        say("cli.import.nothing_written" if plan.faults else "cli.import.dry")
        raise typer.Exit(1 if plan.faults else 0)
    if not speaks_json():
        _show(plan, formats)
    if not yes and not typer.confirm(texts()("cli.import.ask"), err=True):
        say("cli.import.nothing_written")
        raise typer.Exit(1)
    book, name, at = Imports(records), given_by(by), datetime.now(UTC)
    number = book.propose(ProposedImport(plan.file, plan.digest, plan.tells, plan.readings), name, at)
    others = book.who_may_confirm(at, plan.readings.points) - {name}
    if others:
        say("cli.import.proposed", id=number, who=", ".join(sorted(others)))
    else:
        book.confirm(number, name, at)
        _await(book, number, wait_s)
    if speaks_json():
        _show(plan, formats, book.one(number))


def _planned(settings: Settings, registry: Registry, file: Path, wishes: Wishes) -> tuple[ImportPlan, Formats]:
    estate, store = registry.load(), open_readings(settings.store_url, registry)
    formats, now_ms = formats_of(estate.site), time.time_ns() // 1_000_000
    screen = Console(stderr=True, quiet=speaks_json())
    try:
        with Progress(console=screen, disable=not screen.is_terminal, transient=True) as bar:
            task = bar.add_task(texts()("cli.import.progress"))

            def tell(done: int, of: int) -> None:
                bar.update(task, completed=done, total=of)

            content = file.read_bytes()
            return plan_import(content, file.name, estate, formats.zone, store, wishes, now_ms, tell), formats
    finally:
        store.close()


def _show(plan: ImportPlan, formats: Formats, kept: KeptImport | None = None) -> None:
    said = preview_answer(plan, formats, kept)
    answer(said, lambda: preview_text(said, plan, formats))


def _columns(said: list[str]) -> dict[str, str]:
    found = {}
    for one in said:
        role, sign, header = one.partition("=")
        if not sign or not header.strip():
            raise ConfigError(Problem("--column", f"'{one}' names no column", "ROLE=HEADER, such as meter=No."))
        found[role.strip()] = header.strip()
    return found


@app.command("list", help="What was handed in, the newest first.")
@answers(ImportsAnswer)
def list_imports(
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 50,
) -> None:
    """Print the imports on record."""
    records = open_records(Settings().records_url)
    formats = formats_of(Registry(records).load().site)
    found = [import_answer(kept) for kept in Imports(records).newest(limit=limit)]
    answer(ImportsAnswer(found), lambda: imports_text(found, formats))


@app.command(help="Confirm what somebody else handed in: ingest then stores it.")
def confirm(number: Number, by: By = "", wait_s: Wait = 20) -> None:
    """The second pair of eyes."""
    book = Imports(open_records(Settings().records_url))
    book.confirm(number, given_by(by), datetime.now(UTC))
    _await(book, number, wait_s)


@app.command(help="Give up an import that nobody has confirmed.")
def withdraw(number: Number, *, reason: Reason, by: By = "") -> None:
    """Nothing of it was stored."""
    Imports(open_records(Settings().records_url)).withdraw(number, given_by(by), reason, datetime.now(UTC))
    say("cli.import.withdrawn", id=number)


@app.command(help="Take an import back whole: its readings count no more, and what rests on them is computed again.")
def undo(number: Number, *, reason: Reason, by: By = "", wait_s: Wait = 20) -> None:
    """Retract what it brought."""
    book = Imports(open_records(Settings().records_url))
    book.undo(number, given_by(by), reason, datetime.now(UTC))
    _await(book, number, wait_s)


def _await(book: Imports, number: int, wait_s: float) -> None:
    """Say that ingest has it, then what came of it. Raises ``Rejected`` where it was refused."""
    say("cli.import.asked", id=number)
    until = time.monotonic() + wait_s
    while True:
        kept = book.one(number)
        assert kept is not None
        if kept.state is ImportState.REFUSED:
            raise Rejected("import_refused", texts()("cli.import.refused", id=number, why=kept.outcome))
        if kept.state not in {ImportState.CONFIRMED, ImportState.TAKEN_BACK}:
            say("cli.import.done", id=number, state=texts()(f"import.state.{kept.state}"))
            return
        if time.monotonic() >= until:
            say("cli.import.waiting", wait_s=f"{wait_s:g}")
            return
        time.sleep(LOOK_EVERY_S)
