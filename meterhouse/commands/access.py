"""``meterhouse sign-in``: a one-time link for a person at this machine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from facility.levels import Level
from facility.rights import Role
from meterhouse.commands.spoken import given_by
from meterhouse.settings import Settings
from meterhouse.up.settings import read_up_settings
from meterhouse.up.settings_file import NAME as SERVER_SETTINGS
from meterhouse.up.settings_file import adopt
from stores.records.accounts.grants import Grant, Grants
from stores.records.database import open_records
from stores.records.people import People

if TYPE_CHECKING:
    from sqlalchemy import Engine

LINK_VALID_S = 900
NEWCOMERS = Grant(Role.VIEWER, level=Level.INTERNAL)


def one_time_link(records: Engine, person: str, address: str, now: datetime) -> str:
    """A link that signs ``person`` in once, within fifteen minutes.

    Whoever is at the machine's own console has the machine: while nobody may let people in, this is the first
    administrator; later somebody new may look, until they are given more.
    """
    place = address if "://" in address else f"http://{address}"
    people, grants = People(records), Grants(records)
    is_new = not people.knows(person)
    token = people.invite(person, now, LINK_VALID_S)
    if not grants.make_first(person, now, person) and is_new:
        grants.give(person, NEWCOMERS, person, now)
    return f"{place}/sign-in?token={token}"


def sign_in(
    person: Annotated[str, typer.Option("--as", help="Whose name acts in the console.")] = "",
    address: Annotated[
        str, typer.Option("--address", envvar="METERHOUSE_LISTEN", help="Where the console listens.")
    ] = "127.0.0.1:8080",
) -> None:
    """Print a link that works once, for fifteen minutes."""
    settings = Settings()
    if (settings.data / SERVER_SETTINGS).exists():
        address = read_up_settings(adopt(settings.data)).console_page
    records = open_records(settings.records_url)
    typer.echo(one_time_link(records, given_by(person), address, datetime.now(UTC)))
