"""What the store writer does between groups: lets old segments go, and holds the store to the journal every hour."""

from __future__ import annotations

import sqlite3
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from accounting.local_time import DAY_MS, HOUR_MS
from facility.errors import StoreUnavailable
from facility.so_many import so_many
from facility.system_alarm import SystemAlarm
from ingest.soundness import ROWS_AT_ONCE, ROWS_EVERY_S, MendsItself

if TYPE_CHECKING:
    from collections.abc import Callable

    from facility.errors import StoreDamaged
    from ingest.contents import Contents
    from ingest.reconcile import Difference, Reconciler
    from ingest.soundness import Soundness
    from ingest.status import IngestStatus
    from stores.records.quarantine.quarantine import Quarantine

EVERY_S = 3600.0
SIZE_EVERY_S = 60.0
LOOK_BACK_MS = 26 * HOUR_MS
FIRST_LOOK_BACK_MS = 7 * DAY_MS
"""After a start the store may have come from a backup: a week is looked at once."""


log = structlog.get_logger()


@dataclass(slots=True)
class Housekeeping:
    """Called often, does something rarely. ``asked`` holds who wants everything reconciled now, and is told."""

    reconciler: Reconciler
    soundness: Soundness
    contents: Contents
    quarantine: Quarantine
    status: IngestStatus
    monotonic: Callable[[], float]
    asked: deque[Callable[[list[Difference]], None]] = field(default_factory=deque)
    _due_s: float | None = None
    _size_due_s: float = 0.0
    _contents_due_s: float = 0.0
    _newest: int = -1
    _is_suspect: bool = False

    def turn(self) -> None:
        """Do what is due. Raises ``StoreUnavailable``: then it is due again."""
        try:
            self._turn()
        except sqlite3.Error as error:  # the disk is full: our own notes wait like readings do
            raise StoreUnavailable(f"the hours cannot be counted: {error}") from error

    def _turn(self) -> None:
        newest = self.reconciler.journal.segments[-1]
        if self._newest < newest <= self.reconciler.watermarks.cursor:  # all segments before it are stored
            self.reconciler.make_room()
            self._newest = newest
        while self.asked:
            self.asked[0](self._reconcile(0) + self._compare_contents(lambda: self.contents.check(0)))
            self.asked.popleft()  # only now: had it failed, it would be asked again
        now_s = self.monotonic()
        if now_s >= self._size_due_s:
            self._size_due_s = now_s + SIZE_EVERY_S
            self._look_at_quarantine()
            self._look_at_age()
        self._is_suspect = self.soundness.turn() or self._is_suspect
        if self._is_suspect:
            self._reconcile(0)
        elif now_s >= self._contents_due_s:
            self._compare_contents(lambda: self.contents.step(ROWS_AT_ONCE))
            self._contents_due_s = now_s + (EVERY_S if self.contents.is_round_over else ROWS_EVERY_S)
        if self._due_s is None or now_s >= self._due_s:
            back_ms = FIRST_LOOK_BACK_MS if self._due_s is None else LOOK_BACK_MS
            self._reconcile(self.reconciler.clock_ms() - back_ms)
            self._due_s = now_s + EVERY_S

    def _compare_contents(self, compare: Callable[[], list[Difference]]) -> list[Difference]:
        """Of a store that does not know itself what its disk has changed."""
        if isinstance(self.reconciler.store, MendsItself):
            return []
        if found := compare():
            hours = f"{so_many(len(found), 'hour')}, first of agent {found[0].agent}"
            self.status.alarm(
                SystemAlarm.STORE_HAD_LOST, f"the store told other readings than it had confirmed: {hours}"
            )
        if words := self.contents.words:
            self.status.alarm(SystemAlarm.STORE_DAMAGED, words)
        return found

    def _look_at_age(self) -> None:
        """A store that has come to less than we saw is an older copy of itself, or was mended: all is compared then."""
        reached, before = self.soundness.reached(), self.reconciler.watermarks.reached
        if reached < before:
            log.warning("store_is_older", reached=reached, before=before)
            self._is_suspect = True

    def _look_at_quarantine(self) -> None:
        size = self.quarantine.size()
        words = f"bytes: {size.bytes} of {size.bound_bytes}, payloads not kept: {size.dropped}" if size.is_near else ""
        self.status.set(SystemAlarm.QUARANTINE_FULL, words)

    def mend(self, damage: StoreDamaged) -> None:
        """The store's file is damaged: have it mended, and compare everything then. Raises ``StoreUnavailable``."""
        self.soundness.mend(damage)
        self._is_suspect = True

    def _reconcile(self, since_ms: int) -> list[Difference]:
        self._is_suspect = self.soundness.check(since_ms) or self._is_suspect
        found = self.reconciler.run(0 if self._is_suspect else since_ms)
        if not self._is_suspect:
            self.status.set(SystemAlarm.STORE_DAMAGED, self.soundness.words or self.contents.words)
        elif self.reconciler.watermarks.cursor >= self.reconciler.journal.entries_end:
            self.soundness.tell(sum(one.rewritten + one.asked_for for one in found))
            self._is_suspect = False
            self.reconciler.watermarks.begin_store_anew(self.soundness.reached())
        if found:
            hours = f"{so_many(len(found), 'hour')}, first of agent {found[0].agent}"
            self.status.alarm(SystemAlarm.STORE_HAD_LOST, f"the store lacked readings it had confirmed: {hours}")
        else:
            self.status.all_clear(SystemAlarm.STORE_HAD_LOST)
            lost = self.reconciler.hours.lost
            self.status.set(
                SystemAlarm.JOURNAL_DAMAGED, f"{so_many(lost, 'hour')} cannot be compared any more" if lost else ""
            )
        return found
