"""``meterhouse roster``: who takes work orders, what they can do and where, and when they are on shift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path  # noqa: TC003 - Typer reads it
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from facility.errors import ConfigError, Problem
from facility.order import parse_skill
from facility.person_name import person_name
from meterhouse.commands.spoken import formats_of, given_by
from meterhouse.output import answer, answers, say, table, texts
from meterhouse.settings import Settings
from stores.records.accounts.accounts import Accounts
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.records.roster.roster import Roster
from stores.records.roster.roster_csv import read_roster
from stores.records.roster.worker import MOST_A_DAY, Rank, Worker

if TYPE_CHECKING:
    from sqlalchemy import Engine

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The person, as they are called in the console.")]
MOST_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class ShiftAnswer:
    """One shift that is not over."""

    person: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class WorkerAnswer:
    """Somebody who takes work orders."""

    person: str
    rank: Rank
    skills: list[str]
    places: Annotated[list[str], "ids of buildings; none: the whole site"]
    most_a_day: int
    on_shift: bool


@dataclass(frozen=True, slots=True)
class RosterAnswer:
    """Everybody on the roster, and the shifts of the next seven days."""

    workers: list[WorkerAnswer]
    shifts: list[ShiftAnswer]


@app.callback()
def roster() -> None:
    """The roster of who takes work orders."""


@app.command("list", help="List who takes work orders, and the shifts of the next seven days.")
@answers(RosterAnswer)
def list_roster() -> None:
    """One row for each person."""
    records, now = open_records(Settings().records_url), datetime.now(UTC)
    kept = Roster(records)
    shifts = kept.shifts(now, now + timedelta(days=7))
    here = {one.name for one in shifts if one.begins <= now} - _off_today(records, kept, now)
    found = [
        WorkerAnswer(one.name, one.rank, sorted(one.skills), sorted(one.places), one.most_a_day, one.name in here)
        for one in kept.workers()
    ]
    said = RosterAnswer(found, [ShiftAnswer(one.name, one.begins, one.ends) for one in shifts])
    answer(said, lambda: _lines(records, said))


@app.command(help="Put somebody on the roster, or say anew what they can do.")
def put(
    name: Name,
    *,
    skills: Annotated[
        str, typer.Option("--skills", help="What they know, with commas: electricity,water.")
    ] = "general",
    places: Annotated[str, typer.Option("--places", help="Ids of buildings, with commas; else the whole site.")] = "",
    rank: Annotated[
        Rank, typer.Option("--rank", help="Leads and managers are asked when nobody answers.")
    ] = Rank.WORKER,
    most: Annotated[int, typer.Option("--most-a-day", help="So many orders a day are offered at most.")] = MOST_A_DAY,
) -> None:
    """An account is needed, and a role that may take cases there."""
    known = frozenset(parse_skill(one.strip()) for one in skills.split(",") if one.strip())
    where = frozenset(one.strip() for one in places.split(",") if one.strip())
    worker = Worker(person_name(name), known, where, rank, most)
    Roster(open_records(Settings().records_url)).put(worker, given_by(""), datetime.now(UTC))
    say("cli.roster.put", name=worker.name)


@app.command(help="Take somebody off the roster, with their shifts.")
def remove(name: Name) -> None:
    """What they have in hand stays theirs."""
    Roster(open_records(Settings().records_url)).remove(person_name(name), given_by(""), datetime.now(UTC))
    say("cli.roster.removed", name=name)


@app.command("import", help="Read people, shifts and days off from a CSV file: all of it or nothing.")
def import_roster(file: Annotated[Path, typer.Argument(help="Columns name, rank, skills, begins, ends, off.")]) -> None:
    """Every wrong row is named."""
    records = open_records(Settings().records_url)
    known = [one.name for one in Accounts(records).all_of() if one.closed_at is None]
    found = read_roster(_content(file), file.name, ZoneInfo(Registry(records).load().site.timezone), known)
    Roster(records).bring_in(found.workers, found.shifts, found.off, given_by(""), datetime.now(UTC))
    say("cli.roster.imported", people=len(found.workers), shifts=len(found.shifts), off=len(found.off))


def _content(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(Problem(str(file), f"cannot be read: {error.strerror}")) from None
    if len(content) > MOST_BYTES:
        raise ConfigError(Problem(str(file), "is too large", "4 MB"))
    return content


def _off_today(records: Engine, kept: Roster, now: datetime) -> set[str]:
    today = now.astimezone(ZoneInfo(Registry(records).load().site.timezone)).date()
    return {one.name for one in kept.days_off(today) if one.day == today}


def _lines(records: Engine, said: RosterAnswer) -> str:
    t, formats = texts(), formats_of(Registry(records).load().site)
    if not said.workers:
        return t("cli.roster.none")
    columns = ("cli.column.person", "cli.column.rank", "cli.column.skills", "cli.column.places", "cli.column.on_shift")
    rows = [
        (
            one.person, t(f"rank.{one.rank}"), t("cli.between").join(t(f"skill.{word}") for word in one.skills),
            t("cli.between").join(one.places), t("cli.people.yes") if one.on_shift else "–",
        )
        for one in said.workers
    ]  # fmt: skip
    shifts = [(one.person, formats.instant(one.begins), formats.instant(one.ends)) for one in said.shifts]
    times = table(("cli.column.person", "cli.column.begins", "cli.column.ends"), shifts)
    return table(columns, rows) + (f"\n\n{times}" if shifts else "")
