"""``meterhouse indicators``: standard coal, CO2, per area and per person; the codes of energy items."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Annotated

import typer

from meterhouse.answers.indicators import IndicatorAnswer, indicator_answer, indicator_text
from meterhouse.commands.spoken import formats_of, written_as
from meterhouse.commands.taking import Custodian, Reason, handed_out, wish_of
from meterhouse.output import answer, answers, shown, speaks_json, table, tell, texts
from meterhouse.settings import Settings
from reports.indicators import YEAR, make_indicators
from reports.item_codes import DEFAULT_DIALECT, code_table, in_dialect, item_of
from reports.worked_example import factor_sets_text, worked_example
from stores.access.exports import points_in
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.registry import Registry
from wording.formats import Formats

app = typer.Typer(no_args_is_help=True)

Building = Annotated[str, typer.Option("--building", help="Only this building; else the whole estate.")]
Dialect = Annotated[str, typer.Option("--dialect", help="Which table of codes.")]


@app.command(help="Energy as standard coal and CO2, per area, per person, against quotas, over some months.")
@answers(IndicatorAnswer)
def report(
    first: Annotated[str, typer.Option("--first", help="The first local month, such as 2026-01.")],
    *,
    months: Annotated[int, typer.Option("--months", min=1, max=120, help="How many; quotas speak of twelve.")] = YEAR,
    building: Building = "",
    department: Annotated[str, typer.Option("--department", help="Only what this one and those below it bear.")] = "",
    without_vehicles: Annotated[
        bool, typer.Option("--without-vehicles", help="Leave the fuel of vehicles out of energy per person.")
    ] = False,
    reason: Reason = "",
    custodian: Custodian = "",
) -> None:
    """Print the indicators; what is not known as a whole is absent, and named."""
    settings = Settings()
    records = open_records(settings.records_url)
    estate = Registry(records).load()
    with (
        closing(open_readings(settings.store_url)) as store,
        written_as({"building": "--building", "department": "--department", "first_month": "--first"}),
    ):
        found = make_indicators(
            store,
            estate,
            first,
            months,
            building=building,
            department=department,
            vehicles_per_person=not without_vehicles,
        )
    points = points_in(estate, {building} if building else estate.building.keys())
    what = f"indicators from {first}"
    handed_out(records, estate, what, points, wish_of(reason, custodian), is_export=speaks_json())
    formats = formats_of(estate.site)
    answer(indicator_answer(found, formats), lambda: indicator_text(found, formats))


@app.command(help="A worked example that anybody can check by hand; it needs no estate.")
@answers(IndicatorAnswer)
def example() -> None:
    """Print the indicators of the worked example."""
    formats = Formats(texts().language, "Asia/Shanghai", "CNY")
    answer(indicator_answer(worked_example(), formats), lambda: indicator_text(worked_example(), formats))


@app.command(help="Factor sets in common use, as text for a site.yaml.")
def sets() -> None:
    """Print the sets that come with Meterhouse."""
    tell(factor_sets_text().rstrip("\n"))


@dataclass(frozen=True, slots=True)
class CodeAnswer:
    """A code of a table, or of a meter."""

    code: str
    item: Annotated[str, "what it stands for, the same word in every table"]
    name: Annotated[str, "in the reader's language"]
    meter: Annotated[str | None, "its id, where meters were asked for"]


@dataclass(frozen=True, slots=True)
class CodesAnswer:
    """Codes of one table."""

    dialect: str
    version: str
    codes: list[CodeAnswer]


@app.command(help="Codes of energy items: a whole table, those of meters, or some codes checked and told in a dialect.")
@answers(CodesAnswer)
def codes(
    checked: Annotated[list[str] | None, typer.Argument(metavar="CODE", help="Codes to check.")] = None,
    *,
    dialect: Dialect = DEFAULT_DIALECT,
    to: Annotated[str, typer.Option("--to", help="Tell the same items in this table's codes.")] = "",
    meters: Annotated[bool, typer.Option("--meters", help="The code of each meter of the estate.")] = False,
) -> None:
    """Print codes. One that the table does not have is refused with the table's name."""
    with written_as({"dialect": "--dialect", "code": "CODE"}):
        chosen = code_table(dialect)
        wanted = [chosen.check(code) for code in checked or ()] or list(chosen.codes.values())
        answered = code_table(to) if to else chosen
        found = [(in_dialect(one.code, dialect, to) if to else one.code, "") for one in wanted]
        if meters:
            estate = Registry(open_records(Settings().records_url)).load()
            found = [(answered.code_of(item), one.id) for one in estate.meters if (item := item_of(one))]
    chinese = texts().language.startswith("zh")
    rows = [(answered.codes[code], meter) for code, meter in found]
    made = [CodeAnswer(one.code, one.item, one.zh if chinese else one.en, meter or None) for one, meter in rows]
    answer(CodesAnswer(answered.dialect, answered.version, made), lambda: _codes_table(answered.dialect, made))


def _codes_table(dialect: str, made: list[CodeAnswer]) -> str:
    found = code_table(dialect)
    head = texts()("cli.codes.table", dialect=found.dialect, version=found.version, source=found.source)
    columns = ("cli.codes.code", "cli.codes.item", "cli.column.meter")
    width = len(columns) if any(one.meter for one in made) else len(columns) - 1
    rows = [(one.code, one.name, shown(one.meter))[:width] for one in made]
    return f"{head}\n\n{table(columns[:width], rows)}"
