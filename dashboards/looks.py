"""How each shape of panel is set up: the options of Grafana 12 that are said here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards import colours
from dashboards.sheet import Panel, Shape
from dashboards.units import RATING, UNITS

if TYPE_CHECKING:
    from collections.abc import Callable

QUARTER_MS = 900_000
STEPS_MS = {"1m": QUARTER_MS, "1h": 5_400_000, "1d": 129_600_000}
"""By how far apart figures are: a longer silence than this is a gap in the line."""

_TOOLTIP = {"mode": "multi", "sort": "none"}
_LEGEND = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
_LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}

Look = tuple[dict[str, Any], dict[str, Any]]
"""Options of a panel, and of its fields (``custom``)."""


def look_of(panel: Panel) -> Look:
    """Options and ``custom`` of a panel's shape."""
    options, custom = _LOOKS[panel.shape](panel)
    return {**options, **panel.extra}, custom


def _stat(panel: Panel) -> Look:
    status = panel.limits is not None or panel.unit == RATING
    return {
        "reduceOptions": _LAST,
        "graphMode": "none",
        "colorMode": "value" if status else "none",
        "justifyMode": "auto",
        "textMode": "auto",
        "orientation": "auto",
        "wideLayout": True,
        "showPercentChange": False,
    }, {}


def _lines(panel: Panel) -> Look:
    custom = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 0,
        "spanNulls": STEPS_MS[panel.step],
        "showPoints": "never",
        "axisPlacement": "auto",
        "axisSoftMin": 0,
        "barAlignment": 1,  # a stamp is where its hour or day begins
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
    }
    return {"legend": _LEGEND, "tooltip": _TOOLTIP}, custom


def _table(panel: Panel) -> Look:
    del panel
    return {"showHeader": True, "cellHeight": "sm"}, {
        "align": "auto",
        "cellOptions": {"type": "auto"},
        "inspect": False,
        "minWidth": 70,
    }


def _carpet(panel: Panel) -> Look:
    return {
        "cellValues": {"unit": UNITS[panel.unit], "decimals": panel.digits},
        "calculate": False,
        "rowsFrame": {"layout": "unknown"},
        "color": {"mode": "scheme", "scheme": colours.SCHEME, "steps": 64, "fill": colours.UNKNOWN},
        "cellGap": 0,
        "filterValues": {"le": -1e9},  # a cell of zero use is shown: only what is missing stays empty
        "legend": {"show": True},
        "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": True},
        "yAxis": {"axisPlacement": "left", "reverse": False},
        "showValue": "never",
    }, {}


def _states(panel: Panel) -> Look:
    del panel
    return {
        "legend": _LEGEND,
        "tooltip": {"mode": "single", "sort": "none"},
        "showValue": "auto",
        "rowHeight": 0.8,
        "mergeValues": True,
        "alignValue": "left",
    }, {"fillOpacity": 80, "lineWidth": 0}


def _days(panel: Panel) -> Look:
    del panel
    return {
        "legend": {**_LEGEND, "showLegend": False},
        "tooltip": {"mode": "single", "sort": "none"},
        "showValue": "never",
        "rowHeight": 0.9,
        "colWidth": 0.95,
    }, {"fillOpacity": 90, "lineWidth": 0}


def _cloud(panel: Panel) -> Look:
    del panel
    return {"mapping": "auto", "series": [], "legend": _LEGEND, "tooltip": {"mode": "single", "sort": "none"}}, {
        "show": "points",
        "pointSize": {"fixed": 5},
        "fillOpacity": 40,
    }


def _curve(panel: Panel) -> Look:
    del panel
    return {"legend": _LEGEND, "tooltip": _TOOLTIP}, {
        "drawStyle": "line",
        "lineWidth": 2,
        "fillOpacity": 20,
        "showPoints": "never",
        "axisSoftMin": 0,
    }


def _words(panel: Panel) -> Look:
    del panel
    return {}, {}


_LOOKS: dict[Shape, Callable[[Panel], Look]] = {
    Shape.STAT: _stat,
    Shape.LINES: _lines,
    Shape.TABLE: _table,
    Shape.CARPET: _carpet,
    Shape.STATES: _states,
    Shape.DAYS: _days,
    Shape.CLOUD: _cloud,
    Shape.CURVE: _curve,
    Shape.WORDS: _words,
}
