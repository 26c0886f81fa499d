"""Holds the reads of a ledger against the readings themselves, before anything of it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounting.ledger import stretches_of
from accounting.local_time import HOUR_MS, MINUTE_MS
from facility.errors import ConfigError
from facility.ledger.installation import BEGINNING
from facility.register import most_per_hour
from stores.readings.neighbours import next_reading_ms

if TYPE_CHECKING:
    from accounting.ledger import Stretch
    from facility.catalogue import Catalogue
    from facility.ledger.installation import Installation
    from facility.model import Meter, Point
    from stores.readings.port import ReadingStore

_SLACK = 0.01
"""What a person and an agent may differ by in the last digit that a face shows."""

_WATCH_MS = 15 * MINUTE_MS
"""What the watch of the person who read the face may differ by from the agent's clock."""


def check_reads(store: ReadingStore, estate: Catalogue, meter: Meter, history: tuple[Installation, ...]) -> None:
    """Raise ``ConfigError`` where a read is not what the register can have shown between its nearest readings.

    A closing read is held against the last reading of the old device, an opening read against the first of the new
    one, each with what the feeder can deliver in between. Reads belong to the accounted counter.
    """
    point = estate.accounted_point(meter)
    if point is None:
        raise ConfigError(f"{meter.id}: is no meter of a utility; it has no register to read")
    stretches = stretches_of(meter, point, history)
    for k, one in enumerate(history):
        if one.since == BEGINNING or one.continues:
            continue
        if k and one.closing is not None:
            _check_closing(store, meter, point, stretches, k)
        if one.opening is not None:
            _check_opening(store, meter, point, stretches, k)


def _check_closing(store: ReadingStore, meter: Meter, point: Point, stretches: tuple[Stretch, ...], k: int) -> None:
    at_ms, closing = stretches[k].since_ms, stretches[k].closing or 0.0
    last = store.read_before([point.id], at_ms - 1).get(point.id)
    installed = max(i for i in range(k) if i == 0 or not stretches[i].continues)
    if last is None or last.t_ms < stretches[installed].since_ms:
        return
    device = _in_force(stretches, last.t_ms)
    shown, most = last.x / device.told, _most(meter, point, device, at_ms - last.t_ms)
    if (fault := _fault(shown, closing, most, device.span)) == "below":
        raise ConfigError(
            f"{meter.id}: closing read {closing:.10g} is below what the old register had shown before"
            f" ({shown:.10g}); is it the read of another meter, or another time?"
        )
    if fault:
        raise ConfigError(
            f"{meter.id}: closing read {closing:.10g} is above what the old register can have reached: it had shown"
            f" {shown:.10g}, and its feeder can deliver {most:.10g} up to then (most_per_hour)"
        )


def _check_opening(store: ReadingStore, meter: Meter, point: Point, stretches: tuple[Stretch, ...], k: int) -> None:
    at_ms, opening = stretches[k].since_ms, stretches[k].opening or 0.0
    first_ms = next_reading_ms(store, point.id, at_ms, near_ms=HOUR_MS)
    removed_ms = next((one.since_ms for one in stretches[k + 1 :] if not one.continues), None)
    if first_ms is None or (removed_ms is not None and first_ms >= removed_ms):
        return
    device = _in_force(stretches, first_ms)
    shown = float(store.read([point.id], first_ms, first_ms + 1)[point.id].x[0]) / device.told
    most = _most(meter, point, device, first_ms - at_ms)
    if fault := _fault(opening, shown, most, device.span):
        where = "above" if fault == "below" else "too far below"
        raise ConfigError(
            f"{meter.id}: opening read {opening:.10g} is {where} what the new"
            f" register first showed ({shown:.10g}); is it the read of another meter, or another time?"
        )


def _in_force(stretches: tuple[Stretch, ...], t_ms: int) -> Stretch:
    return max((one for one in stretches if one.since_ms <= t_ms), key=lambda one: one.since_ms, default=stretches[0])


def _most(meter: Meter, point: Point, device: Stretch, for_ms: int) -> float:
    """What the feeder can add to the face in a time, and in the quarter-hour that a watch may be wrong by."""
    return most_per_hour(meter, point.quantity) / device.true * (for_ms + _WATCH_MS) / HOUR_MS


def _fault(early: float, late: float, most: float, span: float | None) -> str:
    """Whether a register cannot have come from one face to a later one: ``below``, ``above``, or nothing."""
    grown = late - early
    if grown < -_SLACK:
        rolled = span is not None and grown + span <= most
        return "" if rolled else "below"
    return "above" if grown > most + _SLACK else ""
