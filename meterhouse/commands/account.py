"""``meterhouse account``: a building's bill, closing a month, computing again."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from facility.errors import ConfigError, MeterhouseError, Problem
from facility.quantities import Utility
from facility.remark import Remark, RemarkKind
from facility.wall_time import written_instant
from meterhouse.answers.account import (
    BillAnswer,
    RecomputationsAnswer,
    bill_answer,
    recomputation_answer,
    recomputations_table,
)
from meterhouse.answers.bill import bill_text
from meterhouse.answers.departments import DepartmentsAnswer, departments_answer, departments_text
from meterhouse.commands import proposals
from meterhouse.commands.spoken import formats_of, given_by, written_as
from meterhouse.commands.taking import Custodian, Reason, handed_out, wish_of
from meterhouse.output import EXIT_UNKNOWN, answer, answers, say, speaks_json, tell_failure, terminal_width, texts
from meterhouse.settings import Settings
from reports.bill_files import bill_csv, bill_xlsx
from reports.billing import BillsOfMonth, check_building
from reports.closing import close_months
from stores.access.exports import points_in
from stores.readings import open_readings
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.accounting.recomputations import Recomputations
from stores.records.accounting.spells import Spells
from stores.records.database import open_records
from stores.records.registry import Registry
from wording.formats import Formats
from wording.remarks import remark_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility.catalogue import Catalogue
    from reports.bill import Bill
    from stores.access.exports import Taken
    from stores.records.registry import Revision

app = typer.Typer(no_args_is_help=True)
app.add_typer(proposals.app)

Building = Annotated[str, typer.Option("--building", help="The building's id.")]
Out = Annotated[Path | None, typer.Option("--out", help="Into this file; xlsx needs one.")]
Month = Annotated[str, typer.Option("--month", help="A local month, such as 2026-10.")]


EVERY = "Every metered building of which the month is open; all of them, or none where one is not fit to be closed."
ACCEPT = "Why it is closed although hours are missing, in doubt or yet to come; kept with the month."
FORMS = "text, xlsx, or csv: the same fields and codes in every language, names and notes in the reader's."


class Format(StrEnum):
    """What a report is written as."""

    TEXT = "text"
    CSV = "csv"
    XLSX = "xlsx"


@app.command(help="A building's month: lines by tariff period, what was measured, the proof by registers.")
@answers(BillAnswer)
def report(
    building: Building,
    month: Month,
    *,
    form: Annotated[Format, typer.Option("--format", help=FORMS)] = Format.TEXT,
    out: Out = None,
    reason: Reason = "",
    custodian: Custodian = "",
) -> None:
    """Print or write the bill. A month of which nothing is known has none: the exit code is 3."""
    if form is Format.XLSX and out is None:
        raise ConfigError(Problem("--out", "is missing: a workbook cannot be printed", "a file such as bill.xlsx"))
    if speaks_json() and (out is not None or form is not Format.TEXT):
        raise ConfigError(Problem("--json", "stands beside --format or --out", "one of them"))
    bill, found = _bill(building, month, datetime.now(UTC))
    formats = Formats(texts().language, bill.timezone, bill.currency)
    if not bill.is_known and bill.closed is None:
        raise typer.Exit(tell_failure(MeterhouseError(_nothing_known(bill, formats)), EXIT_UNKNOWN))
    is_export = speaks_json() or out is not None or form is not Format.TEXT
    taken = handed_out(
        open_records(Settings().records_url),
        found.catalogue,
        f"bill of {month}",
        points_in(found.catalogue, {building}),
        wish_of(reason, custodian),
        is_export=is_export,
    )
    if out is None and form is Format.CSV:
        typer.echo(bill_csv(bill, formats, taken), nl=False)
        return
    if out is None:
        answer(bill_answer(bill, formats, taken), lambda: bill_text(bill, formats, terminal_width()).removesuffix("\n"))
        return
    try:
        out.write_bytes(_file(bill, form, formats, taken))
    except OSError as error:
        raise ConfigError(Problem(str(out), f"cannot be written: {error.strerror}")) from None
    name, total = bill.name.in_language(formats.language), formats.billed(bill.due)
    say("cli.account.written", file=out, name=name, month=bill.month, total=total)


@app.command(help="What each department bears of buildings' bills: lines of one building, totals of all.")
@answers(DepartmentsAnswer)
def departments(
    month: Month,
    *,
    building: Annotated[str, typer.Option("--building", help="Only this building, with its lines.")] = "",
    reason: Reason = "",
    custodian: Custodian = "",
) -> None:
    """Print the parts of departments; those of a building add up to its bill."""
    settings = Settings()
    records = open_records(settings.records_url)
    estate = Registry(records).load()
    books, spells, now = ClosedMonths(records), Spells(records), datetime.now(UTC)
    with (
        closing(open_readings(settings.store_url)) as store,
        written_as({"building": "--building", "month": "--month"}),
    ):
        wanted = [building] if building else list(estate.building)
        if building:
            check_building(estate, building)
        made = BillsOfMonth(store, estate, books, spells, wanted, month, now=now)
        bills = [made.bill(one) for one in wanted]
    points = points_in(estate, wanted)
    handed_out(records, estate, f"departments of {month}", points, wish_of(reason, custodian), is_export=speaks_json())
    formats = formats_of(estate.site)
    found = departments_answer(bills, month, formats)
    answer(found, lambda: departments_text(found, formats))


def _nothing_known(bill: Bill, formats: Formats) -> str:
    """Why there is no bill: one of 0.00 would say that nothing was used."""
    nothing = Remark(RemarkKind.NOTHING_KNOWN, {"building": bill.building})
    not_begun = (one for one in bill.doubts if one.kind is RemarkKind.MONTH_NOT_BEGUN)
    return remark_text(next(not_begun, nothing), formats)


def _file(bill: Bill, form: Format, formats: Formats, taken: Taken | None) -> bytes:
    if form is Format.XLSX:
        return bill_xlsx(bill, formats, taken)
    return (bill_csv(bill, formats, taken) if form is Format.CSV else bill_text(bill, formats, taken=taken)).encode()


@app.command(help="Keep a month as it is handed in; afterwards it is adjusted, never rewritten.")
def close(
    *,
    building: Annotated[str, typer.Option("--building", help="The building's id.")] = "",
    every: Annotated[bool, typer.Option("--all", help=EVERY)] = False,
    month: Month,
    by: Annotated[str, typer.Option("--by", help="Who closes it; you, unless said otherwise.")] = "",
    accept_missing: Annotated[str, typer.Option("--accept-missing", help=ACCEPT)] = "",
) -> None:
    """Close a month whose figures stand; one that lacks something, only with the reason why that is accepted."""
    if bool(building) == every:
        what = "stands beside --all" if every else "is missing"
        raise ConfigError(Problem("--building", what, "a building's id, or --all for every building"))
    now = datetime.now(UTC)
    bills, found = _bills([building] if building else None, month, now)
    books = ClosedMonths(open_records(Settings().records_url))
    closed = close_months(bills, books, based_on=found.version, by=given_by(by), at=now, accept_missing=accept_missing)
    for bill, one in zip(bills, closed, strict=True):
        total = Formats(texts().language, bill.timezone, bill.currency).billed(bill.due)
        say("cli.account.closed", building=bill.building, month=month, total=total, digest=one.digest[:12])


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
    say("cli.account.asked") if asked else say("cli.account.not_begun", first=first)


@app.command(help="What was computed again, and what each month was before and after.")
@answers(RecomputationsAnswer)
def recomputations() -> None:
    """Print the newest recomputations."""
    records = open_records(Settings().records_url)
    found = [recomputation_answer(one) for one in Recomputations(records).newest()]
    site = Registry(records).load().site
    answer(RecomputationsAnswer(found), lambda: recomputations_table(found, formats_of(site)))


def _bill(building: str, month: str, now: datetime) -> tuple[Bill, Revision]:
    """The bill, and the estate that it was made for."""
    (bill,), found = _bills([building], month, now)
    return bill, found


def _bills(buildings: Sequence[str] | None, month: str, now: datetime) -> tuple[list[Bill], Revision]:
    """The bills of some buildings, or of every one that is metered and whose month is open, and their estate."""
    settings = Settings()
    records = open_records(settings.records_url)
    found = Registry(records).revision()
    estate, books = found.catalogue, ClosedMonths(records)
    options = {"building": "--building", "month": "--month"}
    with closing(open_readings(settings.store_url)) as store, written_as(options):
        for one in buildings or ():
            check_building(estate, one)
        wanted = _open(estate, books, month) if buildings is None else buildings
        made = BillsOfMonth(store, estate, books, Spells(records), wanted, month, now=now)
        return [made.bill(one) for one in wanted], found


def _open(estate: Catalogue, books: ClosedMonths, month: str) -> list[str]:
    """The metered buildings whose month is open. Raises ``ConfigError`` where there is none."""
    metered = [one for one in estate.building if any(estate.head_counters(one, utility) for utility in Utility)]
    closed = books.closing_times([(one, month) for one in metered])
    wanted = [one for one in metered if (one, month) not in closed]
    if not wanted:
        raise ConfigError(Problem("month", f"{month} is closed in every building", "another month"))
    return wanted
