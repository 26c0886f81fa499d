"""A dashboard before any language: what it asks, how that is drawn, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH = 24
"""Columns of Grafana's grid."""


@unique
class Shape(StrEnum):
    """The few kinds of panels that we allow ourselves, by Grafana's words."""

    STAT = "stat"
    LINES = "timeseries"
    TABLE = "table"
    CARPET = "heatmap"
    STATES = "state-timeline"
    DAYS = "status-history"
    CLOUD = "xychart"
    CURVE = "trend"
    WORDS = "text"


@unique
class Drawing(StrEnum):
    """How one series is drawn in a panel of lines."""

    LINE = "line"
    DASHED = "dashed"
    BARS = "bars"
    STACK = "stack"
    LOWER = "lower"  # the lower edge of a band
    UPPER = "upper"  # its upper edge, filled down to the lower one


@dataclass(frozen=True, slots=True)
class Question:
    """One query. A table keeps its tags as columns; ``alias`` names a series of any other."""

    query: str
    is_table: bool = False
    alias: str = "$col"


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a figure is to be watched and acted on; ``falling``: below."""

    watch: float
    act: float
    falling: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A series or a column of an answer, by its name there.

    ``words`` is the id of what it is called (``column.<name>``, unless said); ``text`` is what it is called in every
    language. ``named``: its values are ids of buildings or meters, or words of a family of texts (``named="enduse"``).
    ``leads`` is the dashboard that a cell of it opens; ``spark`` draws a small line in each cell.
    """

    name: str
    unit: str = ""
    words: str = ""
    text: str = ""
    colour: str = ""
    drawing: Drawing = Drawing.LINE
    digits: int | None = None
    limits: Limits | None = None
    named: str = ""
    leads: str = ""
    width: int = 0
    bar: bool = False
    spark: bool = False
    hidden: bool = False
    ending: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. Its key is its identity for ever: links and marks of people lead to it.

    ``step`` is how far apart figures of its rollup are; ``extra`` are options of its shape that are said nowhere else.
    ``within`` looks at a time of its own (``15m``: the last quarter of an hour), ``shifted`` at one so much earlier.
    """

    key: str
    shape: Shape
    size: tuple[int, int]
    questions: tuple[Question, ...] = ()
    columns: tuple[Column, ...] = ()
    unit: str = ""
    digits: int | None = None
    limits: Limits | None = None
    step: str = "1h"
    stacked: bool = False
    most: int = 300
    transformations: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    states: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    sort: tuple[str, bool] | None = None
    fill: Mapping[str, str] = field(default_factory=dict)
    shows_time: bool = False
    within: str = ""
    shifted: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reader chooses above the panels: ids by the family of their names, or a query for what has no names."""

    name: str
    values: tuple[str, ...] = ()
    family: str = ""
    query: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One dashboard: rows of panels, each row as tall as its panels."""

    key: str
    rows: tuple[tuple[Panel, ...], ...]
    choices: tuple[Choice, ...] = ()
    start: str = "now-7d"
    end: str = "now"
    refresh: str = ""
    title: Mapping[str, str] = field(default_factory=dict)
    events: str = ""
    is_hidden: bool = False
    is_plain: bool = False

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All of them, in reading order."""
        return tuple(panel for row in self.rows for panel in row)
