"""``meterhouse latest``: the newest value of every point, and how old it is."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from facility.errors import ConfigError, Problem
from facility.quantities import Kind
from meterhouse.settings import Settings
from meterhouse.table import render_table
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.registry import Registry

if TYPE_CHECKING:
    from facility.quantities import Quantity


def latest(
    building: Annotated[str, typer.Option("--building", help="Only this building.")] = "",
) -> None:
    """Print one line per point: building, meter, quantity, value, unit, age."""
    settings = Settings()
    estate = Registry(open_records(settings.records_url)).load()
    if building and building not in estate.building:
        raise ConfigError(Problem("--building", f"unknown building '{building}'", ", ".join(estate.building)))
    newest = open_readings(settings.store_url).latest()
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    rows = []
    for point in estate.points:
        meter = estate.meter[point.meter]
        if building and meter.building != building:
            continue
        seen = newest.get(point.id)
        value = format_value(point.quantity, seen.x) if seen else "–"
        age = format_age(now_ms - seen.t_ms) if seen else "never"
        name = point.quantity.word if point.channel == "total" else f"{point.quantity.word} {point.channel}"
        unit = "" if point.quantity.unit == "1" else point.quantity.unit
        rows.append((meter.building, meter.id, name, value, unit, age))
    typer.echo(render_table(("building", "meter", "quantity", "value", "unit", "age"), rows, right=(3, 5)))


def format_value(quantity: Quantity, x: float) -> str:
    """States as ``yes`` or ``no``, counters to two digits after the point, the rest to six figures; never ``1e+06``."""
    if quantity.kind is Kind.STATE:
        return "yes" if x else "no"
    digits = 2 if quantity.is_counter else max(0, 5 - math.floor(math.log10(max(abs(x), 1))))
    text = f"{x:,.{digits}f}"
    return text if quantity.is_counter or "." not in text else text.rstrip("0").rstrip(".")


def format_age(age_ms: float) -> str:
    """``950`` → ``1 s``, ``7_200_000`` → ``2 h``: the largest unit that keeps two digits."""
    seconds = max(age_ms, 0) / 1000
    for limit, unit, length in ((120, "s", 1), (7200, "min", 60), (172_800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"
