"""Steps the detectors hour by hour through a stretch of data time, as if it happened now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounting.local_time import DAY_MS
from analytics.scene import instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from analytics.alerts import Alerting
    from analytics.scene import Window
    from facility.work import Finding

NOTIFY_WITHIN_MS = DAY_MS


def step_through(
    window: Window,
    alerting: Alerting,
    start_ms: int,
    end_ms: int,
    *,
    notify_from_ms: int | None = None,
    seen: Callable[[int, Iterable[Finding]], None] = lambda *_: None,
) -> Iterator[int]:
    """Look at the end of every hour after ``start_ms`` up to ``end_ms``; yields each instant (ms) once it is done.

    Only what is found from ``notify_from_ms`` on is told to people; ``seen`` is given what each look found. Stepping
    the same hours twice leaves the same cases.
    """
    for now_ms in window.edges_ms[(window.edges_ms > start_ms) & (window.edges_ms <= end_ms)].tolist():
        notify = notify_from_ms is not None and now_ms >= notify_from_ms
        seen(now_ms, alerting.look(window.scene(instant(now_ms)), notify=notify))
        yield now_ms
