"""``meterhouse site``: the estate's file and the registry it becomes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_agent.drivers.examples import check_examples
from facility.documents.site_export import dump_part, dump_site
from facility.ledger.changes import zone_of
from facility.ledger.faults import check_not_ahead
from meterhouse.commands.spoken import change_text, formats_of, given_by, written_as
from meterhouse.commands.taking import estate_handed_out
from meterhouse.output import answer, answers, tell, texts, warn
from meterhouse.settings import Settings
from meterhouse.store_setup import check_belongs
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.level_decisions import LevelDecision
from stores.records.registry import Registry
from stores.site_file import read_site
from stores.site_plan import apply_site, estate_remarks, plan_site
from wording.remarks import remark_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility.catalogue import Catalogue
    from facility.remark import Remark
    from stores.records.estate import Change
    from stores.site_plan import PlannedChange

app = typer.Typer(no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="The estate's site.yaml.")]


@dataclass(frozen=True, slots=True)
class CheckedSite:
    """An estate in which nothing is wrong; what is wrong would be the error's problems."""

    file: str
    buildings: Annotated[int, "how many"]
    meters: Annotated[int, "how many meters and sensors"]
    points: Annotated[int, "how many"]
    agents: Annotated[int, "how many"]


@dataclass(frozen=True, slots=True)
class ChangeAnswer:
    """One difference between document and registry; a whole thing added or removed has no field."""

    kind: Annotated[str, "`added` or `changed` or `removed`"]
    what: Annotated[str, "`meter`, `building`, `installation` …"]
    id: str
    field: str | None
    before: Annotated[Any, "in the registry; a URL without its password"]
    after: Annotated[Any, "in the document"]


@dataclass(frozen=True, slots=True)
class DifferenceAnswer:
    """A change, and what it would undo."""

    change: ChangeAnswer
    undoes: Annotated[ChangeAnswer | None, "an edit made since the last apply; only `--accept` overwrites it"]


@dataclass(frozen=True, slots=True)
class AppliedSite:
    """What applying the document changes."""

    differences: list[DifferenceAnswer]
    applied: Annotated[bool, "false where nothing changes, and with `--dry-run`"]


@app.command(help="Check a site.yaml; connects to nothing, changes nothing.")
@answers(CheckedSite)
def check(file: File) -> None:
    """Say what the estate holds, or everything that is wrong in it."""
    estate, now = read_estate(file), datetime.now(UTC)
    for meter in estate.meters:
        check_not_ahead(estate.ledger_of(meter), now, zone_of(estate))
    checked = CheckedSite(
        file=str(file),
        buildings=len(estate.buildings),
        meters=len(estate.meters),
        points=len(estate.points),
        agents=len(estate.agents),
    )
    answer(checked, lambda: texts()("cli.site.good", **asdict(checked)))
    _warn(estate, estate_remarks(estate, now))


@app.command(
    help="Make the registry say what site.yaml says; prints the difference first.",
    short_help="Make the registry say what site.yaml says.",
)
@answers(AppliedSite)
def apply(
    file: File,
    *,
    accept: Annotated[bool, typer.Option("--accept", help="Overwrite edits made in the console.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the difference, change nothing.")] = False,
    custodian: Annotated[str, typer.Option("--custodian", help="Who decided about the data levels that change.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why they change; kept in the audit trail.")] = "",
) -> None:
    """Apply an estate; doing it again changes nothing."""
    estate, now = read_estate(file), datetime.now(UTC)
    settings = Settings()
    settings.make_folder()
    check_belongs(settings.store_url, estate.site.id, str(file))
    registry = Registry(open_records(settings.records_url))
    plan = plan_site(registry, estate, now)
    tell(_differences(plan.changes))  # before anything is refused
    _warn(estate, plan.remarks)
    decision = LevelDecision(given_by(custodian), reason) if custodian else None
    readings, applied = partial(open_readings, settings.store_url), 0
    if not dry_run:
        applied = len(apply_site(registry, plan, readings, by=given_by(""), now=now, accept=accept, decision=decision))
    done = AppliedSite([_difference_answer(one) for one in plan.changes], applied=applied > 0)
    answer(done, lambda: texts().counted("cli.site.applied", applied) if applied else "")


@app.command(
    help="Print the registry as site.yaml, or the part that one edge agent reads.",
    short_help="Print the registry as site.yaml.",
)
def export(
    agent: Annotated[str, typer.Option("--agent", help="Only what this agent needs.")] = "",
) -> None:
    """Write the estate to standard output."""
    records = open_records(Settings().records_url)
    estate = Registry(records).load()
    with written_as({"agent": "--agent"}):
        document = dump_part(estate, agent) if agent else dump_site(estate)
    estate_handed_out(records, estate, f"site file of agent {agent}" if agent else "site file")
    typer.echo(document, nl=False)


def read_estate(file: Path) -> Catalogue:
    """The estate; the profiles that it names are held to their own examples."""
    profiles = Settings().known_profiles()
    estate = read_site(file, profiles)
    check_examples(profiles[name] for name in dict.fromkeys(meter.profile for meter in estate.meters if meter.agent))
    return estate


def _warn(estate: Catalogue, remarks: Sequence[Remark]) -> None:
    for remark in remarks:
        warn(remark_text(remark, formats_of(estate.site)))


def _differences(changes: Sequence[PlannedChange]) -> str:
    """The document against the registry, and what was edited there since the last apply."""
    if not changes:
        return texts()("cli.site.nothing_to_change")
    return "\n".join(
        texts()("cli.site.undoes", change=change_text(one.change), edit=change_text(one.undoes))
        if one.undoes
        else change_text(one.change)
        for one in changes
    )


def _difference_answer(one: PlannedChange) -> DifferenceAnswer:
    return DifferenceAnswer(_change_answer(one.change), _change_answer(one.undoes) if one.undoes else None)


def _change_answer(change: Change) -> ChangeAnswer:
    fit = change.without_secrets()
    return ChangeAnswer(fit.kind, fit.what, fit.id, fit.field or None, fit.before, fit.after)
