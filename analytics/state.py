"""What the watch is at, how it is told, and what it waits for: recorded history that is still on its way."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from accounting.local_time import HOUR_MS
from facility.status import ProcessStatus
from facility.system_alarm import SystemAlarm
from stores.records.status.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from facility.status import AgentStatus
    from stores.records.status.watched import Watches

OLD_FILE = "analytics.json"
"""Where how far it had got was kept before the records had it: taken over once, then gone."""

DOUBT_MS = HOUR_MS
"""A register that returns or goes on rising within so long has settled its doubt by itself."""

MOST_NAMED = 3

GRACE_MS = 60_000
"""How long after the hour its last readings may still be on their way."""

BEHIND_STEP_MS = 10_000
LONGEST_BEHIND_S = {"rollups": 120, "hours": 900}
"""What waits for longer is a system alarm."""

PATIENCE_MS = 600_000
"""History that has not moved for so long (a broken file, an agent that is off) is not waited for any more."""


@dataclass(frozen=True, slots=True)
class WatchState:
    """What the watch is doing (``rollups``, ``history`` or ``live``), the share done, and how far it has got."""

    phase: str = "rollups"
    done: float = 0.0
    watched: Watched = field(default_factory=Watched)
    alerts: int = 0
    rolled_up_ms: int | None = None
    """What had been written by then is in the rollups."""

    def as_status(self, alarms: Mapping[str, str], now_ms: int | None = None) -> ProcessStatus:
        """As other processes read it; with ``now_ms`` also how far it is behind."""
        figures = {"done": round(self.done, 4), "alerts": self.alerts, "cursor": self.watched.cursor}
        through = self.watched.through
        facts = {"through": through.isoformat()} if through else {}
        behind = {} if now_ms is None else self._behind_s(now_ms)
        for what, seconds in behind.items():
            figures[f"{what}_behind_s"] = seconds
        if words := ", ".join(f"{what} {seconds} s behind" for what, seconds in behind.items() if seconds):
            facts["behind"] = words
        if self.phase == "live" and any(seconds > LONGEST_BEHIND_S[what] for what, seconds in behind.items()):
            alarms = {**alarms, SystemAlarm.ANALYTICS_BEHIND: words}
        return ProcessStatus(self.phase, alarms, figures, facts)

    def _behind_s(self, now_ms: int) -> dict[str, int]:
        """Seconds for which rollups, and hours that have ended, wait; told in steps, so that not every look differs."""
        late_ms = {}
        if self.rolled_up_ms is not None:
            late_ms["rollups"] = now_ms - self.rolled_up_ms
        if self.watched.through is not None:
            late_ms["hours"] = now_ms - round(self.watched.through.timestamp() * 1000) - HOUR_MS - GRACE_MS
        return {what: max(late, 0) // BEHIND_STEP_MS * (BEHIND_STEP_MS // 1000) for what, late in late_ms.items()}


def in_doubt(counters: Sequence[str]) -> dict[str, str]:
    """The alarm that registers wait for a person: of how many counters, and the meters of some."""
    if not counters:
        return {}
    meters = list(dict.fromkeys(point.partition("/")[0] for point in counters))
    named = ", ".join(meters[:MOST_NAMED])
    return {SystemAlarm.REGISTERS_IN_DOUBT: f"{len(counters)}: {named}{' …' if len(meters) > MOST_NAMED else ''}"}


def take_over(folder: Path, watches: Watches, site: str) -> None:
    """Go on from the old file where nothing was noted in the records yet; then it is gone."""
    if watches.watched(site) is None and (old := _old(folder / OLD_FILE)) is not None:
        watches.note(site, old)
    (folder / OLD_FILE).unlink(missing_ok=True)


class Awaited:
    """Recorded history that agents still replay: cases opened on half of it would be wrong."""

    def __init__(self) -> None:
        self._stored, self._moved_ms = -1.0, 0
        self._seen = (1.0, frozenset[str]())
        self.share = 1.0
        """What has arrived of it; 1.0 when complete, when there is none, or when it does not move."""

        self.agents = frozenset[str]()
        """Who replays it."""

    def look(self, agents: Iterable[AgentStatus], now_ms: int) -> None:
        """See how it fares now. That it is all there holds from ``take_up`` on: once its changes have been heard."""
        replaying = {agent.agent: agent.figures for agent in agents if agent.figures.get("history_open")}
        stored, rows = (
            sum(one.get(name, 0.0) for one in replaying.values()) for name in ("history_stored", "history_rows")
        )
        if stored != self._stored:
            self._stored, self._moved_ms = stored, now_ms
        is_waited_for = bool(replaying) and now_ms - self._moved_ms <= PATIENCE_MS
        share = min(0.99, stored / max(1.0, rows)) if is_waited_for else 1.0
        self._seen = share, frozenset(replaying if is_waited_for else ())
        if share < 1.0:
            self.take_up()

    def take_up(self) -> None:
        """Let what was seen hold."""
        self.share, self.agents = self._seen


def _old(file: Path) -> Watched | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        through = datetime.fromisoformat(content["through"]) if content.get("through") else None
        return Watched(int(content.get("cursor", 0)), through, rules=1)
    except (OSError, ValueError, TypeError, AttributeError):
        return None
