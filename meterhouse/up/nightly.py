"""Begins the nightly backup of a server that runs, as a process of its own beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import structlog

from facility.errors import ConfigError, StoreUnavailable
from meterhouse.backup.schedule import is_due
from stores.backup_note import BackupNote, keep_backup_note, read_backup_note
from stores.records.database import look_at_records
from stores.records.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo
    from pathlib import Path

    from meterhouse.backup.settings import BackupSettings

LOOK_EVERY_S = 60.0
END_TIMEOUT_S = 10.0

log = structlog.get_logger()


@dataclass
class NightlyBackup:
    """``look`` belongs into a supervisor's round: it waits for nothing. ``stop`` ends a backup that is under way."""

    folder: Path
    settings: BackupSettings
    monotonic: Callable[[], float] = time.monotonic
    _due_s: float = field(default=0.0, init=False)
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _begun_at: datetime = field(default=datetime.min.replace(tzinfo=UTC), init=False)

    def look(self) -> None:
        """Begin one where it is due; say once what became of it."""
        if self._child is not None and self._child.poll() is not None:
            note = self._noted(self._child.returncode)
            log.info("backup_ended", code=self._child.returncode, file=note.file, failed=note.failed)
            self._child = None
        if not self.settings.backup or self._child is not None or self.monotonic() < self._due_s:
            return
        self._due_s = self.monotonic() + LOOK_EVERY_S
        if is_due(read_backup_note(self.folder), datetime.now(UTC), self.settings.backup_at, self._zone()):
            self._begin()

    def stop(self) -> None:
        """What it has written of a backup goes with it."""
        if self._child is None:
            return
        self._child.send_signal(signal.SIGINT)
        try:
            self._child.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _noted(self, code: int) -> BackupNote:
        """What the backup has noted of itself; of one that could not, because it was killed, that it failed."""
        note = read_backup_note(self.folder)
        if code and (note.tried_at is None or note.tried_at < self._begun_at):
            how = f"it was ended by signal {-code}" if code < 0 else f"it ended with exit code {code}"
            return self._note(note, f"{how}; see {self._log}")
        return note

    def _note(self, note: BackupNote, failed: str) -> BackupNote:
        new = msgspec.structs.replace(note, tried_at=datetime.now(UTC), failed=failed)
        try:
            keep_backup_note(self.folder, new)
        except OSError as error:
            log.warning("backup_not_noted", error=str(error))
        return new

    @property
    def _log(self) -> Path:
        return self.folder / "logs" / "backup.log"

    def _begin(self) -> None:
        path, self._begun_at = self._log, datetime.now(UTC)
        command = [sys.executable, "-m", "meterhouse", "backup", "--nightly", "--to", self.settings.backup]
        environment = {**os.environ, "METERHOUSE_DATA": str(self.folder)}
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            with path.open("wb") as out:
                self._child = subprocess.Popen(  # noqa: S603 - our own words
                    command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out
                )
        except OSError as error:  # a full disk: everything else goes on, and the next round tries again
            log.warning("backup_not_begun", error=str(error))
            self._note(read_backup_note(self.folder), f"it could not be begun: {error.strerror or error}")
            return
        log.info("backup_begun", log=str(path))

    def _zone(self) -> tzinfo:
        try:
            records = look_at_records(self.settings.records_url)
        except (ConfigError, StoreUnavailable):
            return UTC
        try:
            return ZoneInfo(Registry(records).load().site.timezone)
        except (ConfigError, StoreUnavailable):
            return UTC
        finally:
            records.dispose()
