"""The time that a panel looks at, as Grafana reckons it: ``now-30d``, ``now/M``, a panel's own ``within`` and shift."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_MATH = re.compile(r"now(?:-(\d+)([mhdwMy]))?(?:/([dMy]))?")
_STEP = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_STARTS = {"d": {}, "M": {"day": 1}, "y": {"day": 1, "month": 1}}


def instant(words: str, now: datetime) -> datetime:
    """``now-1M/M`` and the like, on the clock of ``now``."""
    found = _MATH.fullmatch(words)
    assert found, f"no time that we know: {words}"
    number, unit, start = found.groups()
    at = now if number is None else _before(now, int(number), unit)
    if start:
        at = at.replace(hour=0, minute=0, second=0, microsecond=0, **_STARTS[start])
    return at


def _before(now: datetime, number: int, unit: str) -> datetime:
    if unit == "y":
        return now.replace(year=now.year - number)
    if unit == "M":
        months = now.year * 12 + now.month - 1 - number
        return now.replace(year=months // 12, month=months % 12 + 1)
    if unit in "dw":
        return now - timedelta(**{_STEP[unit]: number})  # on the clock: a day may have 23 hours
    return (now.astimezone(ZoneInfo("UTC")) - timedelta(**{_STEP[unit]: number})).astimezone(now.tzinfo)


def period_of(board, panel, now: datetime) -> tuple[int, int]:
    """Start and end of a panel, ms; ``now`` in the site's zone."""
    within, shift = panel.get("timeFrom", ""), panel.get("timeShift", "")
    start, end = board["time"]["from"], board["time"]["to"]
    if within:
        start, end = (within if within.startswith("now") else f"now-{within}"), "now"
    ends = [instant(words, now) for words in (start, end)]
    if shift:
        ends = [instant(f"now-{shift}", at) for at in ends]
    return tuple(round(at.timestamp() * 1000) for at in ends)


def step_of(panel, period: tuple[int, int]) -> str:
    """What Grafana puts for ``$__interval``: the panel's own step, or more where there would be too many points."""
    least = {"1m": 60, "1h": 3600, "1d": 86400}[panel.get("interval") or "1m"]
    wanted = (period[1] - period[0]) / 1000 / int(panel.get("maxDataPoints") or 300)
    round_ones = (60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800)
    return f"{max(least, next((one for one in round_ones if one >= wanted), 604800))}s"
