"""Cost, tariff, demand and quota: what use costs, when it is dear, the peak that sets a charge, what is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import colours
from dashboards.asking import Asking
from dashboards.limited import quota_rows
from dashboards.parts import USED, cost_total, heads_known, use_total
from dashboards.sheet import Column, Drawing, Panel, Shape, Sheet
from dashboards.units import MONEY, MONEY_A_UNIT, SHARE
from facility.tariff import PERIODS

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.levels import Level


def dashboard(catalogue: Catalogue, level: Level) -> Sheet:
    """The sheet of a month."""
    del level
    asking = Asking(catalogue)
    return Sheet(
        "cost",
        (
            (
                cost_total(asking, (5, 4), asking.here),
                use_total(asking, (5, 4), asking.here),
                _valley(asking),
                _peak(asking),
                heads_known(asking, (4, 4), asking.here),
            ),
            (_periods(asking), _prices(asking)),
            *quota_rows(asking),
            (_running(asking), _buildings(asking)),
        ),
        choices=(asking.building(), asking.utility()),
        start="now/M",
        events="$building",
    )


def _valley(asking: Asking) -> Panel:
    asked = asking.one('sum("qty_valley") / sum("qty") AS "valley"', "building_1d", asking.here.where(USED))
    return Panel("valley", Shape.STAT, (5, 4), (asked,), (Column("valley", SHARE),), SHARE, 0, step="1d")


def _peak(asking: Asking) -> Panel:
    asked = asking.one('max("peak_kw") AS "peak_kw"', "building_1d", asking.here.where())
    return Panel("peak", Shape.STAT, (5, 4), (asked,), (Column("peak_kw", "kW"),), "kW", 1, step="1d")


def _periods(asking: Asking) -> Panel:
    """A bar a day, by tariff period; a flat price has none, and stands as a whole."""
    figures = ", ".join(f'sum("cost_{period}") AS "{period}"' for period in PERIODS)
    asked = asking.course(figures, "building_1d", asking.here.where(), step="1d")
    whole = asking.course('sum("cost") AS "cost"', "building_1d", asking.here.where(), step="1d")
    columns = [
        Column(period, MONEY, f"charge.{period}", "", colours.TARIFF[period], Drawing.STACK) for period in PERIODS
    ]
    columns.append(Column("cost", MONEY, colour=colours.EXPECTED, drawing=Drawing.DASHED))
    return Panel(
        "periods", Shape.LINES, (16, 10), (asked, whole), tuple(columns), MONEY, step="1d", stacked=False, most=800
    )


def _prices(asking: Asking) -> Panel:
    """What a unit cost on average in each period; a period without use has no price, and InfluxQL would say 0."""
    questions = tuple(
        asking.one(
            f'sum("cost_{one}") / sum("qty_{one}") AS "{one}"', "building_1d", asking.here.where(f'"qty_{one}" > 0')
        )
        for one in PERIODS
    )
    columns = tuple(Column(one, MONEY_A_UNIT, f"charge.{one}", digits=3) for one in PERIODS)
    return Panel("prices", Shape.STAT, (8, 10), questions, columns, MONEY_A_UNIT, 3, step="1d")


def _running(asking: Asking) -> Panel:
    """What the time has cost so far."""
    figure = 'cumulative_sum(sum("cost")) AS "cost"'
    asked = asking.course(figure, "building_1d", asking.here.where(), step="1d", fill="none")
    column = Column("cost", MONEY, colour=colours.ACTUAL)
    return Panel("running", Shape.LINES, (12, 10), (asked,), (column,), MONEY, step="1d", most=800)


def _buildings(asking: Asking) -> Panel:
    """A row a building, so that a share can be told."""
    figures = 'sum("cost") AS "cost", max("peak_kw") AS "peak_kw"'
    asked = asking.table(figures, "building_1d", asking.everywhere.where(), "building")
    columns = (
        Column("building", named="building", leads="building?building"),
        Column("cost", MONEY, bar=True),
        Column("peak_kw", "kW", digits=1),
    )
    return Panel("buildings", Shape.TABLE, (12, 10), (asked,), columns, step="1d", sort=("column.cost", True))
