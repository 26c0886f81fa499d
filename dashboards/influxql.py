"""Queries of dashboards: InfluxQL over rollups alone, of one site, within the time that is looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stores.readings.influx.layout import policy_of
from stores.readings.rollups import rollup_called

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TIME = "$timeFilter"
SLUG = re.compile(r"[a-z0-9_-]+")
"""What a tag's value may be: it stands between the quotes and slashes of a query."""

_FROM = re.compile(r'FROM "(\w+)"\."(\w+)"')
_NAME = re.compile(r'"(\w+)"')
_MADE = re.compile(r'(?:AS|as) "(\w+)"')
_GROUP = re.compile(r"GROUP BY ((?:time\([^)]*\)|\"\w+\"|, )+)")
_BUCKET = re.compile(r"time\((1d|1w)\)")
_FIGURES = re.compile(r"\b(sum|mean|last|first|max|min|count|percentile|top|bottom|cumulative_sum|distinct)\(")
_MOST = 500

BELOW = {"meter": ("building", "role"), "device": ("gateway",), "channel": ("meter",)}
"""Tags that have many values, and those of which one must be chosen before they are told apart."""


def source(rollup: str) -> str:
    """A rollup as a query names it: with its policy, for no database has a default one."""
    return f'"{policy_of(rollup)}"."{rollup}"'


def each(function: str, names: Iterable[str]) -> str:
    """The same figure of several fields, each called as its field: ``sum("a") AS "a", sum("b") AS "b"``."""
    return ", ".join(f'{function}("{name}") AS "{name}"' for name in names)


@dataclass(frozen=True, slots=True)
class Extent:
    """The part of an estate that a query is about. Without a word a dimension is not narrowed; ``$…`` is a choice."""

    site: str
    building: str = ""
    utility: str = ""
    meter: str = ""

    def where(self, *more: str) -> str:
        """The condition, the time that is looked at within it."""
        said = [f"\"site\" = '{self.site}'"]
        said += [
            f"\"{tag}\" = '{value}'"
            for tag, value in (("building", self.building), ("utility", self.utility), ("meter", self.meter))
            if value
        ]
        return " AND ".join([*said, *more, TIME])


def problems(query: str) -> Iterator[str]:
    """What is wrong with a query, one sentence each: an unknown name, no bound in time or in series, days not local."""
    named = _FROM.findall(query)
    if not named:
        yield "reads no rollup"
        return
    yield from _unknown_names(query, named)
    if TIME not in query:
        yield f"has no {TIME}"
    if '"site" = \'' not in query:
        yield "names no site"
    if _BUCKET.search(query) and " tz('" not in query:
        yield "makes days without the site's zone"
    if not _FIGURES.search(query) and not re.search(rf" LIMIT \d{{1,{len(str(_MOST)) + 1}}}\b", query):
        yield "asks for rows without a LIMIT"
    yield from _unbounded_series(query)


def _unknown_names(query: str, named: list[tuple[str, str]]) -> Iterator[str]:
    known = set(_MADE.findall(query))
    for policy, rollup in named:
        about = rollup_called(rollup)
        known |= {policy, rollup, *about.tags, *about.fields}
        if policy != policy_of(rollup):
            yield f"{rollup} is kept in {policy_of(rollup)}, not in {policy}"
    for name in dict.fromkeys(_NAME.findall(query)):
        if name not in known:
            yield f"'{name}' is no tag and no field of {', '.join(rollup for _, rollup in named)}"


def _unbounded_series(query: str) -> Iterator[str]:
    groups = {tag for found in _GROUP.findall(query) for tag in _NAME.findall(found)}
    for tag, above in BELOW.items():
        if tag in groups and not re.search(rf"\"({'|'.join(above)})\" = '.", query):
            yield f"tells every {tag} apart without choosing one {' or '.join(above)}"
