"""``meterhouse quarantine``: what could not be stored, why, and what is to become of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from facility.errors import ConfigError, Problem
from meterhouse.answers.errands import errand_answer, wait_for_answers
from meterhouse.answers.quarantine import ItemsAnswer, Replays, ShownItem, fullness, item_answer
from meterhouse.commands.spoken import given_by, written_as
from meterhouse.commands.taking import looked_at
from meterhouse.output import answer, answers, facts, say, table, texts
from meterhouse.settings import Settings
from stores.records.database import open_records
from stores.records.errands import Errands
from stores.records.quarantine.quarantine import ItemState, Quarantine
from stores.records.quarantine.story import steps
from stores.records.registry import Registry
from wording.refusals import advice, held, refusal
from wording.texts import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stores.records.errands import Errand
    from stores.records.quarantine.quarantine import QuarantineItem, QuarantineSize
    from wording.texts import Texts

app = typer.Typer(no_args_is_help=True)

SHOWN_PAYLOAD_BYTES = 2000
MIB = 1024 * 1024

COLUMNS = (
    "cli.column.id",
    "cli.column.received",
    "cli.column.state",
    "cli.column.reason",
    "cli.column.holds",
    "cli.column.agent",
    "cli.column.detail",
)

LARGEST = 2**63 - 1
"""What a database counts up to."""

Item = Annotated[int, typer.Argument(help="Its id in the list.", min=1, max=LARGEST)]


def _open() -> tuple[Quarantine, Errands]:
    records = open_records(Settings().records_url)
    return Quarantine(records), Errands(records)


def _note_look(what: str, items: Sequence[QuarantineItem]) -> None:
    """A message holds readings of any point of its agent."""
    records, agents = open_records(Settings().records_url), {one.agent for one in items}
    with suppress(ConfigError):  # before the first site file nothing is graded
        estate = Registry(records).load()
        points = [one.id for one in estate.points if estate.meter[one.meter].agent in agents]
        looked_at(records, estate, what, points)


@app.command("list", help="One line per item, newest first; an alarm first where the quarantine is nearly full.")
@answers(ItemsAnswer)
def list_items(
    *,
    reason: Annotated[str, typer.Option("--reason", help="Only this reason.")] = "",
    agent: Annotated[str, typer.Option("--agent", help="Only of this agent.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=LARGEST, help="At most so many.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="Replayed and discarded ones too.")] = False,
) -> None:
    """Print what is kept aside."""
    quarantine, _ = _open()
    size, agents = quarantine.size(), [agent] if agent else None
    items = quarantine.items(
        reason=reason or None, agents=agents, standing=None if everything else "waiting", limit=limit
    )
    _note_look("refused messages", items)
    is_part = not everything and len(items) < size.items and not (reason or agent)
    empty = "cli.quarantine.none_of_kind" if reason or agent else "cli.quarantine.empty"
    answer(
        ItemsAnswer([item_answer(item) for item in items], fullness(size)),
        lambda: "\n".join(_listed(items, size, empty, is_part=is_part)),
    )


def _listed(items: Sequence[QuarantineItem], size: QuarantineSize, empty: str, *, is_part: bool) -> Iterator[str]:
    t = texts()
    if size.is_near:
        yield size_sentence(t, size)
    if not items:
        yield t(empty)
        return
    rows = [
        (i.id, _when(i.received_at), t(f"quarantine.state.{i.state}"), i.reason, _held(t, i), i.agent, i.detail)
        for i in items
    ]
    yield table(COLUMNS, rows, right=(0,))
    if is_part:
        yield t("cli.quarantine.part", n=len(items), of=size.items)


@app.command(help="Everything about one item, with the start of its payload.")
@answers(ShownItem)
def show(item: Item) -> None:
    """Print one item."""
    quarantine, errands = _open()
    found = quarantine.item(item)
    if found is None:
        raise ConfigError(Problem("ITEM", f"there is no item {item} in quarantine"))
    _note_look(f"refused message {item}", [found])
    asked = errands.of_item(item)
    payload = None if found.payload_dropped else found.excerpt(SHOWN_PAYLOAD_BYTES)
    shown = ShownItem(item_answer(found), [errand_answer(one) for one in asked], payload)
    answer(shown, lambda: facts(_facts(texts(), found, asked, payload)))


def _facts(t: Texts, item: QuarantineItem, asked: Sequence[Errand], payload: str | None) -> Iterator[tuple[str, str]]:
    yield t("quarantine.number"), str(item.id)
    yield t("quarantine.standing"), t(f"quarantine.state.{item.state}")
    yield t("quarantine.reason"), f"{item.reason}: {refusal(t, item.reason)}"
    if to_do := advice(t, item.reason):
        yield "", to_do
    yield t("quarantine.detail"), item.detail or ABSENT
    yield t("quarantine.holds"), _held(t, item)
    if item.first_seq is not None:
        yield t("quarantine.seq"), f"{item.first_seq} … {item.last_seq}"
    yield t("quarantine.agent"), item.agent or ABSENT
    yield t("quarantine.epoch"), item.epoch or ABSENT
    yield t("quarantine.topic"), item.topic
    for step in steps(item, asked):
        words = t(f"quarantine.step.{step.what}", by=step.by)
        yield _when(step.at), f"{words}: {step.note}" if step.note else words
    yield t("quarantine.payload"), t("quarantine.payload_dropped") if payload is None else payload


@app.command(help="Ask ingest to take items in again: after the estate or a profile was corrected.")
@answers(Replays)
def replay(
    *,
    items: Annotated[
        list[int] | None, typer.Argument(metavar="[ITEM]...", help="Ids in the list.", min=1, max=LARGEST)
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Every waiting item of this reason.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every waiting item.")] = False,
    wait_s: Annotated[float, typer.Option("--wait", min=0, help="Wait so many seconds for the outcome.")] = 10,
) -> None:
    """Ask for a replay, audited, and print what came of it."""
    if sum(map(bool, (items, reason, everything))) != 1:
        raise ConfigError(Problem("quarantine replay", "say what", "ids, or --reason REASON, or --all"))
    _, errands = _open()
    by, at = given_by(""), datetime.now(UTC)
    if items:
        with written_as({"unknown_item": "ITEM"}):
            asked = [errands.ask("replay", item, by, at) for item in dict.fromkeys(items)]
    else:
        asked = errands.ask_all(by, at, reason=reason or None)
    say("cli.quarantine.asked" if asked else "cli.quarantine.nothing", count=len(asked))
    answered = wait_for_answers(errands, asked, wait_s) if asked else []
    answer(Replays([errand_answer(one) for one in answered]), lambda: "\n".join(_outcomes(answered, wait_s)))


def _outcomes(errands: Sequence[Errand], wait_s: float) -> Iterator[str]:
    answered = [(errand.item, errand.outcome) for errand in errands if errand.done_at]
    if answered:
        yield table(("cli.column.item", "cli.column.outcome"), answered, right=(0,))
    if left := len(errands) - len(answered):
        yield texts().counted("cli.quarantine.unanswered", left, wait_s=f"{wait_s:g}")


@app.command(help="Give up an item for good; the reason is kept in the audit.")
def discard(
    item: Item,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why it may be given up; asked for if not said.")
    ] = None,
) -> None:
    """Discard one item, audited."""
    if reason is None:
        reason = typer.prompt(texts()("quarantine.discard_reason"), type=str)
    if not reason.strip():
        raise ConfigError(Problem("--reason", "says nothing", "why the item may be given up"))
    quarantine, _ = _open()
    found = quarantine.item(item)
    stands = found.state if found else ItemState.WAITING  # as it stands now: who commands has no page of it open
    with written_as({"unknown_item": "ITEM"}):
        quarantine.discard(item, given_by(""), reason.strip(), datetime.now(UTC), based_on=stands)
    say("cli.quarantine.discarded", id=item)


def size_sentence(t: Texts, size: QuarantineSize) -> str:
    """The alarm: how full, and what to do."""
    used, bound = f"{size.bytes / MIB:,.1f}", f"{size.bound_bytes / MIB:,.0f}"
    said = [t("quarantine.full", share=f"{size.share:.0%}", used=used, bound=bound)]
    if size.dropped:
        said.append(t("quarantine.dropped", n=f"{size.dropped:,}"))
    return t("cli.alarm", what=" ".join([*said, t("quarantine.full_hint")]))


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _held(t: Texts, item: QuarantineItem) -> str:
    words = held(t, item.count)
    return f"{words}, {t('quarantine.no_payload')}" if item.payload_dropped else words
