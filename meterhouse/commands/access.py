"""``meterhouse sign-in``: a one-time link for a person at this machine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from meterhouse.commands.spoken import given_by
from meterhouse.settings import Settings
from stores.records.database import open_records
from stores.records.people import People

if TYPE_CHECKING:
    from sqlalchemy import Engine

LINK_VALID_S = 900


def one_time_link(records: Engine, person: str, address: str, now: datetime) -> str:
    """A link that signs ``person`` in once, within fifteen minutes."""
    return f"http://{address}/sign-in?token={People(records).invite(person, now, LINK_VALID_S)}"


def sign_in(
    person: Annotated[str, typer.Option("--as", help="Whose name acts in the console.")] = "",
    address: Annotated[
        str, typer.Option("--address", envvar="METERHOUSE_LISTEN", help="Where the console listens.")
    ] = "127.0.0.1:8080",
) -> None:
    """Print a link that works once, for fifteen minutes."""
    records = open_records(Settings().records_url)
    typer.echo(one_time_link(records, given_by(person), address, datetime.now(UTC)))
