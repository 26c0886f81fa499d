"""Baseline and savings: what was used against what the accepted baseline expected (the EnPI of ISO 50001)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import colours
from dashboards.asking import Asking
from dashboards.influxql import Extent
from dashboards.parts import COMPARED
from dashboards.sheet import Column, Drawing, Limits, Panel, Shape, Sheet
from dashboards.units import COUNT, MONEY, SHARE

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.levels import Level

INDICATOR = Limits(1.05, 1.1)


def dashboard(catalogue: Catalogue, level: Level) -> Sheet:
    """The sheet of a year."""
    del level
    asking = Asking(catalogue)
    return Sheet(
        "savings",
        (
            (_indicator(asking), _saved(asking), _money(asking), _compared(asking)),
            (_days(asking),),
            (_daily(asking), _running(asking)),
            (_changes(asking), Panel("method", Shape.WORDS, (10, 8))),
        ),
        choices=(asking.building(), asking.utility()),
        start="now/y",
        events="$building",
    )


def _indicator(asking: Asking) -> Panel:
    asked = asking.one('sum("qty") / sum("expected") AS "enpi"', "building_1d", asking.here.where(COMPARED))
    return Panel("indicator", Shape.STAT, (6, 4), (asked,), (Column("enpi", SHARE),), SHARE, 1, INDICATOR, "1d")


def _saved(asking: Asking) -> Panel:
    questions = tuple(
        asking.one(
            f'sum("expected") - sum("qty") AS "saved_{use.word}"',
            "building_1d",
            asking.here.where(*use.condition, COMPARED),
        )
        for use in asking.units
    )
    columns = tuple(Column(f"saved_{use.word}", use.unit, "column.saved") for use in asking.units)
    return Panel("saved", Shape.STAT, (6, 4), questions, columns, step="1d")


def _money(asking: Asking) -> Panel:
    """Hour by hour at the price in force, summed: above expected is plus."""
    asked = asking.one('sum("excess_cost") AS "excess_cost"', "building_1d", asking.here.where(COMPARED))
    return Panel("money", Shape.STAT, (6, 4), (asked,), (Column("excess_cost", MONEY),), MONEY, step="1d")


def _compared(asking: Asking) -> Panel:
    asked = asking.one('count("expected") AS "days"', "building_1d", asking.here.where(COMPARED))
    return Panel("compared", Shape.STAT, (6, 4), (asked,), (Column("days", COUNT),), COUNT, 0, step="1d")


def _days(asking: Asking) -> Panel:
    questions, columns = [], []
    for use in asking.units:
        figures = f'sum("qty") AS "qty_{use.word}", sum("expected") AS "expected_{use.word}"'
        where = asking.here.where(*use.condition, COMPARED)
        questions.append(asking.course(figures, "building_1d", where, step="1d"))
        columns += [
            Column(f"qty_{use.word}", use.unit, "column.qty", "", colours.ACTUAL, Drawing.BARS),
            Column(f"expected_{use.word}", use.unit, "column.expected", "", colours.EXPECTED, Drawing.DASHED),
        ]
    return Panel("days", Shape.LINES, (24, 8), tuple(questions), tuple(columns), step="1d", most=800)


def _daily(asking: Asking) -> Panel:
    questions, columns = [], []
    for use in asking.units:
        where = asking.here.where(*use.condition, COMPARED)
        figure = f'sum("expected") - sum("qty") AS "saved_{use.word}"'
        questions.append(asking.course(figure, "building_1d", where, step="1d"))
        columns.append(Column(f"saved_{use.word}", use.unit, "column.saved", "", colours.LESS, Drawing.BARS))
    return Panel("daily", Shape.LINES, (12, 9), tuple(questions), tuple(columns), step="1d", most=800)


def _running(asking: Asking) -> Panel:
    """The running sum of use above expected: where its slope changes, something changed."""
    questions, columns = [], []
    for use in asking.units:
        where = asking.here.where(*use.condition, COMPARED)
        figure = f'cumulative_sum(sum("above")) AS "running_{use.word}"'
        questions.append(
            asking.course_of(figure, '"qty" - "expected" AS "above"', "building_1d", where, step="1d", fill="none")
        )
        columns.append(Column(f"running_{use.word}", use.unit, "column.running", "", colours.ACTUAL))
    return Panel("running", Shape.LINES, (12, 9), tuple(questions), tuple(columns), step="1d", most=800)


def _changes(asking: Asking) -> Panel:
    """What was changed in the estate's records: a step of the curve may be explained here."""
    here = "(\"building\" = '$building' OR \"building\" = '')"
    where = Extent(asking.site).where(here, "\"kind\" != 'alert'", "\"kind\" != 'holiday'")
    asked = asking.rows('"title_$READER" AS "title", "text_$READER" AS "text"', "events", where, 50, "DESC")
    return Panel("changes", Shape.TABLE, (14, 8), (asked,), (Column("title"), Column("text")), shows_time=True)
