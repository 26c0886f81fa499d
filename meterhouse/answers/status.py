"""What ``meterhouse status`` answers, for programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the answer's shape is read by its types
from typing import Annotated

from facility.duties import Duty, Standing  # noqa: TC001 - the same
from facility.system_alarm import SystemAlarm, Unseen  # noqa: TC001 - the same


@dataclass(frozen=True, slots=True)
class AlarmAnswer:
    """Something is wrong with the way of readings."""

    alarm: SystemAlarm
    agent: Annotated[str | None, "absent where the server itself is concerned"]
    words: Annotated[str | None, "for whoever looks into it"]


@dataclass(frozen=True, slots=True)
class UnknownAnswer:
    """Something cannot be seen, so whether it is well is unknown."""

    what: Unseen
    words: Annotated[str | None, "why"]


@dataclass(frozen=True, slots=True)
class ProcessAnswer:
    """How a process of the server fares, by what it last told."""

    name: Annotated[str, "`process@host:place`, as `--forget` takes it"]
    process: Annotated[str, "`ingest`, `analytics` or `console`; `edge` where an agent was asked itself"]
    host: Annotated[str, "its machine"]
    place: Annotated[str, "its data folder, or where it listens"]
    pid: int
    state: Annotated[str, "`running`, what it is at, or the first alarm; `silent` or `ended` where it tells no more"]
    undone: Annotated[list[Duty], "what does not work because of it"]
    has_ended: Annotated[bool, "it ended in good order"]
    told_at: Annotated[datetime, "its last progress, by this machine's clock: who runs and gets nowhere does not tell"]
    started_at: Annotated[datetime, "by this machine's clock"]
    figures: Annotated[dict[str, float], "numbers by name"]
    facts: Annotated[dict[str, str], "words by name"]


@dataclass(frozen=True, slots=True)
class AgentAnswer:
    """How an agent fares, by what it last said."""

    agent: Annotated[str, "its id"]
    state: Annotated[str, "`online`, `offline`, `expected` or `unknown`"]
    heard_at: Annotated[datetime | None, "by this machine's clock"]
    unstored: Annotated[int | None, "readings that it keeps until they are stored; absent where it has not said"]
    buses: Annotated[dict[str, str], "by bus: `ok`, `running`, or what is wrong"]


@dataclass(frozen=True, slots=True)
class RestoredAnswer:
    """A restore, and what agents have sent again since."""

    made_at: Annotated[datetime, "of when the backup is"]
    restored_at: datetime
    readings: Annotated[int, "of the time between that are stored now"]


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """How readings fare."""

    standing: Annotated[Standing, "`down` where no readings are taken in, or read"]
    alarms: list[AlarmAnswer]
    unknown: list[UnknownAnswer]
    asked: Annotated[bool, "the records cannot be read, so the processes were asked themselves"]
    ingest: Annotated[str | None, "state of the ingest that told last; absent where none is known"]
    stored: Annotated[int, "readings stored ever; one that an agent sends again under a new stream epoch counts again"]
    quarantined: Annotated[int, "readings put into quarantine ever"]
    queue: Annotated[int, "messages that wait for ingest"]
    processes: list[ProcessAnswer]
    agents: list[AgentAnswer]
    restored: Annotated[RestoredAnswer | None, "what came back after the last restore; absent where none was"] = None
    due: Annotated[list[str] | None, "meters that people should have read by now; absent where nobody can tell"] = None
