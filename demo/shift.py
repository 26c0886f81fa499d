"""Which recorded day is shown as today: a shift of local wall time by whole weeks, frozen at the first start."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np

from demo.recording import HOUR_MS
from facility.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ZONE = ZoneInfo("Europe/London")
FIRST_DAY_SHOWN = date(2022, 11, 28)  # a Monday; today becomes the same weekday of the week that begins here
LAST_RECORDED_DAY = date(2022, 12, 31)
DAY_MS = 24 * HOUR_MS
FILE = "demo.json"
OffsetOf: TypeAlias = Callable[[datetime], timedelta | None]


@dataclass(frozen=True, slots=True)
class Shift:
    """Recorded local time plus ``days`` is the local time shown. ``seed`` makes the synthetic points."""

    days: int
    as_of: date
    seed: int = 1

    def wall_ms(self, t_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Recorded wall time (milliseconds as if it were UTC) of UTC instants (n,)."""
        return t_ms + _offset_ms(t_ms, _offset_of_instant) - self.days * DAY_MS

    def to_recorded(self, t_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Recorded UTC instants of UTC instants (n,), hour by hour never backwards, whatever both clocks do.

        An hour that the recorded spring lacks shows the hour after it; an hour that comes twice in the shown
        autumn shows the same recorded hour twice; an hour that only the recording has twice is shown once.
        """
        wall = self.wall_ms(t_ms)
        again = self.wall_ms(t_ms - HOUR_MS) == wall
        first = wall - _offset_ms(wall, _offset_of_wall)
        second = wall - _offset_ms(wall, _offset_of_second_wall)
        return np.where(again, second, first)

    def shown(self, recorded_local: datetime) -> datetime:
        """The UTC instant at which a recorded local time (without zone) is shown."""
        return (recorded_local + timedelta(days=self.days)).replace(tzinfo=ZONE).astimezone(UTC)

    def shown_day(self, recorded: date) -> date:
        """The local day on which a recorded local day is shown."""
        return recorded + timedelta(days=self.days)

    @property
    def last_day(self) -> date:
        """The last local day for which there is recorded data."""
        return self.shown_day(LAST_RECORDED_DAY)

    def check(self, now: datetime) -> None:
        """Raise ``ConfigError`` when there is no recorded data for ``now``."""
        today = now.astimezone(ZONE).date()
        if not self.shown_day(date(2022, 11, 1)) <= today <= self.last_day:
            raise ConfigError(
                f"the demo was set to {self.as_of} and cannot show {today}: its data ends on {self.last_day};"
                " start it in a new folder to shift it to the new date"
            )


def choose_shift(as_of: date, seed: int = 1) -> Shift:
    """The shift by whole weeks that makes ``as_of`` the same weekday of 28 November to 4 December 2022."""
    recorded = FIRST_DAY_SHOWN + timedelta(days=as_of.weekday())
    return Shift((as_of - recorded).days, as_of, seed)


def open_shift(folder: Path, now: datetime, as_of: date | None = None) -> Shift:
    """The shift frozen in ``folder``, or, at first start, the one for ``as_of`` (by default today), then frozen.

    Raises ``ConfigError`` when the folder holds another day than asked for, cannot be written, or has run out.
    """
    file = folder / FILE
    if file.exists():
        shift = read_shift(folder)
        if as_of is not None and as_of != shift.as_of:
            raise ConfigError(f"{file} was started as of {shift.as_of}; use a new folder for {as_of}")
    else:
        shift = choose_shift(as_of or now.astimezone(ZONE).date())
        _freeze(file, shift)
    shift.check(now)
    return shift


def read_shift(folder: Path) -> Shift:
    """The shift frozen in ``folder``. Raises ``ConfigError`` if there is none or it is damaged."""
    file = folder / FILE
    try:
        frozen = json.loads(file.read_text(encoding="utf-8"))
        return Shift(int(frozen["shift_days"]), date.fromisoformat(frozen["as_of"]), int(frozen["seed"]))
    except FileNotFoundError:
        raise ConfigError(f"{file} is missing; 'meterhouse demo' writes it at its first start") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{file} is damaged ({error}); delete it to choose the date again") from None


def _freeze(file: Path, shift: Shift) -> None:
    frozen = asdict(shift)
    text = json.dumps({"shift_days": frozen["days"], "as_of": shift.as_of.isoformat(), "seed": shift.seed})
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from None


def _offset_ms(t_ms: NDArray[np.int64], offset: OffsetOf) -> NDArray[np.int64]:
    """Offsets of the zone, asked once a day, and once an hour on the days on which clocks change (on whole hours)."""
    days, where = np.unique(t_ms // DAY_MS, return_inverse=True)
    at_start, at_end = _offsets(days * DAY_MS, offset), _offsets((days + 1) * DAY_MS, offset)
    column = at_start[where].reshape(t_ms.shape)
    changing = (at_start != at_end)[where].reshape(t_ms.shape)
    if changing.any():
        hours, where = np.unique(t_ms[changing] // HOUR_MS, return_inverse=True)
        column[changing] = _offsets(hours * HOUR_MS, offset)[where]
    return column


def _offsets(t_ms: NDArray[np.int64], offset: OffsetOf) -> NDArray[np.int64]:
    each = [offset(datetime.fromtimestamp(one / 1000, UTC)) or timedelta() for one in t_ms.tolist()]
    return np.array([round(one.total_seconds() * 1000) for one in each], dtype=np.int64)


def _offset_of_instant(instant: datetime) -> timedelta | None:
    return instant.astimezone(ZONE).utcoffset()


def _offset_of_wall(wall: datetime) -> timedelta | None:
    return wall.replace(tzinfo=ZONE).utcoffset()


def _offset_of_second_wall(wall: datetime) -> timedelta | None:
    return wall.replace(tzinfo=ZONE, fold=1).utcoffset()
