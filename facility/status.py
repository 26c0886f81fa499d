"""What a process says of itself, and what a reader sees of all of them: no clock but the teller's and the reader's own.

Ages, not instants: clocks of two machines may differ by hours, so whoever tells says how long ago a thing was, and
whoever keeps it reckons by its own clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003 - pydantic reads them where a status comes as JSON
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Literal

SILENT_AFTER_S = 60.0
"""Who has told nothing for so long is silent, on whichever machine."""


@unique
class ServerProcess(StrEnum):
    """The processes of a server that tell their status."""

    INGEST = "ingest"
    ANALYTICS = "analytics"
    CONSOLE = "console"


STILL = "still"
"""The state of a process that runs and gets nowhere, where it is asked itself."""

AGENT = "edge"
"""What an agent calls its process where it is asked itself; it tells no records."""

SERVER_UNHEARD_S = "server_unheard_s"
"""Figure of an agent's process: for how long it has not heard its server."""

MODELS_LEARNED, MODELS_DUE = "models_learned", "models_due"
"""Figures of analytics while it learns: how many models of how many there are. Until then rules alone look at hours."""

LONGEST_STILL_S = {ServerProcess.INGEST: 20.0, ServerProcess.ANALYTICS: 600.0, ServerProcess.CONSOLE: 60.0}
"""Who has not come round for so long gets nowhere. A round of analytics that fits models over a year is long."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One process: its kind, its machine, and its place there (the data folder, or the address it listens on).

    A process that is started again is the same instance with another ``pid``.
    """

    process: str
    host: str
    place: str
    pid: int

    @property
    def name(self) -> str:
        """What people call it, and what it is kept under."""
        return f"{self.process}@{self.host}:{self.place}"


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """What one process is at (``state``), what is wrong, and its numbers and words by name (``figures``, ``facts``)."""

    state: str = "running"
    alarms: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProcessSeen:
    """A process as a reader sees it: what it told last, how long ago, and for how long it had run by now.

    ``has_ended``: it said goodbye.
    """

    instance: Instance
    status: ProcessStatus
    untold_s: float = 0.0
    up_s: float = 0.0
    has_ended: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether it has told nothing for a minute; a time that lies ahead (a clock was set back) is no better."""
        return abs(self.untold_s) > SILENT_AFTER_S

    @property
    def tells(self) -> bool:
        """Whether it runs and gets on, as far as anybody can see."""
        return not (self.is_silent or self.has_ended)

    @property
    def state(self) -> str:
        """``ended``, ``silent``, or what it is at: what it told last is no longer so where it tells no more."""
        return "ended" if self.has_ended else "silent" if self.is_silent else self.status.state


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """What an agent last said of itself, ``unheard_s`` seconds ago, and how far its stream ``epoch`` is stored.

    ``expected``: it has not been heard since it was started.
    """

    agent: str
    state: Literal["online", "offline", "expected", "unknown"] = "unknown"
    unheard_s: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    buses: Mapping[str, str] = field(default_factory=dict)
    epoch: str = ""
    store_hw: int = 0

    @property
    def is_unheard(self) -> bool:
        """Whether it has said nothing for a minute, or ever, whatever it said last: its will may be lost.

        A time that lies ahead (a clock was set back) is no better.
        """
        return self.unheard_s is None or abs(self.unheard_s) > SILENT_AFTER_S


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that is known of processes and agents."""

    processes: Sequence[ProcessSeen] = ()
    agents: Sequence[AgentStatus] = ()

    def of(self, process: ServerProcess) -> list[ProcessSeen]:
        """The processes of one kind, those that tell first."""
        return sorted((one for one in self.processes if one.instance.process == process), key=lambda one: one.is_silent)
