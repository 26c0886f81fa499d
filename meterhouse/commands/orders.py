"""``meterhouse orders``: work orders, from making one to the table for a site's own maintenance system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - Typer reads it
from typing import TYPE_CHECKING, Annotated

import segno
import typer

from facility.errors import ConfigError, Problem, Rejected
from facility.levels import Level
from facility.order import OPEN, OrderPlace, OrderState, OrderWish, parse_skill
from facility.person_name import person_name
from facility.work import Severity
from meterhouse.commands.spoken import formats_of, given_by
from meterhouse.commands.taking import Custodian, Reason, handed_out, looked_at, wish_of
from meterhouse.output import answer, answers, say, table, texts
from meterhouse.settings import Settings
from reports.order_table import order_csv, read_news
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.orders.order_news import bring_in
from stores.records.orders.order_rows import OrderFilter
from stores.records.orders.orders import Orders
from stores.records.orders.report_places import ReportPlaces
from stores.records.registry import Registry
from wording.orders import order_words

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from facility.order import WorkOrder

app = typer.Typer(no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="The number of the work order.")]
Building = Annotated[str, typer.Argument(help="The id of the building.")]
SpaceOption = Annotated[str, typer.Option("--space", help="The id of the room.")]
MeterOption = Annotated[str, typer.Option("--meter", help="The id of the meter.")]
Why = Annotated[str, typer.Option("--reason", help="Why.")]


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """One work order."""

    id: int
    state: OrderState
    severity: str
    title: Annotated[str, "in the reader's language where an alert says it"]
    building: str
    space: str
    meter: str
    skill: str
    alert: Annotated[str | None, "the case that it was made from"]
    assignee: Annotated[str, "who was asked or has it; empty: nobody"]
    created_at: datetime
    due_at: datetime
    answer_by: Annotated[datetime | None, "until when the assignee may answer"]
    ended_at: datetime | None
    cost: float | None
    rating: Annotated[int | None, "1 to 5, by who asked for it"]


@dataclass(frozen=True, slots=True)
class OrdersAnswer:
    """Work orders, open ones first, then those that are due first."""

    orders: list[OrderAnswer]


@dataclass(frozen=True, slots=True)
class ReportLinkAnswer:
    """The link by which anybody reports a problem at one place."""

    link: Annotated[str, "said once: it is kept nowhere"]


@app.callback()
def orders() -> None:
    """Work orders."""


@app.command("list", help="List work orders: those that are open, or all.")
@answers(OrdersAnswer)
def list_orders(
    *, everything: Annotated[bool, typer.Option("--all", help="Orders that are done with too.")] = False
) -> None:
    """The first thousand."""
    records = _records()
    among = OrderFilter(states=None if everything else OPEN)
    orders = Orders(records)
    kept = orders.of(among, 1000)
    looked_at(records, Registry(records).load(), "work orders", sorted(orders.points_of(kept)))
    found = [_answer(records, one) for one in kept]
    answer(OrdersAnswer(found), lambda: _lines(records, found))


@app.command(help="Show one work order.")
@answers(OrderAnswer)
def show(number: Number) -> None:
    """Every field."""
    records = _records()
    known = _known(records, number)
    points = sorted(Orders(records).points_of([known]))
    looked_at(records, Registry(records).load(), f"work order {number}", points)
    found = _answer(records, known)
    answer(found, lambda: _lines(records, [found]))


@app.command(help="Order something to be done in a building.")
def make(
    building: Building,
    title: Annotated[str, typer.Argument(help="What is to be done.")],
    *,
    space: SpaceOption = "",
    meter: MeterOption = "",
    skill: Annotated[str, typer.Option("--skill", help="What somebody must know for it.")] = "general",
    severity: Annotated[str, typer.Option("--severity", help="info, watch, act or urgent.")] = "act",
    note: Annotated[str, typer.Option("--note", help="More about it.")] = "",
) -> None:
    """Dispatch finds somebody at once."""
    records, words = _records(), {one.word: one for one in Severity}
    if severity not in words:
        raise ConfigError(Problem("--severity", f"there is no severity '{severity}'", ", ".join(words)))
    place = checked_place(records, building, space, meter)
    by = given_by("")
    wish = OrderWish(place, parse_skill(skill), words[severity], title[:200], note[:2000], by)
    say("cli.orders.made", number=Orders(records).make(wish, by, datetime.now(UTC)).id)


@app.command(help="Say who does a work order.")
def give(number: Number, name: Annotated[str, typer.Argument(help="The person.")]) -> None:
    """Whoever was asked is asked no more."""
    records = _records()
    acts = _known(records, number).acts
    Orders(records).give(number, person_name(name), given_by(""), datetime.now(UTC), based_on=acts)
    say("cli.orders.given", number=number, name=name)


@app.command("call-off", help="Say that a work order need not be done.")
def call_off(number: Number, *, reason: Why = "") -> None:
    """Its case stays open."""
    records = _records()
    acts = _known(records, number).acts
    Orders(records).call_off(number, reason, given_by(""), datetime.now(UTC), based_on=acts)
    say("cli.orders.called_off", number=number)


@app.command(help="Print every work order as CSV, for another system.")
def export(*, reason: Reason = "", custodian: Custodian = "") -> None:
    """To standard output."""
    records = _records()
    orders, estate = Orders(records), Registry(records).load()
    found = orders.of()
    points = [one for one in orders.points_of(found) if one in estate.point]
    wish = wish_of(reason, custodian)
    taken = handed_out(records, estate, "work orders", points, wish, is_export=True, least=Level.INTERNAL)
    assert taken is not None, "it is an export"
    typer.echo(order_csv(found, taken), nl=False)


@app.command("import", help="Read from CSV what became of work orders in another system.")
def import_orders(file: Annotated[Path, typer.Argument(help="Columns id, state, assignee, parts, cost.")]) -> None:
    """What is said again changes nothing."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(Problem(str(file), f"cannot be read: {error.strerror}")) from None
    moved = bring_in(Orders(_records()), read_news(content, file.name), given_by(""), datetime.now(UTC))
    say("cli.orders.brought", n=moved)


@app.command("report-link", help="Make a link, and its QR code, by which anybody reports a problem at one place.")
@answers(ReportLinkAnswer)
def report_link(
    building: Building,
    *,
    space: SpaceOption = "",
    meter: MeterOption = "",
    picture: Annotated[Path | None, typer.Option("--out", help="Write the QR code there, .svg or .png.")] = None,
) -> None:
    """Who has it may report there, and read nothing."""
    records, console = _records(), Settings().console_url.rstrip("/")
    if not console:
        raise ConfigError(Problem("METERHOUSE_CONSOLE_URL", "is not set: a link leads to the console", "its address"))
    place = checked_place(records, building, space, meter)
    link = f"{console}/report?at={ReportPlaces(records).make(place, given_by(''), datetime.now(UTC))}"
    if picture is not None:
        segno.make(link, error="m").save(str(picture), scale=8, border=4)
    answer(ReportLinkAnswer(link), lambda: link)


def checked_place(records: Engine, building: str, space: str, meter: str) -> OrderPlace:
    """A place of the estate. Raises ``ConfigError`` for one that is not there."""
    estate = Registry(records).load()
    if building not in estate.building:
        raise ConfigError(Problem("BUILDING", f"there is no building '{building}'", ", ".join(estate.building)))
    rooms = [one.id for one in estate.spaces if one.building == building]
    meters = [one.id for one in estate.meters if one.building == building]
    for option, said, known in (("--space", space, rooms), ("--meter", meter, meters)):
        if said and said not in known:
            raise ConfigError(Problem(option, f"there is no '{said}' in {building}", ", ".join(known)))
    return OrderPlace(building, space, meter)


def _records() -> Engine:
    return open_records(Settings().records_url)


def _known(records: Engine, number: int) -> WorkOrder:
    found = Orders(records).one(number)
    if found is None:
        raise Rejected("unknown_order", f"there is no work order {number}")
    return found


def _answer(records: Engine, one: WorkOrder) -> OrderAnswer:
    wish = one.wish
    case = Casebook(records).alert(wish.alert) if wish.alert else None
    words = order_words(one, case, Registry(records).load(), texts().language)
    return OrderAnswer(
        one.id,
        one.state,
        wish.severity.word,
        words.title,
        wish.place.building,
        wish.place.space,
        wish.place.meter,
        wish.skill.value,
        str(wish.alert) if wish.alert else None,
        one.assignee,
        one.created_at,
        one.due_at,
        one.answer_by,
        one.ended_at,
        one.work.cost,
        one.rating,
    )


def _lines(records: Engine, found: list[OrderAnswer]) -> str:
    t, formats = texts(), formats_of(Registry(records).load().site)
    columns = ("cli.column.id", "cli.column.state", "cli.column.what", "cli.column.building", "cli.column.person")
    rows = [
        (one.id, t(f"order.state.{one.state}"), one.title, one.building, one.assignee, formats.instant(one.due_at))
        for one in found
    ]
    return table((*columns, "cli.column.due"), rows) if rows else t("cli.orders.none")
