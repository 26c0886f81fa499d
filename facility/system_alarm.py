"""What can be wrong with Meterhouse itself: a closed vocabulary, and how it is read from what ingest tells.

An alert is about a building; a system alarm is about the way of its readings.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

AGENT_PREFIX = "alarm_"
"""A figure of an agent's status with this prefix is a system alarm while it is not 0."""

UNHEARD_MS = 60_000


@unique
class SystemAlarm(StrEnum):
    """Names of alarms. The first ones ingest finds itself, the others its agents report."""

    JOURNAL_UNAVAILABLE = "journal_unavailable"
    JOURNAL_DAMAGED = "journal_damaged"
    STORE_UNAVAILABLE = "store_unavailable"
    STORE_HAD_LOST = "store_had_lost"
    GAP_OPEN = "gap_open"
    BROKER_DROPS_MESSAGES = "broker_drops_messages"
    QUARANTINE_FULL = "quarantine_full"
    TOO_MANY_SERIES = "too_many_series"
    INGEST_SILENT = "ingest_silent"
    AGENT_OFFLINE = "agent_offline"
    DISK_FULL = "disk_full"
    CORRUPT = "corrupt"
    CLOCK = "clock"
    NO_SUBSCRIBER = "no_subscriber"
    REFUSED = "refused"
    TAKEN_OVER = "taken_over"
    TOO_LARGE = "too_large"
    UNSTEADY = "unsteady"


@dataclass(frozen=True, slots=True)
class Raised:
    """One alarm; ``agent`` is empty where the server itself is concerned, ``words`` are for whoever looks into it."""

    alarm: SystemAlarm
    agent: str = ""
    words: str = ""


def raised(told: Mapping[str, Any], now_ms: float) -> Iterator[Raised]:
    """Alarms in the figures that ingest writes (``ingest.json``); names of a newer Meterhouse are passed over.

    An agent that said nothing for a minute is offline, whatever it said last: its will may be lost with the broker.
    """
    for name, words in told.get("alarms", {}).items():
        if name in _NAMES:
            yield Raised(SystemAlarm(name), "", words)
    for agent, facts in sorted(told.get("agents", {}).items()):
        if facts.get("state") == "offline" or now_ms - facts.get("heard_ms", now_ms) > UNHEARD_MS:
            yield Raised(SystemAlarm.AGENT_OFFLINE, agent)
            continue
        for figure, value in facts.get("figures", {}).items():
            if figure.startswith(AGENT_PREFIX) and value and (name := figure.removeprefix(AGENT_PREFIX)) in _NAMES:
                yield Raised(SystemAlarm(name), agent)


_NAMES = frozenset(SystemAlarm)
