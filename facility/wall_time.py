"""A local time that a person wrote, as the instant it stands for; a time that the clocks skip stands for none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from datetime import tzinfo
    from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)


def written_day(where: str, text: str) -> date | None:
    """A written day; None where nothing is written. Raises ``ConfigError`` where that is no day."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ConfigError(Problem(where, f"'{text}' is no day", "such as 2026-03-01")) from None


def written_instant(where: str, text: str, zone: ZoneInfo) -> datetime:
    """The instant of a written day or time, local unless it names its offset; ``where`` is the option it stands in.

    Raises ``ConfigError`` where that is no time, or one that the clocks skip.
    """
    try:
        at = datetime.fromisoformat(text)
        around = skipped_around(at, zone)
        if around is None:
            return instant_of(at, zone)
    except (ValueError, OverflowError):
        example = "such as 2026-03-01, '2026-09-14 10:30' or 2026-09-14T10:30+08:00"
        raise ConfigError(Problem(where, f"'{text}' is no time", example)) from None
    raise ConfigError(Problem(where, *skipped_words(at, around, zone)))


def instant_of(at: datetime, zone: ZoneInfo) -> datetime:
    """UTC of a local wall time, or of a time that names its own offset."""
    return at.replace(tzinfo=at.tzinfo or zone).astimezone(UTC)


def shown_instant(at: datetime, zone: tzinfo) -> str:
    """``2026-09-14 10:30``, on the clocks of a zone; with seconds where it has some, and named where that is UTC.

    Of an hour that the clocks go through twice the offset is said too, so that it can be written again.
    """
    local = at.astimezone(zone)
    text = f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"
    if local.replace(fold=1).utcoffset() != local.replace(fold=0).utcoffset():
        return local.isoformat(" ", "seconds" if local.second else "minutes")
    return f"{text} UTC" if zone is UTC else text


def skipped_around(at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """The last and the first local minute around a time that the clocks skip; None for a time that exists."""
    if at.tzinfo is not None or instant_of(at, zone).astimezone(zone).replace(tzinfo=None) == at.replace(fold=0):
        return None
    late, change = instant_of(at, zone), instant_of(at.replace(fold=1, second=0, microsecond=0), zone)
    while change.astimezone(zone).utcoffset() != late.astimezone(zone).utcoffset():
        change += _MINUTE
    return (change - _MINUTE).astimezone(zone), change.astimezone(zone)


def skipped_words(at: datetime, around: tuple[datetime, datetime], zone: ZoneInfo) -> tuple[str, str]:
    """What to say of a time that the clocks skip, and what is allowed."""
    before, after = (f"{one:%Y-%m-%d %H:%M}" for one in around)
    return f"{at:%Y-%m-%d %H:%M} does not exist in {zone}: the clocks skip it", f"{before} or {after}"
