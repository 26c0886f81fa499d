"""What a document would change in the registry, which edits it would undo, and what must hold before it is applied."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounting.calendars import SiteCalendar
from facility.broker_address import password_variable, without_password
from facility.ledger.changes import zone_of
from facility.ledger.faults import check_not_ahead
from facility.model import MeterRole
from facility.quantities import ACCOUNTED
from facility.remark import Remark, RemarkKind
from stores.readings.ledger_check import check_reads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from facility.catalogue import Catalogue
    from facility.model import Meter
    from stores.readings.port import ReadingStore
    from stores.records.estate import Change
    from stores.records.level_decisions import LevelDecision
    from stores.records.registry import EstateDifference, Registry

_DEVICE_FACTS = frozenset({"serial", "digits", "rolls_over_at", "ct_ratio", "pt_ratio"})


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One change, and the edit made since the last apply that it would undo."""

    change: Change
    undoes: Change | None = None


@dataclass(frozen=True, slots=True)
class SitePlan:
    """A document against the registry as it stood: every change, and what a person should know before applying."""

    estate: Catalogue
    shown: EstateDifference
    changes: tuple[PlannedChange, ...]
    remarks: tuple[Remark, ...]


def plan_site(registry: Registry, estate: Catalogue, now: datetime) -> SitePlan:
    """Compare document, registry and what was edited there since the last apply; nothing is changed."""
    shown = registry.difference(estate)
    planned = (
        PlannedChange(one, next((edit for edit in shown.edits if edit.touches(one)), None)) for one in shown.changes
    )
    return SitePlan(estate, shown, tuple(planned), (*estate_remarks(estate, now), *_undated_devices(shown.changes)))


def apply_site(
    registry: Registry,
    plan: SitePlan,
    readings: Callable[[], ReadingStore],
    *,
    by: str,
    now: datetime,
    accept: bool = False,
    decision: LevelDecision | None = None,
) -> list[Change]:
    """Make the registry say what the plan's document says; nothing is done where nothing changes.

    ``readings`` opens the reading store; it is asked only where a meter's ledger changes. Raises ``ConfigError`` where
    a ledger reaches ahead or the readings contradict it, and where an edit would be undone without ``accept``;
    ``Stale`` where the registry was changed since the plan was made.
    """
    if not plan.changes:
        return []
    _check_ledgers(plan, readings, now)
    return registry.apply(plan.estate, by=by, at=now, accept=accept, shown=plan.shown, decision=decision)


def estate_remarks(estate: Catalogue, now: datetime) -> list[Remark]:
    """What is lawful and yet leaves figures out, or lets them follow no notice of moved workdays."""
    years = SiteCalendar(estate.site).unadjusted_years((now.year, now.year + 1))
    country = estate.site.holiday_country
    remarks = [Remark(RemarkKind.YEAR_WITHOUT_NOTICE, {"year": year, "country": country}) for year in years]
    return [*remarks, *_left_out(estate), *_written_passwords(estate)]


def _written_passwords(estate: Catalogue) -> Iterator[Remark]:
    """Buses whose password stands in the document: there others read it, and the registry does not keep it."""
    for agent in estate.agents:
        for bus in agent.buses:
            if without_password(bus.url, bus.id) != bus.url:
                params = {"agent": agent.id, "bus": bus.id, "variable": password_variable(bus.id)}
                yield Remark(RemarkKind.UNLOCKED_BUS, params)


def _left_out(estate: Catalogue) -> Iterator[Remark]:
    """Utilities of a building that have no total, and meters whose use is not accounted."""
    for building in estate.buildings:
        for utility in dict.fromkeys(meter.utility for meter in estate.meters_of(building.id)):
            if utility and not estate.head_meters(building.id, utility):
                yield Remark(RemarkKind.NO_HEAD_METER, {"building": building.id, "utility": utility.value})
    for meter in estate.meters:
        if meter.utility and meter.role is not MeterRole.VIRTUAL and not estate.accounted_point(meter):
            params = {"meter": meter.id, "quantity": ACCOUNTED[meter.utility].word, "utility": meter.utility.value}
            yield Remark(RemarkKind.COUNTER_NOT_READ, params)


def _undated_devices(changes: Iterable[Change]) -> list[Remark]:
    """Meters whose device changes without a date: a register would seem to leap when the agent learns of it."""
    dated = _changed_ledgers(changes)
    undated = {c.id for c in changes if c.what == "meter" and c.field in _DEVICE_FACTS and c.id not in dated}
    return [Remark(RemarkKind.DEVICE_WITHOUT_DATE, {"meter": meter}) for meter in sorted(undated)]


def _changed_ledgers(changes: Iterable[Change]) -> set[str]:
    """Ids of the meters whose installations change."""
    return {change.id.partition(" from ")[0] for change in changes if change.what == "installation"}


def _check_ledgers(plan: SitePlan, readings: Callable[[], ReadingStore], now: datetime) -> None:
    """Hold every ledger that changes against the clock and against the readings. Raises ``ConfigError``."""
    estate, changed = plan.estate, _changed_ledgers(one.change for one in plan.changes)
    meters: list[Meter] = [meter for meter in estate.meters if meter.id in changed]
    for meter in meters:
        check_not_ahead(estate.ledger_of(meter), now, zone_of(estate))
    counting = [meter for meter in meters if estate.accounted_point(meter)]
    if not counting:
        return
    with closing(readings()) as store:
        for meter in counting:
            check_reads(store, estate, meter, estate.ledger_of(meter))
