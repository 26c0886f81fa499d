"""Holds the store's file to what it once said, rows to their seals and pages to each other, and has it mended.

What the disk has changed is taken away and counted; reconciling then brings it back from the journal or the agents.
What nobody has any more is said.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import structlog

from facility.errors import StoreDamaged, StoreUnavailable
from facility.so_many import so_many
from facility.system_alarm import SystemAlarm

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from ingest.motion import Motion
    from ingest.status import IngestStatus

ROWS_AT_ONCE, ROWS_EVERY_S = 20_000, 5.0
"""Some 10 million rows an hour are gone through, for about one hundredth of a processor."""

FILE_EVERY_S, FILE_LIMIT_S = 86_400.0, 900.0
MENDS_KEPT_S, MOST_MENDS = 3600.0, 3
"""A disk that spoils its files again and again is not written full with what is kept of them."""

log = structlog.get_logger()


class FoundSpoilt(Protocol):
    """What a check has taken away: readings by point, and rows of rollups by name."""

    readings: Counter[str]
    rollups: Counter[str]


class FileKept(Protocol):
    """What could be read in a damaged file, and under which name it is kept."""

    readings: int
    rows: int
    kept_as: str


@runtime_checkable
class MendsItself(Protocol):
    """A store that knows what the disk has changed. An InfluxDB has checksums of its own."""

    def cursor(self) -> int:
        """How far its log of changes has come; less than before in an older copy."""

    def check_rows(self, since_ms: int, moved: Callable[[], None]) -> FoundSpoilt:
        """Judge every row from a time on, and take away what the disk has changed. Raises ``StoreDamaged``."""

    def check_some(self, most_rows: int) -> FoundSpoilt:
        """Go on with the same, a part of the whole at a time."""

    def check_file(self, limit_s: float, is_ended: Callable[[], bool]) -> str:
        """How the file hangs together: a sentence where it does not. In any thread."""

    def mend(self, now_ms: int, moved: Callable[[], None]) -> FileKept:
        """Put what can still be read in place of the damaged file."""


@dataclass(slots=True)
class Soundness:
    """Called in the store writer's thread. ``lost`` are readings that were spoilt and that nobody had any more."""

    store: object
    status: IngestStatus
    motion: Motion
    monotonic: Callable[[], float]
    clock_ms: Callable[[], int]
    lost: int = 0
    _missed: int = 0
    _rows_due_s: float = 0.0
    _file_due_s: float = 0.0
    _mended_s: list[float] = field(default_factory=list)
    _finding: str = ""
    _look: Thread | None = None
    _ended: Event = field(default_factory=Event)

    def turn(self) -> bool:
        """Do what is due; whether anything was taken away: then all is to be compared. Raises ``StoreUnavailable``."""
        if not isinstance(self.store, MendsItself):
            return False
        now_s = self.monotonic()
        if self._finding:
            finding, self._finding = self._finding, ""
            self.mend(StoreDamaged(finding))
            return True
        if now_s >= self._file_due_s:
            self._file_due_s = now_s + FILE_EVERY_S
            self._begin_to_look(self.store)
        if now_s < self._rows_due_s:
            return False
        self._rows_due_s = now_s + ROWS_EVERY_S
        return self._note(self._tried(self.store.check_some, ROWS_AT_ONCE))

    def reached(self) -> int:
        """How far the store's log of changes has come; 0 where the store is no file. Raises ``StoreUnavailable``."""
        return self.store.cursor() if isinstance(self.store, MendsItself) else 0

    def check(self, since_ms: int) -> bool:
        """Judge every row from a time on, now; whether anything was taken away."""
        if not isinstance(self.store, MendsItself):
            return False
        return self._note(self._tried(self.store.check_rows, since_ms, self.motion.move))

    def mend(self, why: StoreDamaged) -> None:
        """Put a new file in place of a damaged one. Raises ``StoreUnavailable`` where that cannot be."""
        now_s = self.monotonic()
        self._mended_s = [at_s for at_s in self._mended_s if now_s - at_s < MENDS_KEPT_S]
        if not isinstance(self.store, MendsItself) or len(self._mended_s) >= MOST_MENDS:
            self.status.alarm(SystemAlarm.STORE_DAMAGED, f"{why}; it spoils again and again: the disk must be replaced")
            raise why
        self._mended_s.append(now_s)
        self.status.alarm(SystemAlarm.STORE_DAMAGED, f"{why}; it is being mended")
        kept = self.store.mend(self.clock_ms(), self.motion.move)
        words = f"{why}; {so_many(kept.readings, 'reading')} could be read, the file is kept as {kept.kept_as}"
        log.error("store_mended", error=str(why), readings=kept.readings, rollup_rows=kept.rows, kept_as=kept.kept_as)
        self.status.alarm(SystemAlarm.STORE_DAMAGED, words)

    def tell(self, brought_back: int) -> None:
        """What of the spoilt readings was written or asked for again; the rest is gone, and that is said for good."""
        lost, self._missed = max(self._missed - brought_back, 0), 0
        self.lost += lost
        if lost:
            log.error("readings_spoilt", lost=lost)
            self.status.alarm(SystemAlarm.STORE_DAMAGED, self.words)

    @property
    def words(self) -> str:
        """What stands after everything has been compared: nothing, or what could not be brought back."""
        return f"{so_many(self.lost, 'reading')} changed by the disk, which nobody has any more" if self.lost else ""

    def close(self) -> None:
        """End the look at the whole file."""
        self._ended.set()
        if self._look is not None:
            self._look.join()

    def _tried(self, check: Callable[..., FoundSpoilt], *given: object) -> FoundSpoilt | None:
        """None where the file itself had to be mended."""
        try:
            return check(*given)
        except StoreDamaged as error:
            self.mend(error)
            return None

    def _note(self, found: FoundSpoilt | None) -> bool:
        if found is None:
            return True
        if not (found.readings or found.rollups):
            return False
        readings, rows = found.readings.total(), found.rollups.total()
        self._missed += readings
        first = next(iter([*found.readings, *found.rollups]))
        words = f"{so_many(readings, 'reading')} and {so_many(rows, 'figure')} changed by the disk, first of {first}"
        log.error("rows_spoilt", readings=readings, figures=rows, first=first)
        self.status.alarm(SystemAlarm.STORE_DAMAGED, f"{words}; they are brought back where they can be")
        return True

    def _begin_to_look(self, store: MendsItself) -> None:
        def look() -> None:
            with suppress(StoreUnavailable):  # it is away, which others tell
                self._finding = store.check_file(FILE_LIMIT_S, self._ended.is_set)

        if self._look is None or not self._look.is_alive():
            self._look = Thread(target=look, name="look-at-file", daemon=True)
            self._look.start()
