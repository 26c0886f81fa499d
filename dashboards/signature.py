"""Energy signature: use against outdoor temperature, which tells the weather from waste."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import colours
from dashboards.asking import Asking
from dashboards.parts import COMPARED, WHOLE
from dashboards.sheet import Column, Drawing, Panel, Shape, Sheet
from dashboards.units import DAYS

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.levels import Level

WORKED = {"worked": '"occ" < 3', "closed": '"occ" >= 3'}
"""Which days, by the code of what a day is for the building."""


def dashboard(catalogue: Catalogue, level: Level) -> Sheet:
    """The sheet of a year's days."""
    del level
    asking = Asking(catalogue)
    return Sheet(
        "signature",
        ((_cloud(asking),), (_degree_days(asking), _course(asking))),
        choices=(asking.building(), asking.utility()),
        start="now-1y",
        events="$building",
    )


def _cloud(asking: Asking) -> Panel:
    """A point a day: workdays and closed days apart, and what was expected of each."""
    questions, columns = [], [Column("t_out", "degC", digits=0)]
    fills = {"worked": colours.ACTUAL, "closed": colours.WATCH}
    for use in asking.units:
        for word, condition in WORKED.items():
            figures = f'"t_out" AS "t_out", "qty" AS "{word}_{use.word}"'
            questions.append(
                asking.rows(figures, "building_1d", asking.here.where(*use.condition, condition, WHOLE), 800)
            )
            columns.append(Column(f"{word}_{use.word}", use.unit, f"column.{word}", colour=fills[word]))
        figures = f'"t_out" AS "t_out", "expected" AS "expected_{use.word}"'
        where = asking.here.where(*use.condition, COMPARED, WHOLE)
        questions.append(asking.rows(figures, "building_1d", where, 800))
        columns.append(Column(f"expected_{use.word}", use.unit, "column.expected", colour=colours.EXPECTED))
    without_time = ("organize", {"excludeByName": {"Time": True}})
    return Panel(
        "cloud",
        Shape.CLOUD,
        (24, 13),
        tuple(questions),
        tuple(columns),
        step="1d",
        most=800,
        transformations=(without_time,),
    )


def _degree_days(asking: Asking) -> Panel:
    figures = 'sum("hdd") AS "hdd", sum("cdd") AS "cdd"'
    asked = asking.course(figures, "building_1d", asking.here.where(), step="1d")
    columns = (
        Column("hdd", DAYS, colour=colours.ACT, drawing=Drawing.BARS),
        Column("cdd", DAYS, colour=colours.LESS, drawing=Drawing.BARS),
    )
    return Panel("degree_days", Shape.LINES, (12, 9), (asked,), columns, DAYS, step="1d", most=800)


def _course(asking: Asking) -> Panel:
    """The same days in time, so that a cloud of two halves can be told apart."""
    questions, columns = [], []
    for use in asking.units:
        figure = f'sum("qty") AS "qty_{use.word}"'
        questions.append(asking.course(figure, "building_1d", asking.here.where(*use.condition, WHOLE), step="1d"))
        columns.append(Column(f"qty_{use.word}", use.unit, "column.qty", "", colours.ACTUAL, Drawing.BARS))
    return Panel("course", Shape.LINES, (12, 9), tuple(questions), tuple(columns), step="1d", most=800)
