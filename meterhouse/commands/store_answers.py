"""What the commands of the store answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wording.texts import Texts


@dataclass(frozen=True, slots=True)
class ToldStore:
    """A store that is in order."""

    kind: Annotated[str, "`file` or `influxdb`"]
    place: Annotated[str, "path, or host and database"]
    series: Annotated[int, "that the registry makes"]
    series_budget: int
    series_in_server: Annotated[int | None, "where an InfluxDB tells it"] = None
    points: Annotated[int | None, "points with readings, in a file"] = None
    readings: Annotated[int | None, "in an InfluxDB"] = None
    confirmed: Annotated[int | None, "readings that an InfluxDB has confirmed to ingest"] = None
    site: Annotated[str | None, "whose readings an InfluxDB keeps"] = None
    schema: Annotated[int | None, "of an InfluxDB's layout"] = None
    kept_days: Annotated[dict[str, int] | None, "by policy of an InfluxDB; 0 is for ever"] = None
    ingest_elsewhere: Annotated[str | None, "another store, where ingest stored last"] = None


@dataclass(frozen=True, slots=True)
class ToldMove:
    """What was copied from one store to the other, and what both hold in the end."""

    readings_copied: int
    rows_copied: Annotated[int, "of rollups"]
    readings: Annotated[int, "in both"]
    sum: Annotated[float, "of all readings, in both"]
    differences: Annotated[list[str], "none where the two hold the same; else the exit code is 1"]


def facts_of(t: Texts, told: ToldStore) -> Iterator[tuple[str, str]]:
    """A store in words."""
    yield t("cli.store.store"), t("cli.store.file", place=told.place) if told.kind == "file" else told.place
    if told.site is not None:
        yield t("cli.store.site"), told.site
    if told.schema is not None:
        yield t("cli.store.schema"), str(told.schema)
    if told.kept_days is not None:
        kept = (f"{name} {_span(t, days)}" for name, days in told.kept_days.items())
        yield t("cli.store.kept"), t("cli.between").join(kept)
    if told.points is not None:
        yield t("cli.store.points"), f"{told.points:,}"
    if told.readings is not None:
        yield t("cli.store.readings"), f"{told.readings:,}"
    if told.ingest_elsewhere:
        yield t("cli.store.ingest"), t("cli.store.elsewhere", place=told.ingest_elsewhere)
    used = t("cli.store.of_budget", series=f"{told.series:,}", budget=f"{told.series_budget:,}")
    yield t("cli.store.series"), used
    if told.series_in_server is not None:
        yield t("cli.store.series_in_server"), f"{told.series_in_server:,}"


def move_facts(t: Texts, told: ToldMove) -> Iterator[tuple[str, str]]:
    """A move in words."""
    yield t("cli.move.readings_copied"), f"{told.readings_copied:,}"
    yield t("cli.move.rows_copied"), f"{told.rows_copied:,}"
    yield t("cli.move.readings"), f"{told.readings:,}"
    yield t("cli.move.sum"), repr(told.sum)


def _span(t: Texts, days: int) -> str:
    return t.counted("cli.store.days", days) if days else t("cli.store.for_ever")
