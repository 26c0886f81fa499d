"""``meterhouse latest``: the newest value of every point, and how old it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from facility.errors import ConfigError, Problem
from meterhouse.commands.taking import handed_out, wish_of
from meterhouse.output import answer, answers, table, texts
from meterhouse.settings import Settings
from meterhouse.values import shown_value
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.registry import Registry
from wording.ages import age
from wording.names import point_name
from wording.texts import ABSENT
from wording.units import unit_sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from facility.catalogue import Catalogue
    from facility.model import Point
    from stores.readings.port import Latest

COLUMNS = (
    "cli.column.building",
    "cli.column.meter",
    "cli.column.quantity",
    "cli.column.value",
    "cli.column.unit",
    "cli.column.age",
)


@dataclass(frozen=True, slots=True)
class PointNow:
    """A point and its newest reading."""

    building: Annotated[str, "its id"]
    meter: Annotated[str, "its id"]
    point: Annotated[str, "id of the series"]
    quantity: Annotated[str, "a word of the glossary"]
    channel: Annotated[str, "which of several like quantities: `total`, `l1`, `door`"]
    unit: Annotated[str, "the quantity's own; `1` where it has none"]
    value: Annotated[float | None, "of a state 0 or 1"]
    at: Annotated[datetime | None, "when it was measured"]


@dataclass(frozen=True, slots=True)
class PointsNow:
    """The newest reading of every point."""

    points: list[PointNow]


@answers(PointsNow)
def latest(
    building: Annotated[str, typer.Option("--building", help="Only this building.")] = "",
) -> None:
    """Print one line per point: building, meter, quantity, value, unit, age."""
    settings = Settings()
    records = open_records(settings.records_url)
    registry = Registry(records)
    estate = registry.load()
    if building and building not in estate.building:
        raise ConfigError(Problem("--building", f"unknown building '{building}'", ", ".join(estate.building)))
    newest = open_readings(settings.store_url, registry).latest()
    points = [one for one in estate.points if not building or estate.meter[one.meter].building == building]
    handed_out(records, estate, "live values", [one.id for one in points], wish_of(), is_export=False)
    answer(PointsNow([_now(one, estate, newest) for one in points]), lambda: _table(points, estate, newest))


def _now(point: Point, estate: Catalogue, newest: Mapping[str, Latest]) -> PointNow:
    seen = newest.get(point.id)
    return PointNow(
        building=estate.meter[point.meter].building,
        meter=point.meter,
        point=point.id,
        quantity=point.quantity.word,
        channel=point.channel,
        unit=point.quantity.unit,
        value=seen.x if seen else None,
        at=datetime.fromtimestamp(seen.t_ms / 1000, UTC) if seen else None,
    )


def _table(points: list[Point], estate: Catalogue, newest: Mapping[str, Latest]) -> str:
    if not points:
        return texts()("cli.latest.none")
    return table(COLUMNS, _rows(points, estate, newest), right=(3, 5))


def _rows(points: list[Point], estate: Catalogue, newest: Mapping[str, Latest]) -> Iterator[tuple[str, ...]]:
    t, now_ms = texts(), datetime.now(UTC).timestamp() * 1000
    for point in points:
        seen = newest.get(point.id)
        value = shown_value(point.quantity, seen.x) if seen else ABSENT
        old = age(t, now_ms - seen.t_ms) if seen else t("age.never")
        building = estate.meter[point.meter].building
        yield building, point.meter, point_name(t, point), value, unit_sign(point.quantity.unit), old
