"""``meterhouse quarantine``: what could not be stored, why, and what is to become of it."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from facility.errors import ConfigError, Problem
from meterhouse.answers import unanswered_sentence, wait_for_answers
from meterhouse.settings import Settings
from meterhouse.table import render_table
from stores.records.database import open_records
from stores.records.errands import Errands
from stores.records.quarantine.quarantine import Quarantine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stores.records.errands import Errand
    from stores.records.quarantine.quarantine import QuarantineItem, QuarantineSize

app = typer.Typer(no_args_is_help=True)

SHOWN_PAYLOAD_BYTES = 2000
MIB = 1024 * 1024

Item = Annotated[int, typer.Argument(help="Its id in the list.", min=1, max=2**63 - 1)]


def _open() -> tuple[Quarantine, Errands]:
    records = open_records(Settings().records_url)
    return Quarantine(records), Errands(records)


@app.command("list", help="One line per item, newest first; an alarm first where the quarantine is nearly full.")
def list_items(
    *,
    reason: Annotated[str, typer.Option("--reason", help="Only this reason.")] = "",
    agent: Annotated[str, typer.Option("--agent", help="Only of this agent.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="Replayed and discarded ones too.")] = False,
) -> None:
    """Print what is kept aside."""
    quarantine, _ = _open()
    size = quarantine.size()
    if size.is_near:
        typer.echo(size_sentence(size))
    agents = [agent] if agent else None
    items = quarantine.items(
        reason=reason or None, agents=agents, standing=None if everything else "waiting", limit=limit
    )
    if not items:
        typer.echo("nothing of this kind is in quarantine." if reason or agent else "the quarantine is empty.")
        return
    rows = [(i.id, _when(i.received_at), i.state, i.reason, _held(i), i.agent, i.detail) for i in items]
    typer.echo(render_table(("id", "received", "state", "reason", "holds", "agent", "detail"), rows, right=(0,)))
    if not everything and len(items) < size.items and not (reason or agent):
        typer.echo(f"{len(items)} of {size.items} items; --limit shows more.")


@app.command(help="Everything about one item, with the start of its payload.")
def show(item: Item) -> None:
    """Print one item."""
    quarantine, errands = _open()
    found = quarantine.item(item)
    if found is None:
        raise ConfigError(Problem("quarantine", f"there is no item {item}"))
    for name in ("id", "state", "received_at", "stage", "kind", "reason", "detail", "topic", "agent", "epoch", "count"):
        typer.echo(f"{name:12} {getattr(found, name)}")
    if found.first_seq is not None:
        typer.echo(f"{'sequence':12} {found.first_seq} … {found.last_seq}")
    for line in _story(found, errands.of_item(item)):
        typer.echo(line)
    payload = "there was no room for it" if found.payload_dropped else found.excerpt(SHOWN_PAYLOAD_BYTES)
    typer.echo(f"{'payload':12} {payload}")


@app.command(help="Ask ingest to take items in again: after the estate or a profile was corrected.")
def replay(
    *,
    items: Annotated[list[int] | None, typer.Argument(metavar="[ITEM]...", help="Ids in the list.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Every waiting item of this reason.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every waiting item.")] = False,
    wait_s: Annotated[float, typer.Option("--wait", min=0, help="Wait so many seconds for the outcome.")] = 10,
) -> None:
    """Ask for a replay, audited, and print what came of it."""
    if sum(map(bool, (items, reason, everything))) != 1:
        raise ConfigError(Problem("quarantine replay", "say what", "ids, or --reason REASON, or --all"))
    _, errands = _open()
    by, at = getpass.getuser(), datetime.now(UTC)
    if items:
        asked = [errands.ask("replay", item, by, at) for item in dict.fromkeys(items)]
    else:
        asked = errands.ask_all(by, at, reason=reason or None)
    if not asked:
        typer.echo("nothing to replay.")
        return
    typer.echo(f"asked for the replay of {_items(len(asked))}.")
    _print_answers(wait_for_answers(errands, asked, wait_s), wait_s)


@app.command(help="Give up an item for good; the reason is kept in the audit.")
def discard(
    item: Item,
    reason: Annotated[str, typer.Option("--reason", help="Why it may be given up.", prompt=True)],
) -> None:
    """Discard one item, audited."""
    if not reason.strip():
        raise ConfigError(Problem("--reason", "says nothing", "why the item may be given up"))
    _open()[0].discard(item, by=getpass.getuser(), reason=reason.strip(), at=datetime.now(UTC))
    typer.echo(f"item {item} discarded.")


def size_sentence(size: QuarantineSize) -> str:
    """The alarm: how full, and what to do."""
    full = (
        f"ALARM: the quarantine is {size.share:.0%} full ({size.bytes / MIB:.1f} of {size.bound_bytes / MIB:.0f} MiB)"
    )
    lost = f", {_items(size.dropped)} without payload" if size.dropped else ""
    return f"{full}{lost}: replay or discard what waits."


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _items(n: int) -> str:
    return f"{n} item" if n == 1 else f"{n} items"


def _held(item: QuarantineItem) -> str:
    held = f"{item.count} {'reading' if item.count == 1 else 'readings'}" if item.count else "1 message"
    return f"{held}, no payload" if item.payload_dropped else held


def _story(item: QuarantineItem, errands: Sequence[Errand]) -> Iterator[str]:
    for errand in errands:
        answer = f"{_when(errand.done_at)} {errand.outcome}" if errand.done_at else "not answered yet"
        yield f"{'replay':12} asked by {errand.asked_by} {_when(errand.asked_at)}: {answer}"
    if item.discarded_at:
        yield f"{'discarded':12} {_when(item.discarded_at)} by {item.discarded_by}: {item.discard_reason}"


def _print_answers(errands: Sequence[Errand], wait_s: float) -> None:
    answered = [(errand.item, errand.outcome) for errand in errands if errand.done_at]
    if answered:
        typer.echo(render_table(("item", "outcome"), answered, right=(0,)))
    if left := len(errands) - len(answered):
        typer.echo(f"{_items(left)}: {unanswered_sentence(wait_s)}.")
