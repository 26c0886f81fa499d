"""Holds the reads of a ledger against the readings themselves, before anything of it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounting.ledger import stretches_of
from facility.errors import ConfigError
from facility.ledger import BEGINNING

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.ledger import Installation
    from facility.model import Meter
    from stores.readings.port import ReadingStore

_SLACK = 0.01
"""What a person and an agent may differ by in the last digit that a face shows."""

_LAST_TENTH = 0.9


def check_reads(store: ReadingStore, estate: Catalogue, meter: Meter, history: tuple[Installation, ...]) -> None:
    """Raise ``ConfigError`` where a closing read lies below what the old device had already said.

    Opening reads are held against the first reading of the new device. Reads belong to the accounted counter.
    """
    point = estate.accounted_point(meter)
    if point is None:
        raise ConfigError(f"{meter.id}: is no meter of a utility; it has no register to read")
    stretches = stretches_of(meter, point, history)
    for k, one in enumerate(history):
        if one.since == BEGINNING or one.continues:
            continue
        t_ms = round(one.since.timestamp() * 1000)
        last = store.read_before([point.id], t_ms - 1).get(point.id) if k else None
        if last and one.closing is not None:
            _check_closing(meter, one.closing, last.x / stretches[k - 1].told, stretches[k - 1].span)
        end = round(history[k + 1].since.timestamp() * 1000) if k + 1 < len(history) else 2**62
        newest = store.read_before([point.id], end - 1).get(point.id)
        if newest and newest.t_ms > t_ms and one.opening is not None and one.span is None:
            shown = newest.x / stretches[k].told
            if shown < one.opening - _SLACK:
                raise ConfigError(
                    f"{meter.id}: opening read {one.opening:g} is above what the new register shows since ({shown:g})"
                )


def _check_closing(meter: Meter, closing: float, shown: float, span: float | None) -> None:
    rolled = span is not None and shown > _LAST_TENTH * span
    if closing < shown - _SLACK and not rolled:
        raise ConfigError(
            f"{meter.id}: closing read {closing:g} is below what the old register had shown before"
            f" ({shown:g}); is it the read of another meter, or another time?"
        )
