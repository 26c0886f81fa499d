"""The ledgers of an estate's meters, to be changed by people: what is noted is held against the readings, then kept."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from facility.errors import ConfigError
from facility.ledger.changes import known_meter, note_correction, note_removal, note_swap, zone_of
from facility.ledger.faults import check_history
from facility.ledger.installation import present_facts
from facility.remark import Remark, RemarkKind
from stores.readings.ledger_check import check_reads
from stores.records.audit import check_reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from facility.catalogue import Catalogue
    from facility.ledger.changes import DeviceSwap, EntryRemoval, LedgerChange, LedgerCorrection
    from facility.ledger.installation import Installation
    from stores.readings.port import ReadingStore
    from stores.records.estate import Change
    from stores.records.registry import Registry


@dataclass(frozen=True, slots=True)
class Noted:
    """What was kept: the changes of the registry, and what the person who noted it must still do."""

    changes: tuple[Change, ...]
    remarks: tuple[Remark, ...]


class LedgerBook:
    """The ledgers as they stand when it is made. Each change is based on that; a second one needs a new book.

    Every change raises ``Stale`` where somebody else has changed the estate since.

    ``readings`` opens the reading store; it is closed again after each use.
    """

    def __init__(self, registry: Registry, readings: Callable[[], ReadingStore]) -> None:
        self._registry, self._readings = registry, readings
        self._revision = registry.revision()

    @property
    def estate(self) -> Catalogue:
        """The estate that changes are based on."""
        return self._revision.catalogue

    @property
    def zone(self) -> ZoneInfo:
        """The zone of local times that people write."""
        return zone_of(self.estate)

    def history(self, meter: str) -> tuple[Installation, ...]:
        """Everything that hung at a meter's place, oldest first. Raises ``ConfigError`` for an unknown meter."""
        return self.estate.ledger_of(known_meter(self.estate, meter))

    def swap(self, swap: DeviceSwap, now: datetime) -> Noted:
        """Keep a swap. Raises ``ConfigError`` where it cannot be, or where the readings contradict it."""
        return self._keep(note_swap(self.estate, swap, now), swap, "meter.swap", now)

    def correct(self, correction: LedgerCorrection, now: datetime) -> Noted:
        """Keep a correction. Raises ``ConfigError`` as for a swap, and where the ledger already says so."""
        return self._keep(note_correction(self.estate, correction, now), correction, "meter.correct", now)

    def remove(self, removal: EntryRemoval, now: datetime) -> Noted:
        """Take an entry out; the audit trail keeps it. Raises ``ConfigError`` where the ledger cannot do without it."""
        return self._keep(note_removal(self.estate, removal), removal, "meter.remove-entry", now)

    def _keep(
        self, change: LedgerChange, noted: DeviceSwap | LedgerCorrection | EntryRemoval, what: str, now: datetime
    ) -> Noted:
        check_reason(noted.reason)
        place, history = change.meter, change.history
        check_history(history, self.zone)
        with closing(self._readings()) as store:
            check_reads(store, self.estate, place, history)
        others = tuple(one for one in self.estate.installations if one.meter != place.id)
        meters = tuple(present_facts(m, history) if m.id == place.id else m for m in self.estate.meters)
        edited = replace(self.estate, meters=meters, installations=(*others, *history))
        reason = f"{place.id}: {noted.reason.strip()}"
        based_on = self._revision.version
        changes = self._registry.edit(edited, based_on=based_on, by=noted.by, at=now, what=what, reason=reason)
        if not changes:
            raise ConfigError(f"{place.id}: the ledger already says so; nothing was written")
        return Noted(tuple(changes), tuple(_for_the_agent(change)))


def _for_the_agent(change: LedgerChange) -> list[Remark]:
    """Who must learn of a changed ratio, unless nobody ever does."""
    if change.agent_from is None:
        return []
    return [Remark(RemarkKind.AGENT_MUST_KNOW, {"agent": change.meter.agent, "since": change.agent_from})]
