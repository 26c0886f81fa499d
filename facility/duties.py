"""What the processes do for people, what of it does not work now, and how Meterhouse stands as a whole."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import TYPE_CHECKING

from facility.status import STILL, ServerProcess
from facility.system_alarm import SystemAlarm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facility.status import Overview, ProcessSeen
    from facility.system_alarm import Outlook


@unique
class Duty(StrEnum):
    """What people miss where it is not done."""

    INTAKE = "intake"
    STORING = "storing"
    ALERTS = "alerts"
    FIGURES = "figures"
    PAGES = "pages"


@unique
class Standing(StrEnum):
    """Well; degraded: something is wrong or unknown; down: no readings are taken in."""

    WELL = "well"
    DEGRADED = "degraded"
    DOWN = "down"


DUTIES = {
    ServerProcess.INGEST: (Duty.INTAKE, Duty.STORING),
    ServerProcess.ANALYTICS: (Duty.ALERTS, Duty.FIGURES),
    ServerProcess.CONSOLE: (Duty.PAGES,),
}
"""What each process is there for."""

STOPPED_BY = {
    SystemAlarm.JOURNAL_UNAVAILABLE: {Duty.INTAKE},
    SystemAlarm.SERVER_CLOCK: {Duty.INTAKE},
    SystemAlarm.BROKER_REFUSES: {Duty.INTAKE},
    SystemAlarm.BROKER_UNREACHABLE: {Duty.INTAKE},
    SystemAlarm.STORE_UNAVAILABLE: {Duty.STORING, Duty.FIGURES},
    SystemAlarm.RECORDS_UNAVAILABLE: {Duty.ALERTS, Duty.PAGES},
    SystemAlarm.ANALYTICS_FAILS: {Duty.ALERTS, Duty.FIGURES},
}
"""Which alarms of a process say that a duty of its own is not done."""


def undone(seen: ProcessSeen) -> list[Duty]:
    """What this process does not do now: all of it where it tells no more, else what its alarms say."""
    duties = DUTIES.get(ServerProcess(seen.instance.process), ()) if seen.instance.process in _NAMES else ()
    if not seen.tells:
        return list(duties)
    stopped = {duty for alarm, some in STOPPED_BY.items() if alarm in seen.status.alarms for duty in some}
    return [duty for duty in duties if duty in stopped]


def standing(overview: Overview, outlook: Outlook) -> Standing:
    """How Meterhouse stands. Where one of several ingests takes readings in, it is not down."""
    if _is_undone(Duty.INTAKE, overview.of(ServerProcess.INGEST)):
        return Standing.DOWN
    return Standing.DEGRADED if outlook.alarms or outlook.unknown else Standing.WELL


def standing_of_agent(overview: Overview, outlook: Outlook) -> Standing:
    """How an agent stands that was asked itself: down where it reads nothing."""
    if not overview.agents or any(seen.status.state == STILL for seen in overview.processes):
        return Standing.DOWN
    return Standing.DEGRADED if outlook.alarms else Standing.WELL


def _is_undone(duty: Duty, processes: Iterable[ProcessSeen]) -> bool:
    """Whether nobody does it, as far as can be seen."""
    return all(duty in undone(seen) for seen in processes)


_NAMES = frozenset(ServerProcess)
