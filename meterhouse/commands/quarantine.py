"""``meterhouse quarantine``: what could not be stored, and why."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from facility.errors import ConfigError, Problem
from meterhouse.settings import Settings
from meterhouse.table import render_table
from stores.records.database import open_records
from stores.records.quarantine import Quarantine

app = typer.Typer(no_args_is_help=True)

SHOWN_PAYLOAD_BYTES = 2000


def _open() -> Quarantine:
    return Quarantine(open_records(Settings().records_url))


@app.command("list", help="One line per item, newest first.")
def list_items(
    reason: Annotated[str, typer.Option("--reason", help="Only this reason.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 50,
) -> None:
    """Print what is kept aside."""
    items = _open().items(reason=reason or None, limit=limit)
    if not items:
        typer.echo("the quarantine is empty.")
        return
    rows = [
        (i.id, i.received_at.isoformat(timespec="seconds"), i.kind, i.reason, i.count, i.agent, i.detail) for i in items
    ]
    typer.echo(render_table(("id", "received", "kind", "reason", "readings", "agent", "detail"), rows, right=(0, 4)))


@app.command(help="Everything about one item, with the start of its payload.")
def show(item: Annotated[int, typer.Argument(help="Its id in the list.")]) -> None:
    """Print one item."""
    found = _open().item(item)
    if found is None:
        raise ConfigError(Problem("quarantine", f"there is no item {item}"))
    for name in ("id", "received_at", "stage", "kind", "reason", "detail", "topic", "agent", "epoch", "count"):
        typer.echo(f"{name:12} {getattr(found, name)}")
    typer.echo(f"{'sequence':12} {found.first_seq} … {found.last_seq}")
    typer.echo(f"{'payload':12} {found.payload[:SHOWN_PAYLOAD_BYTES].decode('utf-8', 'backslashreplace')}")


@app.command(help="Give up an item for good; the reason is kept in the audit.")
def discard(
    item: Annotated[int, typer.Argument(help="Its id in the list.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it may be given up.", prompt=True)],
) -> None:
    """Discard one item, audited."""
    _open().discard(item, by=getpass.getuser(), reason=reason, at=datetime.now(UTC))
    typer.echo(f"item {item} discarded.")
