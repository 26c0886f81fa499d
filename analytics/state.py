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

PATIENCE_MS = 600_000
"""History that has not moved for so long (a broken file, an agent that is off) is not waited for any more."""


@dataclass(frozen=True, slots=True)
class WatchState:
    """What the watch is doing (``rollups``, ``history`` or ``live``), the share done, and how far it has got."""

    phase: str = "rollups"
    done: float = 0.0
    watched: Watched = field(default_factory=Watched)
    alerts: int = 0

    def as_status(self, alarms: Mapping[str, str]) -> ProcessStatus:
        """As other processes read it."""
        figures = {"done": round(self.done, 4), "alerts": self.alerts, "cursor": self.watched.cursor}
        through = self.watched.through
        return ProcessStatus(self.phase, alarms, figures, {"through": through.isoformat()} if through else {})


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

    def share(self, agents: Iterable[AgentStatus], now_ms: int) -> float:
        """Share that has arrived; 1.0 when complete, when there is none, or when it does not move."""
        replaying = [agent.figures for agent in agents if agent.figures.get("history_open")]
        if not replaying:
            return 1.0
        stored, rows = (sum(one.get(name, 0.0) for one in replaying) for name in ("history_stored", "history_rows"))
        if stored != self._stored:
            self._stored, self._moved_ms = stored, now_ms
        return 1.0 if now_ms - self._moved_ms > PATIENCE_MS else min(0.99, stored / max(1.0, rows))


def _old(file: Path) -> Watched | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        through = datetime.fromisoformat(content["through"]) if content.get("through") else None
        return Watched(int(content.get("cursor", 0)), through, rules=1)
    except (OSError, ValueError, TypeError, AttributeError):
        return None
