"""``meterhouse export readings``: readings of a building as CSV, on record as an export, each row with its level."""

from __future__ import annotations

import csv
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from facility.errors import ConfigError, Problem
from facility.model import Quality
from facility.so_many import so_many
from facility.wall_time import written_instant
from meterhouse.commands.taking import Custodian, Reason, handed_out, wish_of
from meterhouse.output import answer, answers, texts
from meterhouse.settings import Settings
from reports.csv_cell import csv_cell
from stores.access.exports import points_in
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facility.catalogue import Catalogue
    from stores.access.exports import Taken
    from stores.readings.port import ReadingStore, Series

COLUMNS = ("time", "meter", "quantity", "channel", "unit", "value", "quality", "level", "export")
MOST_ROWS = 5_000_000
"""Of one export: who needs more says so more than once."""


@dataclass(frozen=True, slots=True)
class ExportAnswer:
    """A file of readings."""

    file: str
    rows: int
    level: Annotated[str, "the highest of its points"]
    export: Annotated[str, "by which it is found in the audit trail; it stands in every row"]


@answers(ExportAnswer)
def export_readings(
    building: Annotated[str, typer.Option("--building", help="Whose readings.")],
    first: Annotated[str, typer.Option("--from", help="First local day or time, such as 2026-03-01.")],
    last: Annotated[str, typer.Option("--to", help="First local day or time that is left out.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write.")],
    *,
    reason: Reason = "",
    custodian: Custodian = "",
) -> None:
    """Write readings in UTC, as they are stored, into a CSV file."""
    settings = Settings()
    records = open_records(settings.records_url)
    estate = Registry(records).load()
    if building not in estate.building:
        raise ConfigError(Problem("--building", f"unknown building '{building}'", ", ".join(estate.building)))
    zone = ZoneInfo(estate.site.timezone)
    start, end = written_instant("--from", first, zone), written_instant("--to", last, zone)
    if end <= start:
        raise ConfigError(Problem("--to", f"'{last}' is not after --from", "a later day"))
    points = points_in(estate, {building})
    what = f"readings {start.isoformat()} … {end.isoformat()}"
    taken = handed_out(records, estate, what, points, wish_of(reason, custodian), is_export=True)
    assert taken is not None, "it is an export"
    with closing(open_readings(settings.store_url)) as store:
        rows = _write(out, estate, store, points, (_ms(start), _ms(end)), taken)
    whole = ExportAnswer(str(out), rows, taken.level.word, taken.id)
    words = {"file": out, "level": texts()(f"level.{taken.level.word}"), "export": taken.id}
    answer(whole, lambda: texts().counted("cli.export.done", rows, **words))


def _write(
    out: Path, estate: Catalogue, store: ReadingStore, points: Iterable[str], span: tuple[int, int], taken: Taken
) -> int:
    """Whole under its name, or not at all. Raises ``ConfigError``."""
    new, rows = out.with_name(f"{out.name}.part"), 0
    try:
        with new.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(COLUMNS)
            for point in points:
                found = store.read([point], *span)[point]
                rows += len(found.t_ms)
                _check_rows(rows)
                lines.writerows(_rows(estate, point, found, taken))
        new.replace(out)
    except OSError as error:
        raise ConfigError(Problem(str(out), f"cannot be written: {error.strerror}")) from None
    finally:
        new.unlink(missing_ok=True)
    return rows


def _check_rows(rows: int) -> None:
    if rows > MOST_ROWS:
        raise ConfigError(Problem("--to", f"is too late: more than {so_many(MOST_ROWS, 'reading')}", "a shorter time"))


def _rows(estate: Catalogue, point: str, found: Series, taken: Taken) -> Iterable[tuple[object, ...]]:
    one = estate.point[point]
    level = one.level.word if one.level else ""
    named = (csv_cell(one.meter), one.quantity.word, csv_cell(one.channel), one.quantity.unit)
    for t_ms, x, q in zip(found.t_ms.tolist(), found.x.tolist(), found.q.tolist(), strict=True):
        at = datetime.fromtimestamp(t_ms / 1000, UTC).isoformat(timespec="milliseconds")
        yield at, *named, x, Quality(q).name.lower(), level, taken.id


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
