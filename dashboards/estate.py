"""Estate overview: which building first, by the money that it uses above what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import colours
from dashboards.asking import Asking
from dashboards.influxql import Extent
from dashboards.limited import projected_by_building
from dashboards.parts import (
    ABOVE_EXPECTED,
    COMPARED,
    HEARD,
    LIVE_HEADS,
    TILE,
    TODAY_M,
    USED,
    cost_total,
    heads_known,
    live_now,
    shared,
    use_total,
)
from dashboards.sheet import Column, Drawing, Limits, Panel, Shape, Sheet
from dashboards.units import COUNT, INTENSITY, MONEY, RATING, SHARE, TONNES
from facility.model import MeterRole
from facility.quantities import Quantity

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.levels import Level


def dashboard(catalogue: Catalogue, level: Level) -> Sheet:
    """The sheet of the morning's look."""
    del level
    asking = Asking(catalogue)
    return Sheet(
        "estate",
        (
            shared((*live_now(asking, everywhere=True), _heard(asking), _open(asking))),
            (
                use_total(asking, (5, 4), asking.everywhere),
                _against(asking),
                cost_total(asking, (5, 4), asking.everywhere),
                _emitted(asking),
                heads_known(asking, (5, 4), asking.everywhere),
            ),
            (_league(asking),),
            (_excess(asking), _rating(asking), _trend(asking)),
            (_days(asking),),
        ),
        choices=(asking.utility(),),
        start="now/M",
        refresh="5m",
        events="*",
    )


def _heard(asking: Asking) -> Panel:
    """Head meters of electricity that spoke lately, of those that there are."""
    points = asking.catalogue.points_of_quantity(Quantity.ACTIVE_POWER)
    heads = [p for p in points if p.channel == "total" and asking.catalogue.meter[p.meter].role is MeterRole.HEAD]
    where = Extent(asking.site).where(*LIVE_HEADS)
    inner = 'last("value") AS "newest"'
    asked = asking.sums(f'count("newest") / {max(len(heads), 1)} AS "heard"', inner, "live", where, "meter", "building")
    return Panel("heard", Shape.STAT, TILE, (asked,), (Column("heard", SHARE),), SHARE, 0, HEARD, "1m", within=TODAY_M)


def _open(asking: Asking) -> Panel:
    """Cases that nobody has settled yet."""
    where = Extent(asking.site).where()
    asked = asking.sums('sum("left") AS "open"', 'last("open") AS "left"', "alert_1d", where, "building", "type")
    column = Column("open", COUNT)
    return Panel("open", Shape.STAT, TILE, (asked,), (column,), COUNT, 0, Limits(1, 5), "1d", within="7d")


def _against(asking: Asking) -> Panel:
    figure = '(sum("qty") - sum("expected")) / sum("expected") AS "delta"'
    asked = asking.one(figure, "building_1d", asking.everywhere.where(COMPARED))
    return Panel("against", Shape.STAT, (5, 4), (asked,), (Column("delta", SHARE),), SHARE, 1, ABOVE_EXPECTED, "1d")


def _emitted(asking: Asking) -> Panel:
    asked = asking.one('sum("co2") / 1000 AS "co2"', "building_1d", asking.everywhere.where())
    return Panel("emitted", Shape.STAT, (4, 4), (asked,), (Column("co2", TONNES),), TONNES, 1, step="1d")


def _league(asking: Asking) -> Panel:
    """A row a building. What is held against expected is of the days that have it, the totals are of all."""
    questions, columns = [], [Column("building", named="building", leads="building?building", width=190)]
    columns += [Column("delta", SHARE, digits=1, limits=ABOVE_EXPECTED), Column("excess_cost", MONEY)]
    for use in asking.units:
        figures = f'sum("qty") AS "qty_{use.word}"'
        questions.append(asking.table(figures, "building_1d", asking.everywhere.where(*use.condition), "building"))
        columns.append(Column(f"qty_{use.word}", use.unit, "column.qty", digits=1))
    figures = 'sum("cost") AS "cost", last("eui12") AS "eui12"'
    questions.append(asking.table(figures, "building_1d", asking.everywhere.where(), "building"))
    heard = 'mean("completeness") AS "completeness"'  # of hours: of the day that lasts, most is still to come
    questions.append(asking.table(heard, "building_1h", asking.everywhere.where(), "building"))
    share = 'sum("base_qty") / sum("qty") AS "base_share"'
    questions.append(asking.table(share, "building_1d", asking.everywhere.where(USED), "building"))
    compared = '(sum("qty") - sum("expected")) / sum("expected") AS "delta", sum("excess_cost") AS "excess_cost"'
    questions.append(asking.table(compared, "building_1d", asking.everywhere.where(COMPARED), "building"))
    limited = [*projected_by_building(asking)]
    questions += [asked for asked, _ in limited]
    columns += [
        Column("cost", MONEY),
        *(column for _, column in limited),
        Column("base_share", SHARE, digits=0),
        Column("eui12", INTENSITY, digits=0, bar=True),
        Column("completeness", SHARE, digits=1, limits=HEARD),
    ]
    return Panel(
        "league",
        Shape.TABLE,
        (24, 11),
        tuple(questions),
        tuple(columns),
        step="1d",
        transformations=(("joinByField", {"byField": "building", "mode": "outer"}),),
        sort=("column.excess_cost", True),
    )


def _excess(asking: Asking) -> Panel:
    """The ten buildings whose money above expected is most."""
    inner = asking.table('sum("excess_cost") AS "excess"', "building_1d", asking.everywhere.where(COMPARED), "building")
    query = f'SELECT top("excess", "building", 10) AS "excess_cost" FROM ({inner.query})'
    columns = (
        Column("building", named="building", leads="building?building"),
        Column("excess_cost", MONEY, bar=True),
    )
    asked = type(inner)(query, is_table=True)
    return Panel("excess", Shape.TABLE, (8, 12), (asked,), columns, step="1d", sort=("column.excess_cost", True))


def _rating(asking: Asking) -> Panel:
    """A to G, by twelve months' use against what is typical for such a building."""
    asked = asking.table('last("rating") AS "rating"', "building_1d", asking.everywhere.where(), "building")
    columns = (
        Column("building", named="building", leads="building?building"),
        Column("rating", RATING, digits=0, bar=True),
    )
    return Panel(
        "rating", Shape.TABLE, (8, 12), (asked,), columns, step="1d", within="60d", sort=("column.rating", False)
    )


def _trend(asking: Asking) -> Panel:
    """A small line a building: use over expected of each day, as its row has it.

    Days that a database makes of many series by a zone's clock would cost two thirds of the whole page.
    """
    asked = asking.each_row(
        '"qty" / "expected" AS "ratio"', "building_1d", asking.everywhere.where(COMPARED), "building"
    )
    columns = (
        Column("building", named="building", leads="building?building", width=160),
        Column("Trend", SHARE, "column.trend", colour=colours.ACTUAL, digits=0, spark=True),
    )
    return Panel(
        "trend",
        Shape.TABLE,
        (8, 12),
        (asked,),
        columns,
        step="1d",
        within="30d",
        transformations=(("timeSeriesTable", {}),),
        sort=("column.building", False),
    )


def _days(asking: Asking) -> Panel:
    """All buildings day by day; the part that has an expected figure beside it is drawn of its own."""
    questions, columns = [], []
    for use in asking.units:
        every, some = asking.everywhere.where(*use.condition), asking.everywhere.where(*use.condition, COMPARED)
        figures = f'sum("qty") AS "compared_{use.word}", sum("expected") AS "expected_{use.word}"'
        questions += [
            asking.course(f'sum("qty") AS "qty_{use.word}"', "building_1d", every, step="1d"),
            asking.course(figures, "building_1d", some, step="1d"),
        ]
        columns += [
            Column(f"qty_{use.word}", use.unit, "column.qty", colour=colours.BAND, drawing=Drawing.BARS),
            Column(f"compared_{use.word}", use.unit, "column.compared", colour=colours.ACTUAL, drawing=Drawing.BARS),
            Column(
                f"expected_{use.word}", use.unit, "column.expected", colour=colours.EXPECTED, drawing=Drawing.DASHED
            ),
        ]
    return Panel("days", Shape.LINES, (24, 9), tuple(questions), tuple(columns), step="1d")
