"""What the commands of the store answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wording.texts import Texts


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """A store that is in order."""

    kind: Annotated[str, "`file` or `influxdb`"]
    place: Annotated[str, "path, or host and database"]
    series: Annotated[int, "that the registry makes"]
    series_budget: int
    series_in_server: Annotated[int | None, "where an InfluxDB tells it"] = None
    points: Annotated[int | None, "points with readings, in a file"] = None
    spoilt: Annotated[int | None, "rows of a file that the disk has changed; else the exit code is 1"] = None
    readings: Annotated[int | None, "in an InfluxDB"] = None
    confirmed: Annotated[int | None, "readings an InfluxDB has confirmed to ingest; null: nobody says"] = None
    site: Annotated[str | None, "whose readings an InfluxDB keeps"] = None
    schema: Annotated[int | None, "of an InfluxDB's layout"] = None
    kept_days: Annotated[dict[str, int] | None, "by policy of an InfluxDB; 0 is for ever"] = None
    ingest_elsewhere: Annotated[str | None, "another store, where ingest stored last"] = None


@dataclass(frozen=True, slots=True)
class MoveAnswer:
    """What was copied from one store to the other, and what both hold in the end."""

    readings_copied: int
    rows_copied: Annotated[int, "of rollups"]
    readings: Annotated[int, "in both"]
    sum: Annotated[float, "of all readings, in both"]
    differences: Annotated[list[str], "none where the two hold the same; else the exit code is 1"]


def facts_of(t: Texts, store: StoreAnswer) -> Iterator[tuple[str, str]]:
    """A store in words."""
    yield t("cli.store.store"), t("cli.store.file", place=store.place) if store.kind == "file" else store.place
    if store.site is not None:
        yield t("cli.store.site"), store.site
    if store.schema is not None:
        yield t("cli.store.schema"), str(store.schema)
    if store.kept_days is not None:
        kept = (f"{name} {_span(t, days)}" for name, days in store.kept_days.items())
        yield t("cli.store.kept"), t("cli.between").join(kept)
    if store.points is not None:
        yield t("cli.store.points"), f"{store.points:,}"
    if store.readings is not None:
        yield t("cli.store.readings"), f"{store.readings:,}"
        is_known = store.confirmed is not None
        yield t("cli.store.confirmed"), f"{store.confirmed:,}" if is_known else t("cli.store.confirmed.unknown")
    if store.ingest_elsewhere:
        yield t("cli.store.ingest"), t("cli.store.elsewhere", place=store.ingest_elsewhere)
    used = t("cli.store.of_budget", series=f"{store.series:,}", budget=f"{store.series_budget:,}")
    yield t("cli.store.series"), used
    if store.series_in_server is not None:
        yield t("cli.store.series_in_server"), f"{store.series_in_server:,}"


def move_facts(t: Texts, move: MoveAnswer) -> Iterator[tuple[str, str]]:
    """A move in words."""
    yield t("cli.move.readings_copied"), f"{move.readings_copied:,}"
    yield t("cli.move.rows_copied"), f"{move.rows_copied:,}"
    yield t("cli.move.readings"), f"{move.readings:,}"
    yield t("cli.move.sum"), repr(move.sum)


def _span(t: Texts, days: int) -> str:
    return t.counted("cli.store.days", days) if days else t("cli.store.for_ever")
