"""What is wrong with Meterhouse itself, for a strip on every page: read from what ingest writes beside its data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facility.system_alarm import Raised, SystemAlarm, raised

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

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
        silent = [Raised(SystemAlarm.INGEST_SILENT)] if self._is_silent(self.folder) else []
        return [*silent, *raised(_told(self.folder))]

    def _is_silent(self, folder: Path) -> bool:
        try:
            beat = (folder / "ingest.pulse").stat().st_mtime
        except OSError:  # it has never run with this folder
            return False
        return self.clock().timestamp() - beat > SILENT_S


def _told(folder: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads((folder / "ingest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told
