"""The readings of a data folder, to look at: nothing is made, and nothing brought up to date, by looking."""

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from facility.errors import StoreUnavailable
from facility.read_by_hand import HandRead, points_by_hand, reads_by_hand
from stores.readings import open_readings, place_of
from stores.records.database import NEWEST, look_at_records, present_schema
from stores.records.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stores.readings.port import ReadingStore


@contextmanager
def readings_to_look_at(records_url: str, store_url: str) -> Iterator[ReadingStore]:
    """The store. Raises ``StoreUnavailable`` where there is none, or one of an earlier Meterhouse."""
    place = place_of(store_url)
    if place.startswith("/") and not Path(place).exists():
        raise StoreUnavailable(f"{place} does not exist")
    engine = look_at_records(records_url)
    try:
        if present_schema(engine) != NEWEST:
            raise StoreUnavailable("the data folder is of an earlier Meterhouse: start the server first")
    finally:
        engine.dispose()
    with closing(open_readings(store_url)) as opened:
        yield opened


def look_at_reads_by_hand(records_url: str, store_url: str) -> list[HandRead]:
    """How the meters that people read stand. Raises ``ConfigError`` and ``StoreUnavailable`` where nobody can tell."""
    engine = look_at_records(records_url)
    try:
        estate = Registry(engine).load()
    finally:
        engine.dispose()
    points = [point.id for _, point in points_by_hand(estate)]
    if not points:
        return []
    with readings_to_look_at(records_url, store_url) as store:
        return reads_by_hand(estate, store.latest(points))
