"""``meterhouse import meters`` and ``meterhouse export meters``: the estate's meters and both its trees as a table."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import Annotated

import typer

from facility.errors import ConfigError, Problem
from facility.wall_time import written_day
from imports.estate_plan import plan_estate
from imports.estate_sheet import estate_csv, estate_xlsx
from meterhouse.answers.estate_tables import EstateTableAnswer, estate_answer, estate_text
from meterhouse.commands.readings_table import export_readings
from meterhouse.commands.spoken import formats_of, given_by
from meterhouse.commands.taking import estate_handed_out
from meterhouse.output import answer, answers, say, speaks_json, texts
from meterhouse.settings import Settings
from stores.records.database import open_records
from stores.records.registry import Registry

app = typer.Typer(no_args_is_help=True)
app.command("readings", help="Readings of a building as CSV, on record with their level.")(export_readings)


class TableForm(StrEnum):
    """What a table is written as."""

    CSV = "csv"
    XLSX = "xlsx"


@answers(EstateTableAnswer)
def import_meters(
    file: Annotated[Path, typer.Argument(help="The table.", exists=True, dir_okay=False, readable=True)],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    valid_from: Annotated[
        str, typer.Option("--valid-from", help="The day, such as 2026-01-01, of rows that state none and need one.")
    ] = "",
    encoding: Annotated[str, typer.Option("--encoding", help="Of a CSV file, such as gbk or cp1252.")] = "",
    sheet: Annotated[str, typer.Option("--sheet", help="Of a workbook; the first, unless said otherwise.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who does it; you, unless said otherwise.")] = "",
) -> None:
    """Preview, ask, then change the registry in one step; a table with one wrong row changes nothing."""
    settings = Settings()
    registry = Registry(open_records(settings.records_url))
    known = registry.revision()
    day, profiles = written_day("--valid-from", valid_from), settings.known_profiles()
    plan = plan_estate(file.read_bytes(), known.catalogue, profiles, valid_from=day, encoding=encoding, sheet=sheet)
    formats = formats_of(known.catalogue.site)
    is_done = False
    if not speaks_json():
        typer.echo(estate_text(plan, formats))
    if plan.changes and not dry_run and (yes or typer.confirm(texts()("cli.import.ask_estate"), err=True)):
        now = datetime.now(UTC)
        registry.edit(plan.estate, based_on=known.version, by=given_by(by), at=now, what="import.meters")
        is_done = True
    if speaks_json():
        said = estate_answer(file.name, plan, formats, is_applied=is_done)
        answer(said, lambda: "")
    elif is_done:
        say("cli.import.estate_done", n=f"{len(plan.changes):,}")
    elif not plan.changes and not plan.faults:
        say("cli.site.nothing_to_change")
    else:
        say("cli.import.nothing_written")
    if plan.faults or (plan.changes and not dry_run and not is_done):
        raise typer.Exit(1)


@app.command("meters", help="Departments, buildings, spaces and meters as a table that `import meters` reads back.")
def export_meters(
    *,
    form: Annotated[TableForm, typer.Option("--format", help="csv or xlsx.")] = TableForm.CSV,
    out: Annotated[Path | None, typer.Option("--out", help="Into this file; xlsx needs one.")] = None,
) -> None:
    """Write the table to a file, or CSV to standard output."""
    if out is None and form is TableForm.XLSX:
        raise ConfigError(Problem("--out", "is missing: a workbook cannot be printed", "a file such as meters.xlsx"))
    records = open_records(Settings().records_url)
    estate = Registry(records).load()
    content = estate_xlsx(estate) if form is TableForm.XLSX else estate_csv(estate)
    estate_handed_out(records, estate, f"table of meters, {form}")
    if out is not None:
        _write(out, content)
    else:
        lines = content.decode("utf-8-sig").replace("\r\n", "\n")
        typer.echo(lines, nl=False)


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise ConfigError(Problem(str(out), f"cannot be written: {error.strerror}")) from None
