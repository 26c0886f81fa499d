"""``meterhouse site``: the estate's file and the registry it becomes."""

from __future__ import annotations

import getpass
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accounting.calendars import SiteCalendar
from device_profiles import load_profiles
from facility.documents.notice import read_notice
from facility.documents.site import load_site
from facility.documents.site_export import dump_site
from facility.errors import ConfigError, Problem
from facility.ledger import history_of
from facility.ledger_faults import check_not_ahead
from meterhouse.settings import Settings
from stores.readings import open_readings
from stores.readings.ledger_check import check_reads
from stores.records.database import open_records
from stores.records.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility.catalogue import Catalogue
    from stores.records.estate import Change

app = typer.Typer(no_args_is_help=True)

_DEVICE_FACTS = frozenset({"serial", "digits", "rolls_over_at", "ct_ratio", "pt_ratio"})

File = Annotated[Path, typer.Argument(help="The estate's site.yaml.")]


def read_site(file: Path) -> Catalogue:
    """The estate in ``file``, with the notices in ``calendar/<country>/<year>.yaml`` beside it.

    Raises ``ConfigError`` with file, line and what is allowed.
    """
    estate = load_site(_text_of(file), str(file), load_profiles())
    known = {notice.year for notice in estate.site.notices}
    notices = list(estate.site.notices)
    folder = file.parent / "calendar" / (estate.site.holiday_country or "none")
    for beside in sorted(folder.glob("*.yaml")):
        if not beside.stem.isdecimal() or int(beside.stem) in known:
            raise ConfigError(Problem(str(beside), "is no year of its own", "one file a year, such as 2027.yaml"))
        notices.append(read_notice(_text_of(beside), str(beside), int(beside.stem)))
    return replace(estate, site=replace(estate.site, notices=tuple(notices)))


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(Problem(str(file), f"cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        raise ConfigError(Problem(str(file), f"is not UTF-8 text (byte {error.start})")) from None


@app.command(help="Check a site.yaml; connects to nothing, changes nothing.")
def check(file: File) -> None:
    """Say what the estate holds, or everything that is wrong in it."""
    estate = read_site(file)
    typer.echo(
        f"{file}: good. {len(estate.buildings)} buildings, {len(estate.meters)} meters and sensors, "
        f"{len(estate.points)} points, {len(estate.agents)} agents."
    )
    _warn_of_unadjusted_years(estate)


def _warn_of_unadjusted_years(estate: Catalogue) -> None:
    """Say which of this and the next year lack the notice that moves workdays: their figures would follow no notice."""
    this_year = datetime.now(UTC).year
    for year in SiteCalendar(estate.site).unadjusted_years((this_year, this_year + 1)):
        typer.echo(
            f"warning: no notice of moved workdays is known for {year}: every weekend of it counts as off;"
            f" write calendar/{estate.site.holiday_country}/{year}.yaml or site.holidays.notices",
            err=True,
        )


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
    estate = read_site(file)
    settings = Settings()
    settings.data.mkdir(parents=True, exist_ok=True)
    registry = Registry(open_records(settings.records_url))
    shown = registry.difference(estate)
    changes = shown.changes
    _warn_of_unadjusted_years(estate)
    _print_changes(changes, shown.edits)
    _warn_of_undated_devices(changes)
    if dry_run or not changes:
        return
    _check_ledgers(estate, changes, settings)
    registry.apply(estate, by=getpass.getuser(), at=datetime.now(UTC), accept=accept, shown=shown)
    typer.echo(f"{len(changes)} changes applied.")


def _check_ledgers(estate: Catalogue, changes: Sequence[Change], settings: Settings) -> None:
    """Hold every ledger that changes against the clock and against the readings. Raises ``ConfigError``."""
    changed = {change.id.partition(" from ")[0] for change in changes if change.what == "installation"}
    meters = [meter for meter in estate.meters if meter.id in changed]
    for meter in meters:
        check_not_ahead(history_of(meter, estate.installations), datetime.now(UTC))
    counting = [meter for meter in meters if estate.accounted_point(meter)]
    if not counting:
        return
    with closing(open_readings(settings.store_url)) as store:
        for meter in counting:
            check_reads(store, estate, meter, history_of(meter, estate.installations))


def _warn_of_undated_devices(changes: Sequence[Change]) -> None:
    """Say where a device's facts change without a date: its register would seem to leap when the agent learns them."""
    dated = {change.id.partition(" from ")[0] for change in changes if change.what == "installation"}
    undated = {c.id for c in changes if c.what == "meter" and c.field in _DEVICE_FACTS and c.id not in dated}
    for meter in sorted(undated):
        typer.echo(
            f"warning: {meter} changes its device without saying since when; use meterhouse meter swap or correct,"
            " or write it under installations",
            err=True,
        )


def _print_changes(changes: Sequence[Change], edits: Sequence[Change]) -> None:
    """The document against the registry, and what was edited there since the last apply."""
    for change in changes:
        edit = next((edit for edit in edits if edit.touches(change)), None)
        typer.echo(f"{change}   [undoes an edit: {edit}]" if edit else str(change))
    if not changes:
        typer.echo("nothing to change: the registry already says so.")


@app.command(
    help="Print the registry as site.yaml, or the part that one edge agent reads.",
    short_help="Print the registry as site.yaml.",
)
def export(
    agent: Annotated[str, typer.Option("--agent", help="Only what this agent needs.")] = "",
) -> None:
    """Write the estate to standard output."""
    estate = Registry(open_records(Settings().records_url)).load()
    if agent and agent not in estate.agent:
        raise ConfigError(Problem("--agent", f"unknown agent '{agent}'", ", ".join(estate.agent) or "none"))
    typer.echo(dump_site(estate.part_for(agent) if agent else estate), nl=False)
