"""What is wrong with Meterhouse itself, for a strip on every page: read from what ingest writes beside its data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facility.system_alarm import Raised, SystemAlarm, raised

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

SILENT_S = 60.0
"""Ingest touches its pulse every second; after so long without, it is not running."""


@dataclass(frozen=True, slots=True)
class System:
    """``folder`` is ingest's data folder; None where the console runs on another machine and cannot see it."""

    folder: Path | None
    clock: Callable[[], datetime]

    def alarms(self) -> list[Raised]:
        """Alarms as last told, the server's own first."""
        if self.folder is None:
            return []
        if self._is_silent(self.folder):  # then nobody knows how the agents fare
            return [Raised(SystemAlarm.INGEST_SILENT), *raised(self.told() | {"agents": {}}, 0)]
        return list(raised(self.told(), self.clock().timestamp() * 1000))

    def told(self) -> dict[str, Any]:
        """The figures that ingest wrote last; empty where there are none."""
        try:
            told: dict[str, Any] = json.loads(((self.folder or Path()) / "ingest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return told

    def _is_silent(self, folder: Path) -> bool:
        try:
            beat = (folder / "ingest.pulse").stat().st_mtime
        except OSError:  # it has never run with this folder
            return False
        return self.clock().timestamp() - beat > SILENT_S
