"""Whether a backup of the server is as fresh as it should be, where backups are wanted at all."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from facility.system_alarm import SystemAlarm
from stores.backup_note import read_backup_note

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from facility.status import ProcessStatus

LONGEST = timedelta(hours=26)
"""A night's backup may take its time, and the next night's too."""

FIRST_S = 3600.0
"""So long after the start the first one may still be missing."""


def fault_of(folder: Path, now: datetime, running_s: float) -> str:
    """What is wrong with the backups of a data folder, in words; nothing where the newest is fresh and whole.

    One that failed is told at once: whoever waits until the newest is old has a day less to mend it.
    """
    note = read_backup_note(folder)
    why = f": {note.failed}" if note.failed else ""
    if note.made_at is None:
        return f"none was made yet{why}" if note.failed or running_s > FIRST_S else ""
    newest = f"the newest is of {note.made_at:%Y-%m-%d %H:%M} UTC"
    if note.failed or now - note.made_at > LONGEST:
        return f"{newest}{why}"
    return f"{newest} and is not whole: {note.lacks}" if note.lacks else ""


@dataclass
class BackupWatch:
    """Looks whenever the status is told; nothing is missed where no folder for backups is set."""

    folder: Path
    backups: str
    monotonic: Callable[[], float] = time.monotonic
    _begun_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._begun_s = self.monotonic()

    def beside(self, status: Callable[[], ProcessStatus]) -> Callable[[], ProcessStatus]:
        """The status of the process with the alarm of the backup, while there is one."""

        def both() -> ProcessStatus:
            own = status()
            if not self.backups:
                return own
            fault = fault_of(self.folder, datetime.now(UTC), self.monotonic() - self._begun_s)
            return replace(own, alarms={**own.alarms, SystemAlarm.BACKUP_OVERDUE: fault}) if fault else own

        return both
