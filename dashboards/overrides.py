"""What is said of single series and columns: name, unit, colour, limits, names for ids, where a click leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.builders import dashboard as db
from grafana_foundation_sdk.models import dashboard as m

from dashboards import colours
from dashboards.sheet import Column, Drawing, Limits, Panel, Shape
from dashboards.units import RATING, grafana_unit
from facility.work import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.words import Words

CONSOLE = "console"
"""The hidden constant that holds the console's address: links lead there."""

STATES = {
    "speaks": {"speaks.yes": (1, colours.OK), "speaks.no": (0, colours.ACT)},
    "severity": {
        "severity.info": (Severity.INFO.value, colours.UNKNOWN),
        "severity.watch": (Severity.WATCH.value, colours.WATCH),
        "severity.act": (Severity.ACT.value, colours.ACT),
        "severity.urgent": (Severity.URGENT.value, colours.ACT),
    },
}
"""Families of states: the id of a word → the code that it stands for, and its colour."""

LETTERS = ((0.0, 25.0, "A"), (25.0, 50.0, "B"), (50.0, 75.0, "C"), (75.0, 100.0, "D"), (100.0, 125.0, "E"),
           (125.0, 150.0, "F"), (150.0, 1e9, "G"))  # fmt: skip
"""Bands of the rating. Only 100 as the edge of D and E is confirmed; the others are equal steps of 25."""

_LETTER_COLOURS = dict(zip("ABCDEFG", (*[colours.OK] * 4, colours.WATCH, colours.WATCH, colours.ACT), strict=True))

_DRAWN: dict[Drawing, dict[str, Any]] = {
    Drawing.LINE: {},
    Drawing.DASHED: {"custom.lineStyle": {"fill": "dash", "dash": [8, 6]}, "custom.lineWidth": 2},
    Drawing.BARS: {"custom.drawStyle": "bars", "custom.fillOpacity": 70, "custom.lineWidth": 0},
    Drawing.STACK: {
        "custom.drawStyle": "bars",
        "custom.fillOpacity": 80,
        "custom.lineWidth": 0,
        "custom.stacking": {"mode": "normal", "group": "A"},
    },
    Drawing.LOWER: {"custom.lineWidth": 0},
    Drawing.UPPER: {"custom.lineWidth": 0, "custom.fillOpacity": 25},
}


def limit_steps(limits: Limits | None, unit: str = "") -> db.ThresholdsConfig:
    """Colours by limits; without any, no colour at all: Grafana's own default turns red at 80."""
    return db.ThresholdsConfig().mode(m.ThresholdsMode.ABSOLUTE).steps(_steps(limits, unit))


def _steps(limits: Limits | None, unit: str) -> list[m.Threshold]:
    if unit == RATING:
        return [m.Threshold(value=low or None, color=_LETTER_COLOURS[letter]) for low, _, letter in LETTERS]
    if limits is None:
        return [m.Threshold(value=None, color="text")]
    if limits.falling:
        pairs = ((None, colours.ACT), (limits.act, colours.WATCH), (limits.watch, colours.OK))
    else:
        pairs = ((None, colours.OK), (limits.watch, colours.WATCH), (limits.act, colours.ACT))
    return [m.Threshold(value=value, color=colour) for value, colour in pairs]


def column_properties(column: Column, panel: Panel, words: Words) -> list[m.DynamicConfigValue]:
    """The override of one series or column."""
    return [m.DynamicConfigValue(name, value=value) for name, value in _properties(column, panel, words)]


def _properties(column: Column, panel: Panel, words: Words) -> Iterator[tuple[str, Any]]:
    if column.hidden:
        yield (
            ("custom.hidden" if panel.shape is Shape.TABLE else "custom.hideFrom"),
            (True if panel.shape is Shape.TABLE else {"legend": True, "tooltip": True, "viz": True}),
        )
        return
    yield "displayName", (column.text or words.texts(column.words or f"column.{column.name}")) + column.ending
    if column.unit:
        yield "unit", grafana_unit(column.unit, words.catalogue.site.currency)
    if column.digits is not None:
        yield "decimals", column.digits
    if column.colour:
        yield "color", {"mode": "fixed", "fixedColor": column.colour}
    yield from _DRAWN[column.drawing].items()
    if column.drawing is Drawing.UPPER:
        lower = next(one for one in panel.columns if one.drawing is Drawing.LOWER)
        yield "custom.fillBelowTo", words.texts(lower.words or f"column.{lower.name}")
    yield from _cell(column, words)


def _cell(column: Column, words: Words) -> Iterator[tuple[str, Any]]:
    if column.unit == RATING:
        yield "mappings", [_letter(*band) for band in LETTERS]
    if column.limits or column.unit == RATING:
        steps = _steps(column.limits, column.unit)
        yield "thresholds", {"mode": "absolute", "steps": [step.to_json() for step in steps]}
        yield "color", {"mode": "thresholds"}
        yield "custom.cellOptions", {"type": "gauge", "mode": "basic"} if column.bar else {"type": "color-text"}
    elif column.spark:
        yield "custom.cellOptions", {"type": "sparkline", "hideValue": True}
    elif column.bar:
        yield "custom.cellOptions", {"type": "gauge", "mode": "basic"}
    if column.bar:
        yield "min", 0  # else the least has no bar at all
    yield from _values(column, words)
    if column.width:
        yield "custom.width", column.width


def _values(column: Column, words: Words) -> Iterator[tuple[str, Any]]:
    """Words that stand for the values of a cell, and where a click on it leads."""
    if column.named in STATES:
        yield "mappings", [one.to_json() for one in state_mappings(column.named, words)]
    elif column.named and (known := words.known(column.named)):
        yield "mappings", [_names({one: words.name(column.named, one) for one in known})]
    if column.leads:
        target, _, variable = column.leads.partition("?")
        url = f"/d/{words.uid(target)}?var-{variable}=${{__value.raw}}&${{__url_time_range}}"
        if target == CONSOLE:
            yield "mappings", [_path(words)]
            url = f"${{{CONSOLE}:raw}}${{__value.raw}}"
        yield "links", [{"title": words.texts(f"board.open.{target}"), "url": url}]


def state_mappings(family: str, words: Words) -> list[m.ValueMapping]:
    """Words and colours of codes; a code that nobody knows, and silence, stay grey."""
    known = {
        str(code): m.ValueMappingResult(text=words.texts(text_id), color=colour)
        for text_id, (code, colour) in STATES[family].items()
    }
    return [m.ValueMap(options=known)]


def _path(words: Words) -> dict[str, Any]:
    """Where a cell holds the path of a page, words stand for it."""
    result = {"text": words.texts(f"board.open.{CONSOLE}")}
    return {"type": "regex", "options": {"pattern": "^/.*", "result": result}}


def _names(names: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "value",
        "options": {one: {"text": name, "index": k} for k, (one, name) in enumerate(names.items())},
    }


def _letter(low: float, high: float, letter: str) -> dict[str, Any]:
    result = {"text": letter, "color": _LETTER_COLOURS[letter]}
    return {"type": "range", "options": {"from": low, "to": high, "result": result}}
