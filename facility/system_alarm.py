"""What can be wrong with Meterhouse itself: a closed vocabulary, and how it is read from what processes tell.

An alert is about a building; a system alarm is about the way of its readings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import TYPE_CHECKING

from facility.status import SILENT_AFTER_S, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from facility.status import AgentStatus, Overview, ProcessSeen

AGENT_PREFIX = "alarm_"
"""A figure of an agent's status with this prefix is a system alarm while it is not 0."""


UNREAD = "unread"
"""With this word a bus names the points that it cannot read."""

REFUSED = "refused"
"""With this word a bus names the devices that it does not read at all: their address is none, or that of another."""

SILENT, DOWN = "silent", "down"
"""With the one it names the devices that do not answer, with the other it says that nobody can."""

LONGEST_WORDS = 500


@unique
class SystemAlarm(StrEnum):
    """Names of alarms. The first ones the server's processes find, the others its agents report."""

    JOURNAL_UNAVAILABLE = "journal_unavailable"
    JOURNAL_DAMAGED = "journal_damaged"
    STORE_UNAVAILABLE = "store_unavailable"
    STORE_HAD_LOST = "store_had_lost"
    STORE_DAMAGED = "store_damaged"
    GAP_OPEN = "gap_open"
    BROKER_DROPS_MESSAGES = "broker_drops_messages"
    UNREADABLE_PACKETS = "unreadable_packets"
    BROKER_REFUSES = "broker_refuses"
    BROKER_UNREACHABLE = "broker_unreachable"
    AGENTS_REFUSED = "agents_refused"
    RECORDS_UNAVAILABLE = "records_unavailable"
    SERVER_DISK = "server_disk"
    SERVER_CLOCK = "server_clock"
    QUARANTINE_FULL = "quarantine_full"
    TOO_MANY_SERIES = "too_many_series"
    ANALYTICS_FAILS = "analytics_fails"
    ANALYTICS_BEHIND = "analytics_behind"
    REGISTERS_IN_DOUBT = "registers_in_doubt"
    AUDIT_BROKEN = "audit_broken"
    AUDIT_NOT_SHIPPED = "audit_not_shipped"
    HEARTBEAT_FAILS = "heartbeat_fails"
    BACKUP_OVERDUE = "backup_overdue"
    LETTERS_FAIL = "letters_fail"
    INGEST_SILENT = "ingest_silent"
    ANALYTICS_SILENT = "analytics_silent"
    CONSOLE_SILENT = "console_silent"
    AGENT_OFFLINE = "agent_offline"
    DISK_FULL = "disk_full"
    CORRUPT = "corrupt"
    CLOCK = "clock"
    NO_SUBSCRIBER = "no_subscriber"
    REFUSED = "refused"
    TAKEN_OVER = "taken_over"
    TOO_LARGE = "too_large"
    UNSTEADY = "unsteady"
    POINTS_UNREAD = "points_unread"
    BUS_SILENT = "bus_silent"
    SERVER_GONE = "server_gone"  # an agent says it on the spot: its server is gone


AGENT_ALARMS = frozenset(
    {
        SystemAlarm.DISK_FULL,
        SystemAlarm.CORRUPT,
        SystemAlarm.CLOCK,
        SystemAlarm.NO_SUBSCRIBER,
        SystemAlarm.REFUSED,
        SystemAlarm.TAKEN_OVER,
        SystemAlarm.TOO_LARGE,
        SystemAlarm.UNSTEADY,
        SystemAlarm.POINTS_UNREAD,
        SystemAlarm.BUS_SILENT,
    }
)
"""What an agent may report: of the server's own alarms none, whatever it says."""

SILENCE = {
    ServerProcess.INGEST: SystemAlarm.INGEST_SILENT,
    ServerProcess.ANALYTICS: SystemAlarm.ANALYTICS_SILENT,
    ServerProcess.CONSOLE: SystemAlarm.CONSOLE_SILENT,
}
"""The alarm of each process that has stopped telling."""


@unique
class Unseen(StrEnum):
    """What a reader may be unable to see. Then whether something is wrong there is unknown: never no alarm."""

    RECORDS = "records"
    INGEST = "ingest"
    ANALYTICS = "analytics"
    AGENTS = "agents"


@dataclass(frozen=True, slots=True)
class Raised:
    """One alarm; ``agent`` is empty where the server itself is concerned, ``words`` are for whoever looks into it."""

    alarm: SystemAlarm
    agent: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """One thing that cannot be seen, and why."""

    what: Unseen
    words: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a reader can say of Meterhouse itself: alarms, the server's own first, and what is unknown."""

    alarms: list[Raised] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)


def outlook(overview: Overview) -> Outlook:
    """Alarms in what processes and agents tell; names of a newer Meterhouse are passed over."""
    alarms = [one for process in ServerProcess for one in _silences(overview.of(process), SILENCE[process])]
    of_processes = [one for seen in overview.processes if not seen.has_ended for one in _raised_by(seen)]
    alarms += dict.fromkeys(of_processes)
    unknown = [Unknown(what) for process, what in _UNTOLD.items() if not overview.of(process)]
    ingest = overview.of(ServerProcess.INGEST)
    if telling := [seen for seen in ingest if seen.tells]:
        listened_s = max(seen.up_s for seen in telling)
        alarms += [one for agent in overview.agents for one in _of_agent(agent, listened_s)]
    elif ingest:  # then nobody knows how the agents fare
        unknown.append(Unknown(Unseen.AGENTS))
    return Outlook(alarms, unknown)


def outlook_of_agent(overview: Overview) -> Outlook:
    """What an agent says that was asked itself. Where none answers it does not run, as far as anybody can see."""
    alarms = [one for seen in overview.processes for one in _raised_by(seen)]
    alarms += [one for agent in overview.agents for one in _told_by(agent)]
    return Outlook(alarms if overview.agents else [Raised(SystemAlarm.AGENT_OFFLINE)])


def _silences(processes: Sequence[ProcessSeen], alarm: SystemAlarm) -> Iterator[Raised]:
    """Who stopped without a word; who said goodbye is missed only where nobody of its kind is left."""
    someone_tells = any(seen.tells for seen in processes)
    for seen in processes:
        if seen.is_silent and not (seen.has_ended and someone_tells):
            yield Raised(alarm, "", seen.instance.name)


def _raised_by(seen: ProcessSeen) -> Iterator[Raised]:
    for name, words in seen.status.alarms.items():
        if name in _NAMES:
            yield Raised(SystemAlarm(name), "", words)


def _of_agent(agent: AgentStatus, listened_s: float) -> Iterator[Raised]:
    """An agent that nobody has listened to for a minute yet is not called silent."""
    if agent.state == "offline" or (agent.is_unheard and listened_s > SILENT_AFTER_S):
        yield Raised(SystemAlarm.AGENT_OFFLINE, agent.agent)
        return
    yield from _told_by(agent)


def _told_by(agent: AgentStatus) -> Iterator[Raised]:
    for figure, value in agent.figures.items():
        if figure.startswith(AGENT_PREFIX) and value and (name := figure.removeprefix(AGENT_PREFIX)) in AGENT_ALARMS:
            yield Raised(SystemAlarm(name), agent.agent, _buses_with(_WORDS_OF.get(SystemAlarm(name), ()), agent))


def _buses_with(words: Sequence[str], agent: AgentStatus) -> str:
    """The buses whose state has one of these words, as the agent says; it may say what it likes."""
    named = (f"{bus}: {state}" for bus, state in agent.buses.items() if any(word in state for word in words))
    return "; ".join(named)[:LONGEST_WORDS]


_WORDS_OF = {SystemAlarm.POINTS_UNREAD: (UNREAD, f"{REFUSED}: "), SystemAlarm.BUS_SILENT: (f"{SILENT}: ", DOWN)}
"""Which words of a bus's state say what an alarm is about."""

_UNTOLD = {ServerProcess.INGEST: Unseen.INGEST, ServerProcess.ANALYTICS: Unseen.ANALYTICS}
"""What nobody knows while no process of a kind has ever told: whether readings come in, whether they are looked at."""

_NAMES = frozenset(SystemAlarm)
