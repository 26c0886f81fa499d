"""``meterhouse latest``: the newest value of every point, and how old it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from facility.errors import ConfigError, Problem
from meterhouse.settings import Settings
from meterhouse.table import render_table
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.registry import Registry


def latest(
    building: Annotated[str, typer.Option("--building", help="Only this building.")] = "",
) -> None:
    """Print one line per point: building, meter, quantity, value, unit, age."""
    settings = Settings()
    registry = Registry(open_records(settings.records_url))
    estate = registry.load()
    if building and building not in estate.building:
        raise ConfigError(Problem("--building", f"unknown building '{building}'", ", ".join(estate.building)))
    newest = open_readings(settings.store_url, registry).latest()
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    rows = []
    for point in estate.points:
        meter = estate.meter[point.meter]
        if building and meter.building != building:
            continue
        seen = newest.get(point.id)
        value = f"{seen.x:,.6g}" if seen else "–"
        age = format_age(now_ms - seen.t_ms) if seen else "never"
        name = point.quantity.word if point.channel == "total" else f"{point.quantity.word} {point.channel}"
        rows.append((meter.building, meter.id, name, value, point.quantity.unit, age))
    typer.echo(render_table(("building", "meter", "quantity", "value", "unit", "age"), rows, right=(3, 5)))


def format_age(age_ms: float) -> str:
    """``950`` → ``1 s``, ``7_200_000`` → ``2 h``: the largest unit that keeps two digits."""
    seconds = max(age_ms, 0) / 1000
    for limit, unit, length in ((120, "s", 1), (7200, "min", 60), (172_800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"
