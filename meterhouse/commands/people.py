"""``meterhouse people``: who may come in and what each may do, from the machine's own console.

Whoever is here has the machine, so here is also the way back in when nobody else may let people in. All is audited.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from facility.errors import ConfigError, Problem
from facility.levels import LEVEL_WORDS, Level
from facility.person_name import person_name
from facility.rights import Role
from facility.wall_time import written_instant
from meterhouse.commands.spoken import given_by, written_as
from meterhouse.output import answer, answers, say, table, texts
from meterhouse.settings import Settings
from stores.records.accounts.accounts import Account, Accounts
from stores.records.accounts.grants import Grant, Grants, RolePart
from stores.records.accounts.identities import Identities, Identity
from stores.records.accounts.second_factor import SecondFactor
from stores.records.database import open_records
from stores.records.registry import Registry

if TYPE_CHECKING:
    from sqlalchemy import Engine

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The person, as they are called in the console.")]
RoleOption = Annotated[Role, typer.Option("--role", help="What they are here for.")]


@dataclass(frozen=True, slots=True)
class PersonAnswer:
    """One account."""

    name: str
    roles: Annotated[list[str], "each with the part of the estate, the highest data level, and until when"]
    password: bool
    second_factor: bool
    cases: Annotated[int, "cases that they have taken and not closed"]
    closed: bool


@dataclass(frozen=True, slots=True)
class PeopleAnswer:
    """Every account."""

    people: list[PersonAnswer]


@app.callback()
def people() -> None:
    """Accounts and roles of people."""


@app.command("list", help="List accounts, their roles, and what they sign in with.")
@answers(PeopleAnswer)
def list_people() -> None:
    """One row each."""
    records = _records()
    grants, now = Grants(records).all_of(), datetime.now(UTC)
    found = [
        _answer(one, [str(g) for g in grants.get(one.name, []) if g.holds(now)]) for one in Accounts(records).all_of()
    ]
    columns = ("cli.column.person", "cli.column.roles", "cli.column.password", "cli.column.second_factor")
    answer(PeopleAnswer(found), lambda: table(columns, [_row(one) for one in found]))


@app.command(help="Give somebody a role: in the whole site, a building or a department.")
def give(
    name: Name,
    role: RoleOption,
    building: Annotated[str, typer.Option("--building", help="In this building alone.")] = "",
    department: Annotated[str, typer.Option("--department", help="In this department's buildings alone.")] = "",
    level: Annotated[str, typer.Option("--level", help=f"The highest data level: {', '.join(LEVEL_WORDS)}.")] = "",
    until: Annotated[str, typer.Option("--until", help="First local day or time without it.")] = "",
) -> None:
    """Default is every level, for ever."""
    records = _records()
    if building and department:
        raise ConfigError(Problem("--building", "stands beside --department", "one of them, or neither"))
    part = RolePart.BUILDING if building else RolePart.DEPARTMENT if department else RolePart.SITE
    end = written_instant("--until", until, _zone(records)) if until else None
    grant = Grant(role, part, building or department, _level(level), end)
    Grants(records).give(person_name(name), grant, given_by(""), datetime.now(UTC))
    say("cli.people.given", name=name, grant=grant)


@app.command(help="Take a role away from somebody, wherever they have it.")
def take(name: Name, role: RoleOption) -> None:
    """Never the last administrator's."""
    grants, who = Grants(_records()), person_name(name)
    theirs = [one for one in grants.all_of().get(who, []) if one.role is role]
    if not theirs:
        raise ConfigError(Problem("--role", f"{who} is not {role}", "a role that 'meterhouse people list' names"))
    for one in theirs:
        grants.take(who, one.id, given_by(""), datetime.now(UTC))
    say("cli.people.taken", name=who, role=role)


@app.command(help="Close an account: sessions, links and roles end, open cases go to somebody else.")
def close(
    name: Name, hand_to: Annotated[str, typer.Option("--hand-to", help="Who takes over their open cases.")] = ""
) -> None:
    """The name stays: the audit trail says it."""
    handed = Accounts(_records()).close(
        person_name(name), given_by(""), datetime.now(UTC), hand_to=person_name(hand_to) if hand_to else ""
    )
    say("cli.people.closed", name=name, n=handed)


@app.command("forget-phone", help="Ask somebody who has lost their phone for no code until they set up another.")
def forget_phone(name: Name) -> None:
    """Their password stays."""
    SecondFactor(_records()).take_away(person_name(name), given_by(""), datetime.now(UTC))
    say("cli.people.forgotten", name=name)


@app.command(help="Match somebody with their account at the site's sign-in provider; without --subject, with none.")
def match(
    name: Name,
    subject: Annotated[str, typer.Option("--subject", help="What the provider calls them (the claim sub).")] = "",
    issuer: Annotated[
        str, typer.Option("--issuer", envvar="METERHOUSE_OIDC_ISSUER", help="The provider's address.")
    ] = "",
) -> None:
    """No claim of a provider ever makes an account."""
    identities, who, now = Identities(_records()), person_name(name), datetime.now(UTC)
    if not subject:
        identities.forget(who, given_by(""), now)
        say("cli.people.unmatched", name=who)
        return
    if not issuer:
        raise ConfigError(Problem("--issuer", "is missing", "the provider's address, or METERHOUSE_OIDC_ISSUER"))
    with written_as({"subject": "--subject"}):
        identities.match(who, Identity(issuer, subject), given_by(""), now)
    say("cli.people.matched", name=who, subject=subject, issuer=issuer)


def _records() -> Engine:
    return open_records(Settings().records_url)


def _zone(records: Engine) -> ZoneInfo:
    return ZoneInfo(Registry(records).load().site.timezone)


def _level(word: str) -> Level | None:
    if word and word not in LEVEL_WORDS:
        raise ConfigError(Problem("--level", f"there is no level '{word}'", ", ".join(LEVEL_WORDS)))
    return Level[word.upper()] if word else None


def _answer(one: Account, roles: list[str]) -> PersonAnswer:
    is_closed = one.closed_at is not None
    return PersonAnswer(one.name, roles, one.has_password, one.has_second_factor, one.cases, is_closed)


def _row(one: PersonAnswer) -> tuple[str, ...]:
    said = texts()
    roles = said("cli.people.has_left") if one.closed else "\n".join(one.roles) or "–"
    yes = {True: said("cli.people.yes"), False: "–"}
    return one.name, roles, yes[one.password], yes[one.second_factor]
