"""``meterhouse account``: a building's bill, closing a month, computing again."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from facility.errors import ConfigError, Problem
from facility.wall_time import written_instant
from meterhouse.commands.spoken import given_by, written_as
from meterhouse.settings import Settings
from meterhouse.table import render_facts, render_table
from reports import table_rows
from reports.bill import Bill, make_bill
from reports.bill_files import bill_csv, bill_xlsx
from reports.closing import close_month
from stores.readings import open_readings
from stores.records.accounts import Accounts
from stores.records.database import open_records
from stores.records.recomputations import Recomputations
from stores.records.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stores.records.recomputations import Recomputation

app = typer.Typer(no_args_is_help=True)

Building = Annotated[str, typer.Option("--building", help="The building's id.")]
Out = Annotated[Path | None, typer.Option("--out", help="Into this file; xlsx needs one.")]
Month = Annotated[str, typer.Option("--month", help="A local month, such as 2026-10.")]


class Format(StrEnum):
    """What a report is written as."""

    TEXT = "text"
    CSV = "csv"
    XLSX = "xlsx"


@app.command(help="A building's month: lines by tariff period, what was measured, the proof by registers.")
def report(
    building: Building,
    month: Month,
    *,
    form: Annotated[Format, typer.Option("--format", help="As what.")] = Format.TEXT,
    out: Out = None,
) -> None:
    """Print or write the bill."""
    if form is Format.XLSX and out is None:
        raise ConfigError(Problem("--out", "is missing: a workbook cannot be printed", "a file such as bill.xlsx"))
    bill = _bill(building, month, datetime.now(UTC))
    text = bill_csv(bill) if form is Format.CSV else bill_text(bill)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_bytes(bill_xlsx(bill) if form is Format.XLSX else text.encode())
    except OSError as error:
        raise ConfigError(Problem(str(out), f"cannot be written: {error.strerror}")) from None
    typer.echo(f"{out}: {bill.name}, {bill.month}, {bill.total} {bill.currency}.")


@app.command(help="Keep a month as it is handed in; afterwards it is adjusted, never rewritten.")
def close(
    building: Building,
    month: Month,
    *,
    by: Annotated[str, typer.Option("--by", help="Who closes it; you, unless said otherwise.")] = "",
) -> None:
    """Close a month that is over and whose figures stand."""
    now = datetime.now(UTC)
    bill = _bill(building, month, now)
    closed = close_month(bill, Accounts(open_records(Settings().records_url)), by=given_by(by), at=now)
    typer.echo(f"{building} {month} is closed with {bill.total} {bill.currency} (digest {closed.digest[:12]}).")


@app.command(help="Compute a meter's figures again from its readings.")
def recompute(
    *,
    meter: Annotated[str, typer.Option("--meter", help="The meter's id.")],
    first: Annotated[str, typer.Option("--from", help="First local day or time, such as 2026-03-01.")],
    last: Annotated[str, typer.Option("--to", help="First local day that is not touched; up to now if not said.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
) -> None:
    """Put a stretch of a meter on the list that analytics works through."""
    records = open_records(Settings().records_url)
    estate = Registry(records).load()
    zone = ZoneInfo(estate.site.timezone)
    span = written_instant("--from", first, zone), written_instant("--to", last, zone) if last else None
    with written_as({"meter": "--meter", "end": "--to", "reason": "--reason"}):
        asked = Recomputations(records).ask_meter(
            estate, meter, span, by=given_by(""), at=datetime.now(UTC), reason=reason
        )
    typer.echo("analytics computes it again now." if asked else f"nothing to do: {first} has not begun yet.")


@app.command(help="What was computed again, and what each month was before and after.")
def recomputations() -> None:
    """Print the newest recomputations."""
    found = Recomputations(open_records(Settings().records_url)).newest()
    if not found:
        typer.echo("nothing was ever computed again.")
        return
    headings = ("asked", "by", "reason", "counters", "state", "month", "use before", "after", "cost before", "after")
    typer.echo(render_table(headings, _recomputation_rows(found), right=(3, 6, 7, 8, 9)))


def _recomputation_rows(found: Iterable[Recomputation]) -> list[tuple[str, ...]]:
    rows = []
    for one in found:
        head = (f"{one.asked_at:%Y-%m-%d %H:%M}", one.by, one.reason, str(len(one.points)))
        state = "done" if one.finished_at else "waiting"
        for month, figures in one.months.items() or (("–", {}),):
            cells = [
                _figure(figures.get(when, {}).get(what)) for what in ("qty", "cost") for when in ("before", "after")
            ]
            rows.append((*head, state, month, *cells))
    return rows


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3f}"


def _bill(building: str, month: str, now: datetime) -> Bill:
    settings = Settings()
    records = open_records(settings.records_url)
    estate = Registry(records).load()
    return make_bill(open_readings(settings.store_url), estate, Accounts(records), building, month, now=now)


def bill_text(bill: Bill) -> str:
    """The bill for a terminal."""
    facts = [
        ("building", f"{bill.name} ({bill.building})"),
        ("month", f"{bill.month}, {bill.timezone}"),
        ("closed", bill.closed or "no"),
        ("total", f"{bill.total:,} {bill.currency}"),
    ]
    lines = [row[:1] + row[2:-1] for row in table_rows.line_rows(bill)]
    headings = [table_rows.LINE_HEADINGS[0], *table_rows.LINE_HEADINGS[2:-1]]
    parts = [render_facts(facts), render_table(headings, lines, right=(3, 5, 6))]
    sums = [
        f"  {u.utility}: {u.quantity:,} {u.unit}, {u.amount:,} {bill.currency}; {', '.join(u.meters)}"
        for u in bill.utilities
    ]
    parts.append("\n".join(sums))
    if bill.adjustments:
        rows = table_rows.adjustment_rows(bill)
        parts.append(
            "adjustments to closed months\n" + render_table(table_rows.ADJUSTMENT_HEADINGS, rows, right=(3, 4))
        )
    shares = table_rows.share_rows(bill)
    parts.append("how it is known\n" + render_table(table_rows.SHARE_HEADINGS, shares, right=(1, 3, 4, 5, 6, 7, 8, 9)))
    registers = table_rows.register_rows(bill)
    parts.append("registers\n" + render_table(table_rows.REGISTER_HEADINGS, registers, right=(5, 6, 7, 8, 9)))
    proof = table_rows.proof_rows(bill)
    parts.append("conservation\n" + render_table(table_rows.PROOF_HEADINGS, proof, right=(1, 2, 3)))
    if bill.notes:
        parts.append("\n".join(f"note: {note}" for note in bill.notes))
    return "\n\n".join(parts) + "\n"
