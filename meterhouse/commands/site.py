"""``meterhouse site``: the estate's file and the registry it becomes."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from device_profiles import load_profiles
from facility.documents.site_export import dump_part, dump_site
from meterhouse.commands.spoken import remark_text, written_as
from meterhouse.settings import Settings
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.site_file import read_site
from stores.site_plan import apply_site, estate_remarks, plan_site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility.remark import Remark
    from stores.site_plan import PlannedChange

app = typer.Typer(no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="The estate's site.yaml.")]


@app.command(help="Check a site.yaml; connects to nothing, changes nothing.")
def check(file: File) -> None:
    """Say what the estate holds, or everything that is wrong in it."""
    estate = read_site(file, load_profiles())
    typer.echo(
        f"{file}: good. {len(estate.buildings)} buildings, {len(estate.meters)} meters and sensors, "
        f"{len(estate.points)} points, {len(estate.agents)} agents."
    )
    _warn(estate_remarks(estate, datetime.now(UTC)))


@app.command(
    help="Make the registry say what site.yaml says; prints the difference first.",
    short_help="Make the registry say what site.yaml says.",
)
def apply(
    file: File,
    *,
    accept: Annotated[bool, typer.Option("--accept", help="Overwrite edits made in the console.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the difference, change nothing.")] = False,
) -> None:
    """Apply an estate; doing it again changes nothing."""
    estate, now = read_site(file, load_profiles()), datetime.now(UTC)
    settings = Settings()
    settings.data.mkdir(parents=True, exist_ok=True)
    registry = Registry(open_records(settings.records_url))
    plan = plan_site(registry, estate, now)
    _print_changes(plan.changes)
    _warn(plan.remarks)
    if dry_run or not plan.changes:
        return
    readings = partial(open_readings, settings.store_url)
    changes = apply_site(registry, plan, readings, by=getpass.getuser(), now=now, accept=accept)
    typer.echo(f"{len(changes)} changes applied.")


@app.command(
    help="Print the registry as site.yaml, or the part that one edge agent reads.",
    short_help="Print the registry as site.yaml.",
)
def export(
    agent: Annotated[str, typer.Option("--agent", help="Only what this agent needs.")] = "",
) -> None:
    """Write the estate to standard output."""
    estate = Registry(open_records(Settings().records_url)).load()
    with written_as({"agent": "--agent"}):
        typer.echo(dump_part(estate, agent) if agent else dump_site(estate), nl=False)


def _warn(remarks: Sequence[Remark]) -> None:
    for remark in remarks:
        typer.echo(f"warning: {remark_text(remark)}", err=True)


def _print_changes(changes: Sequence[PlannedChange]) -> None:
    """The document against the registry, and what was edited there since the last apply."""
    for one in changes:
        typer.echo(f"{one.change}   [undoes an edit: {one.undoes}]" if one.undoes else str(one.change))
    if not changes:
        typer.echo("nothing to change: the registry already says so.")
