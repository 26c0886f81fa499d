"""What a panel's queries found, as Grafana's InfluxDB source makes fields of it, with what the panel says of each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from dashboards.choices import chosen_in
from rigs.board_queries import filled
from rigs.board_times import step_of


@dataclass
class Field:
    """A column of an answer: of a series with its times, of a table without."""

    name: str
    values: list[Any]
    t_ms: list[int] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What it is called."""
        return self.about.get("displayName") or self.name

    def said(self, key, otherwise=None):
        """What the panel says of it: ``unit``, ``custom.lineWidth``."""
        return self.about.get(key, otherwise)


@dataclass
class Answer:
    """A panel with what was found: series, and the columns of a table."""

    panel: dict[str, Any]
    period: tuple[int, int]
    series: list[Field]
    columns: list[Field]


def about(panel, name) -> dict[str, Any]:
    """Defaults of a panel's fields, and what it says of one by name."""
    defaults = panel["fieldConfig"]["defaults"]
    said = {key: value for key, value in defaults.items() if key != "custom"}
    said |= {f"custom.{key}": value for key, value in defaults.get("custom", {}).items()}
    for override in panel["fieldConfig"]["overrides"]:
        how, what = override["matcher"]["id"], override["matcher"]["options"]
        if (how == "byName" and what == name) or (how == "byRegexp" and re.fullmatch(f"{what}", name)):
            said |= {one["id"]: one["value"] for one in override["properties"]}
    return said


def ask(wire, panel, period, choice) -> Answer:
    """Ask every query of a panel."""
    series, tables = [], []
    for target in panel.get("targets", ()):
        query = filled(chosen_in(target["query"], choice), period, {}, step_of(panel, period))
        found = wire.ask_json(query)
        if target["resultFormat"] == "table":
            tables.append(_table(found))
        else:
            series += [one for answer in found for one in _series(answer, target["alias"])]
    for one in series:
        one.about = about(panel, one.name)
    columns = _transformed(panel, tables, series)
    for one in columns:
        one.about = about(panel, one.name)
    return Answer(panel, period, series, columns)


def _series(answer, alias):
    for k, column in enumerate(answer.columns[1:], 1):
        name = alias.replace("$col", column)
        for tag, value in answer.tags.items():
            name = name.replace(f"$tag_{tag}", value)
        t_ms = [row[0] // 1_000_000 for row in answer.values]
        yield Field(name, [row[k] for row in answer.values], t_ms, dict(answer.tags))


def _table(found) -> dict[str, list[Any]]:
    """All series of an answer below each other, their tags as columns."""
    columns: dict[str, list[Any]] = {}
    for answer in found:
        rows = len(answer.values)
        columns.setdefault("Time", []).extend(row[0] // 1_000_000 for row in answer.values)
        for tag, value in answer.tags.items():
            columns.setdefault(tag, []).extend([value] * rows)
        for k, name in enumerate(answer.columns[1:], 1):
            columns.setdefault(name, []).extend(row[k] for row in answer.values)
    return columns


def _transformed(panel, tables, series) -> list[Field]:
    """The columns that a table shows: joined, ordered, or a line a row."""
    kinds = {one["id"]: one["options"] for one in panel.get("transformations", ())}
    if "timeSeriesTable" in kinds:
        tags = sorted({tag for one in series for tag in one.tags})
        tagged = [Field(tag, [one.tags[tag] for one in series]) for tag in tags]
        return [*tagged, Field("Trend #A", list(series))]
    if "joinByField" in kinds:
        return _joined(tables, kinds["joinByField"]["byField"])
    return [Field(name, values) for table in tables for name, values in table.items()]


def _joined(tables, by) -> list[Field]:
    keys = sorted({key for table in tables for key in table.get(by, ())})
    fields = [Field(by, keys)]
    for table in tables:
        place = {key: k for k, key in enumerate(table.get(by, ()))}
        for name, values in table.items():
            if name != by:
                fields.append(Field(name, [values[place[key]] if key in place else None for key in keys]))
    return fields
