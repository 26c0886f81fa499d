"""``meterhouse meter``: the ledger of what hung where, and its swaps and corrections."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from facility.ledger.changes import DeviceSwap, EntryRemoval, LedgerCorrection, ledgers_of
from facility.trees import Trees
from facility.wall_time import written_day, written_instant
from meterhouse.answers.meter import (
    MeterLedger,
    MetersNow,
    ledger_entry,
    ledger_table,
    meter_now,
    meters_table,
)
from meterhouse.commands import spells
from meterhouse.commands.spoken import change_text, formats_of, given_by, written_as
from meterhouse.commands.taking import looked_at
from meterhouse.output import answer, answers, say, tell, texts
from meterhouse.settings import Settings
from stores.ledger_book import LedgerBook
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.registry import Registry
from wording.remarks import remark_text

if TYPE_CHECKING:
    from facility.ledger.changes import AgentFrom
    from stores.ledger_book import Noted

app = typer.Typer(no_args_is_help=True)
app.add_typer(spells.app)

OPTIONS = {
    "at": "--at",
    "since": "--from",
    "ct_ratio": "--ct",
    "pt_ratio": "--pt",
    "agent_from": "--agent-from",
    "rolls_over_at": "--rolls-over-at",
    "building": "--building",
    "space": "--space",
    "department": "--department",
    **{name: f"--{name}" for name in ("serial", "closing", "opening", "digits", "reason")},
}
"""Field of what is noted in a ledger → the option it is written in."""

Which = Annotated[str, typer.Argument(help="The meter's id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the entry and in the audit trail.")]
By = Annotated[str, typer.Option("--by", help="Who did it; you, unless said otherwise.")]
Face = Annotated[float | None, typer.Option(help="A read as the register's face shows it.")]
Digits = Annotated[int | None, typer.Option("--digits", help="Whole digits of the register, 3 to 12.")]
RollsOver = Annotated[float | None, typer.Option("--rolls-over-at", help="Where the register begins again.")]
Knows = Annotated[
    str,
    typer.Option(
        "--agent-from",
        help="When the agent begins to multiply by the new ratio: the time of its restart with the new extract,"
        " past or planned; 'never' if it keeps the old one. Needed with --ct and --pt.",
    ),
]


@app.command("list", help="One line per meter: what hangs there now.")
@answers(MetersNow)
def list_meters(
    building: Annotated[str, typer.Option("--building", help="Only this building.")] = "",
    space: Annotated[str, typer.Option("--space", help="Only this floor or room, and what lies within it.")] = "",
    department: Annotated[str, typer.Option("--department", help="Only this department, and those below it.")] = "",
    on: Annotated[str, typer.Option("--on", help="As both trees stood on a day, such as 2026-01-01; today.")] = "",
) -> None:
    """Print every meter with the device that hangs there, by either tree."""
    estate = Registry(open_records(Settings().records_url)).load()
    with written_as(OPTIONS):
        ledgers = ledgers_of(estate, building)
        trees = Trees(estate, written_day("--on", on) or datetime.now(ZoneInfo(estate.site.timezone)).date())
        wanted = {meter.id for meter in trees.found(space, department)}
    chosen = [(meter, history) for meter, history in ledgers if meter.id in wanted]
    meters = [meter_now(meter, history, trees, texts().language) for meter, history in chosen]
    answer(MetersNow(meters), lambda: meters_table(meters, formats_of(estate.site)))


@app.command(help="Everything that hung at a meter's place, oldest first.")
@answers(MeterLedger)
def history(meter: Which) -> None:
    """Print a meter's ledger."""
    book = _book()
    entries = [ledger_entry(one) for one in book.history(meter)]
    points = [point.id for point in book.estate.points_of(meter)]
    looked_at(open_records(Settings().records_url), book.estate, "registers of a meter's ledger", points)
    answer(MeterLedger(meter, entries), lambda: ledger_table(entries, formats_of(book.estate.site)))


@app.command(help="Note that another device hangs there: closing read of the old one, opening read of the new one.")
def swap(
    meter: Which,
    *,
    at: Annotated[str, typer.Option("--at", help="When, local time: '2026-09-14 10:30'.")],
    reason: Reason,
    serial: Annotated[str, typer.Option("--serial", help="Serial of the new device.")] = "",
    closing: Face = None,
    opening: Face = None,
    digits: Digits = None,
    rolls_over_at: RollsOver = None,
    ct: Annotated[
        float | None, typer.Option("--ct", help="Its current transformer ratio; as before if not said.")
    ] = None,
    pt: Annotated[
        float | None, typer.Option("--pt", help="Its voltage transformer ratio; as before if not said.")
    ] = None,
    agent_from: Knows = "",
    photo: Annotated[str, typer.Option("--photo", help="Where the photo of both faces is kept.")] = "",
    by: By = "",
) -> None:
    """Write a swap into the ledger and have its use computed again."""
    book = _book()
    noted = DeviceSwap(
        meter,
        written_instant("--at", at, book.zone),
        reason,
        given_by(by),
        serial,
        closing,
        opening,
        digits,
        rolls_over_at,
        ct,
        pt,
        _knows_from(agent_from, book.zone),
        photo,
    )
    with written_as(OPTIONS):
        done = book.swap(noted, datetime.now(UTC))
    _say(done, book)


@app.command(help="Put the ledger right from a date on: ratios, reads, serial, digits.")
def correct(
    meter: Which,
    *,
    since: Annotated[str, typer.Option("--from", help="From when on, local time: '2026-03-01'.")],
    reason: Reason,
    ct: Annotated[float | None, typer.Option("--ct", help="The true current transformer ratio.")] = None,
    pt: Annotated[float | None, typer.Option("--pt", help="The true voltage transformer ratio.")] = None,
    agent_from: Knows = "",
    serial: Annotated[str | None, typer.Option("--serial", help="The true serial.")] = None,
    closing: Face = None,
    opening: Face = None,
    digits: Digits = None,
    rolls_over_at: RollsOver = None,
    by: By = "",
) -> None:
    """Correct what the ledger says and have what depends on it computed again."""
    book = _book()
    noted = LedgerCorrection(
        meter,
        written_instant("--from", since, book.zone),
        reason,
        given_by(by),
        serial,
        closing,
        opening,
        digits,
        rolls_over_at,
        ct,
        pt,
        _knows_from(agent_from, book.zone),
    )
    with written_as(OPTIONS):
        done = book.correct(noted, datetime.now(UTC))
    _say(done, book)


@app.command("remove-entry", help="Take an entry out that is wrong, such as a swap noted under another date.")
def remove_entry(
    meter: Which,
    *,
    entry: Annotated[str, typer.Option("--entry", help="Since when it holds, as 'meter history' shows it.")],
    reason: Reason,
    by: By = "",
) -> None:
    """Take a wrong entry out of the ledger and have what depends on it computed again; the audit trail keeps it."""
    book = _book()
    removal = EntryRemoval(meter, written_instant("--entry", entry, book.zone), reason, given_by(by))
    with written_as(OPTIONS):
        done = book.remove(removal, datetime.now(UTC))
    _say(done, book)


def _book() -> LedgerBook:
    settings = Settings()
    return LedgerBook(Registry(open_records(settings.records_url)), partial(open_readings, settings.store_url))


def _knows_from(text: str, zone: ZoneInfo) -> AgentFrom:
    if text == "never":
        return "never"
    return written_instant("--agent-from", text, zone) if text else None


def _say(noted: Noted, book: LedgerBook) -> None:
    for change in noted.changes:
        tell(change_text(change))
    say("cli.meter.computed_again")
    for remark in noted.remarks:
        tell(remark_text(remark, formats_of(book.estate.site)))
