"""``meterhouse notify``: who is told, by which courier, what became of the letters, and whether one arrives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID, uuid4

import typer

from analytics.letters.courier import Post, UndeliveredError
from analytics.letters.couriers import read_couriers
from facility.errors import ConfigError, Problem, Rejected
from facility.person_name import person_name
from meterhouse.commands.spoken import given_by
from meterhouse.output import answer, answers, say, table, texts
from meterhouse.settings import Settings
from stores.records.database import open_records
from stores.records.letters.contacts import Contacts
from stores.records.letters.letter import UNSENT, Contact, Letter, LetterState
from stores.records.letters.letters import Letters
from wording.letters import trial_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Engine

    from analytics.letters.courier import Courier

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The person, as they are called in the console.")]
CourierName = Annotated[str, typer.Argument(help="A courier, as METERHOUSE_NOTIFY names it.")]
To = Annotated[str, typer.Option("--to", help="Their address there; a group's robot needs none.")]


@dataclass(frozen=True, slots=True)
class ContactAnswer:
    """One way in which somebody is reached."""

    person: str
    courier: Annotated[str, "its name in METERHOUSE_NOTIFY"]
    address: str
    quiet: Annotated[str, "local hours in which only what is urgent comes; empty: none"]
    works: Annotated[bool, "whether the settings name the courier"]


@dataclass(frozen=True, slots=True)
class ContactsAnswer:
    """Everybody who is told."""

    contacts: list[ContactAnswer]


@dataclass(frozen=True, slots=True)
class LetterAnswer:
    """One letter."""

    id: Annotated[str, "permanent: the Message-ID of mail and the Idempotency-Key of a webhook hold it"]
    person: str
    courier: str
    haste: Annotated[str, "`urgent` or `soon` or `daily`"]
    state: LetterState
    attempts: int
    created_at: datetime
    due_at: Annotated[datetime, "when it leaves, or is tried again"]
    ended_at: datetime | None
    why: Annotated[str, "why the newest attempt failed"]


@dataclass(frozen=True, slots=True)
class LettersAnswer:
    """Letters, newest first."""

    letters: list[LetterAnswer]


@app.callback()
def notify() -> None:
    """Letters to people about cases."""


@app.command("list", help="List who is told, and how.")
@answers(ContactsAnswer)
def list_contacts() -> None:
    """One row for each way."""
    couriers = _couriers()
    found = [
        ContactAnswer(one.name, one.courier, one.address, one.quiet, one.courier in couriers)
        for one in Contacts(_records()).all_of()
    ]
    t = texts()
    columns = ("cli.column.person", "cli.column.courier", "cli.column.address", "cli.column.quiet", "cli.column.state")
    rows = [
        (one.person, one.courier, one.address, one.quiet, t("cli.notify.works" if one.works else "cli.notify.unset"))
        for one in found
    ]
    answer(ContactsAnswer(found), lambda: table(columns, rows) if rows else t("cli.notify.nobody"))


@app.command(help="Tell somebody by a courier from now on what their roles let them see.")
def add(
    name: Name,
    courier: CourierName,
    *,
    to: To = "",
    quiet: Annotated[str, typer.Option("--quiet", help="Local hours for urgent letters alone, 22:00-07:00.")] = "",
) -> None:
    """Saying it again changes the quiet hours."""
    found = _courier(courier)
    if to and not found.takes_address:
        raise ConfigError(Problem("--to", f"'{courier}' leads to one place only", "no address"))
    contact = Contact(person_name(name), courier, to, quiet)
    Contacts(_records()).add(contact, given_by(""), datetime.now(UTC))
    say("cli.notify.added", name=contact.name, courier=courier)


@app.command(help="Tell somebody by a courier no more.")
def remove(name: Name, courier: CourierName, *, to: To = "") -> None:
    """What waits for them already still leaves."""
    contact = Contact(person_name(name), courier, to)
    Contacts(_records()).remove(contact, given_by(""), datetime.now(UTC))
    say("cli.notify.removed", name=contact.name, courier=courier)


@app.command("test", help="Send one letter now, and say whether it was taken.")
def try_courier(courier: CourierName, *, to: To = "") -> None:
    """The exit code is 1 where it was not."""
    found = _courier(courier)
    words = trial_text(texts().language, datetime.now(UTC))
    try:
        found.deliver(Post(str(uuid4()), to, words.subject, words.body))
    except UndeliveredError as error:
        raise Rejected("undelivered", texts()("cli.notify.failed", courier=courier, why=error)) from None
    say("cli.notify.taken", courier=courier)


@app.command(help="List letters, newest first: those that wait, or all.")
@answers(LettersAnswer)
def letters(
    *, everything: Annotated[bool, typer.Option("--all", help="Letters that are done with too.")] = False
) -> None:
    """The newest hundred."""
    states = None if everything else [*UNSENT, LetterState.GIVEN_UP]
    found = [_answer(one) for one in Letters(_records()).all_of(states)]
    t = texts()
    columns = ("cli.column.id", "cli.column.person", "cli.column.courier", "cli.column.state", "cli.column.why")
    rows = [(one.id, one.person, one.courier, t(f"letter.state.{one.state}"), one.why) for one in found]
    answer(LettersAnswer(found), lambda: table(columns, rows) if rows else t("cli.notify.none"))


@app.command(help="Try a letter again that was given up.")
def again(letter: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """Under the same id."""
    try:
        wanted = UUID(letter)
    except ValueError:
        raise ConfigError(
            Problem("LETTER", f"'{letter}' is no id", "an id that 'meterhouse notify letters' names")
        ) from None
    Letters(_records()).again(wanted, datetime.now(UTC), given_by(""))
    say("cli.notify.again")


def _answer(one: Letter) -> LetterAnswer:
    return LetterAnswer(
        str(one.id),
        one.name,
        one.courier,
        one.haste.value,
        one.state,
        one.attempts,
        one.created_at,
        one.due_at,
        one.ended_at,
        one.why,
    )


def _records() -> Engine:
    return open_records(Settings().records_url)


def _couriers() -> Mapping[str, Courier]:
    return read_couriers(Settings().notify)


def _courier(name: str) -> Courier:
    couriers = _couriers()
    if name not in couriers:
        known = ", ".join(couriers) or "none: METERHOUSE_NOTIFY names no courier"
        raise ConfigError(Problem("COURIER", f"unknown courier '{name}'", known))
    return couriers[name]
