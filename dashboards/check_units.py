"""Whether a panel's figures are in the units in which rollups hold them: the vocabulary decides, not the panel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dashboards.asking import RATES
from dashboards.units import MONEY, grafana_unit
from facility.quantities import BY_WORD, Quantity
from stores.readings.rollup_fields import FieldUnit
from stores.readings.rollups import ROLLUPS

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN = re.compile(r'(?:\b(\w+)\()?"(\w+)"(?:, \d+)?\)? AS "(\w+)"')
"""One figure of one field, under a name; whatever is computed of several has a unit of its own."""

_FROM = re.compile(r'FROM "\w+"\."(\w+)"')
_QUANTITY = re.compile(r"\"quantity\" = '(\w+)'")
_UTILITIES = re.compile(r"\"utility\" (?:=~ /\^\(([\w|]+)\)\$/|= '(\w+)')")
_COUNTS = frozenset({"count", "distinct"})

_ALLOWED: dict[FieldUnit, tuple[str, ...]] = {
    FieldUnit.MONEY: (MONEY,),
    FieldUnit.KILOWATT: ("kW",),
    FieldUnit.INTENSITY: ("kWh/m2",),
    FieldUnit.FLOW: ("L/h",),
    FieldUnit.TEMPERATURE: ("degC",),
    FieldUnit.DEGREE_DAYS: ("K.d",),
    FieldUnit.RATING: ("rating",),
    FieldUnit.SHARE: ("share",),
    FieldUnit.YES: ("count",),
    FieldUnit.NUMBER: ("count", "share"),
    FieldUnit.SECONDS: ("s",),
    FieldUnit.PER_MINUTE: ("1/min",),
    FieldUnit.PERCENT: ("%",),
    FieldUnit.SIGNAL: ("dBm",),
}
"""Unit of a field → our words for what a panel may say of it."""


def unit_problems(panel: dict[str, Any], currency: str) -> Iterator[str]:
    """Figures whose panel says another unit than their field has, or none."""
    default = panel["fieldConfig"]["defaults"].get("unit", "")
    named = {one["matcher"]["options"]: _properties(one) for one in panel["fieldConfig"]["overrides"]}
    for target in panel.get("targets", ()):
        for name, allowed in _figures(target["query"]):
            series = _series(target, name)
            shown = [said for key, said in named.items() if series.fullmatch(key)] or [{}]
            if allowed is None or any(said.get("custom.hidden") or "mappings" in said for said in shown):
                continue
            for unit in {said.get("unit", default) for said in shown}:
                if unit not in {grafana_unit(word, currency) for word in allowed}:
                    yield f"'{name}' is shown in '{unit or 'no unit'}', and is in {' or '.join(allowed)}"


def _series(target: dict[str, Any], name: str) -> re.Pattern[str]:
    """How the series of a figure are called: by its name, or as the query's alias says."""
    alias = re.escape(target.get("alias") or "$col").replace(r"\$col", re.escape(name))
    return re.compile(re.sub(r"\\\$tag_\w+", ".+", alias))


def _figures(query: str) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    """Names that a query gives to figures of single fields, with the units they may have."""
    rollup = _FROM.findall(query)[-1]
    if rollup not in ROLLUPS or query.count("SELECT") > 1:
        return
    fields = ROLLUPS[rollup].said
    head = query.partition(" FROM ")[0].removeprefix("SELECT ")
    for part in re.split(r", (?![^(]*\))", head):
        found = _PLAIN.fullmatch(part)
        if found and found[2] in fields:
            yield found[3], _units(rollup, fields[found[2]].unit, found[1] or "", query)


def _units(rollup: str, unit: FieldUnit, how: str, query: str) -> tuple[str, ...] | None:
    """None where the unit says nothing a panel must repeat: texts, codes, stamps."""
    if how in _COUNTS:
        return ("count",)
    if unit is FieldUnit.READING:
        asked = _QUANTITY.search(query)
        return (BY_WORD[asked[1]].unit,) if asked and asked[1] in BY_WORD else None
    if unit in {FieldUnit.USE, FieldUnit.LIMITED}:
        return _of_use(rollup, how, query)
    return _ALLOWED.get(unit)


def _of_use(rollup: str, how: str, query: str) -> tuple[str, ...] | None:
    """Use summed is in the utility's unit; a mean, a peak or a single one of hours is a load."""
    some = {utility for found in _UTILITIES.findall(query) for one in found for utility in one.split("|") if one}
    units = tuple(dict.fromkeys(q.utility.unit for q in Quantity if q.utility and (q.utility in some or not some)))
    if rollup == "profile_day":
        return None  # one picture for kWh and m³: its title says so
    return tuple(RATES[unit] for unit in units) if rollup.endswith("_1h") and how != "sum" else (*units, "1")


def _properties(override: dict[str, Any]) -> dict[str, Any]:
    return {one["id"]: one["value"] for one in override["properties"]}
