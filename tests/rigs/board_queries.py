"""Asks an InfluxDB what panels of dashboards ask: Grafana's macros filled in, a choice made for every variable."""

from __future__ import annotations

from itertools import product

from rigs.boards import estate

STEP = "1h"


def choices_of(board):
    """Every combination of what a reader may choose above a dashboard."""
    lists = {
        one["name"]: [option["value"] for option in one["options"]]
        for one in board["templating"]["list"]
        if one["type"] == "custom"
    }
    chosen = [dict(zip(lists, some, strict=True)) for some in product(*lists.values())]
    return [{**one, "meter": meter} for one in chosen for meter in meters_of(one.get("building"), board)]


def meters_of(building, board):
    """What a query variable of meters would find."""
    if all(one["name"] != "meter" for one in board["templating"]["list"]):
        return ["none"]
    return [meter.id for meter in estate().meters if meter.building == building]


def filled(query, period_ms, choice, step=STEP):
    """The query as Grafana would send it."""
    start, end = period_ms
    query = query.replace("$timeFilter", f"time >= {start}ms AND time < {end}ms").replace("$__interval", step)
    for name, value in choice.items():
        query = query.replace(f"${name}", value)
    assert "$" not in query.replace(")$/", ")/"), query
    return query


def panel_queries(board):
    """Title, kind and text of every query of the panels and marks."""
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["query"]
    for mark in board["annotations"].get("list", ()):
        if "rawQuery" in mark.get("target", {}):
            yield mark["name"], mark["target"]["query"]


def rows_of(wire, query):
    """All rows of an answer, without their tags; an error of the server is raised."""
    return [row for series in wire.ask_json(query) for row in series.values]
