"""When a letter leaves, and when it is tried again: rules over time alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from facility.errors import Rejected
from stores.records.letters.letter import Haste

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

BUNDLED_FOR = timedelta(minutes=2)
"""What is found within this goes into one letter."""

STORM = timedelta(hours=1)
CALM = timedelta(minutes=10)
"""From the third letter of a ``STORM`` on about one agent's meters: one in ten minutes, with all that is new."""

TOO_OLD = timedelta(hours=24)
"""A step that was so long ago when it is read is told at once to nobody."""

GIVEN_UP_AFTER = timedelta(hours=48)
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=10), timedelta(minutes=15)

_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def quiet_hours(text: str) -> tuple[time, time] | None:
    """First quiet minute and first one after, local. Raises ``Rejected`` for what is none; None for an empty text."""
    if not text:
        return None
    found = _QUIET.fullmatch(text)
    if found is None or found.group(1, 2) == found.group(3, 4):
        raise Rejected("no_quiet_hours", f"'{text}' are no quiet hours (allowed: such as 22:00-07:00)")
    hours = [int(part) for part in found.groups()]
    return time(hours[0], hours[1]), time(hours[2], hours[3])


def next_local(at: datetime, wall: time, zone: ZoneInfo) -> datetime:
    """The next instant after ``at`` at which clocks of the zone show ``wall``."""
    local = at.astimezone(zone)
    day = local.date() + timedelta(days=0 if local.time() < wall else 1)
    return datetime.combine(day, wall, zone).astimezone(UTC)


def after_quiet(at: datetime, quiet: tuple[time, time] | None, zone: ZoneInfo) -> datetime:
    """``at``, or the end of the quiet hours that it lies in."""
    if quiet is None:
        return at
    (first, end), now = quiet, at.astimezone(zone).time()
    is_quiet = first <= now < end if first < end else now >= first or now < end
    return next_local(at, end, zone) if is_quiet else at


def leaves_at(
    haste: Haste,
    now: datetime,
    earlier: Sequence[datetime],
    *,
    quiet: tuple[time, time] | None,
    zone: ZoneInfo,
    daily_at: time,
) -> datetime:
    """When a new letter leaves; ``earlier`` is when those about the same agent's meters left in the last hour."""
    if haste is Haste.DAILY:
        return next_local(now, daily_at, zone)
    recent = sorted(at for at in earlier if now - at < STORM)
    pause = timedelta(0) if not recent else BUNDLED_FOR if len(recent) == 1 else CALM
    first = now if haste is Haste.URGENT else now + BUNDLED_FOR
    due = max(first, recent[-1] + pause) if recent else first
    return due if haste is Haste.URGENT else after_quiet(due, quiet, zone)


def tried_again_at(now: datetime, attempts: int) -> datetime:
    """When a letter is tried again after so many attempts: later each time, and no later than in a quarter hour."""
    return now + min(FIRST_DELAY * 2.0 ** min(attempts - 1, 10), LONGEST_DELAY)
