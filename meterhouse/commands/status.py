"""``meterhouse status``: what ingest and its agents say of themselves, alarms first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.system import System
from facility.errors import ConfigError
from facility.system_alarm import SystemAlarm  # noqa: TC001 - the answer's shape is read by its types
from meterhouse.output import answer, answers, table, texts
from meterhouse.settings import Settings
from wording.ages import age
from wording.alarms import alarm_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from facility.system_alarm import Raised
    from wording.texts import Texts

EXIT_ALARM = 1

COLUMNS = (
    "cli.column.agent",
    "cli.column.state",
    "cli.column.heard",
    "cli.column.unstored",
    "cli.column.buses",
)

WELL = frozenset({"ok", "running"})
"""What a bus says of itself when nothing is wrong with it."""


@dataclass(frozen=True, slots=True)
class ToldAlarm:
    """Something is wrong with the way of readings."""

    alarm: SystemAlarm
    agent: Annotated[str | None, "absent where the server itself is concerned"]
    words: Annotated[str | None, "for whoever looks into it"]


@dataclass(frozen=True, slots=True)
class ToldAgent:
    """How an agent fares, by what it last said."""

    agent: Annotated[str, "its id"]
    state: Annotated[str, "`running`, `offline` … or `unknown`"]
    heard_at: datetime | None
    unstored: Annotated[int, "readings that it keeps until they are stored"]
    buses: Annotated[dict[str, str], "by bus: `ok`, `running`, or what is wrong"]


@dataclass(frozen=True, slots=True)
class ToldStatus:
    """How readings fare."""

    alarms: list[ToldAlarm]
    ingest: Annotated[str, "`running`, or the first alarm"]
    stored: Annotated[int, "readings stored ever"]
    quarantined: Annotated[int, "readings put into quarantine ever"]
    queue: Annotated[int, "messages that wait for ingest"]
    agents: list[ToldAgent]


@answers(ToldStatus)
def status() -> None:
    """Print alarms, totals and agents; the exit code is 1 while there is an alarm."""
    folder = Settings().data
    system = System(folder, lambda: datetime.now(UTC))
    if not (figures := system.told()):
        path = folder / "ingest.json"
        raise ConfigError(f"{path} cannot be read: has ingest run with this folder (METERHOUSE_DATA)?")
    alarms = system.alarms()
    told = ToldStatus(
        alarms=[ToldAlarm(one.alarm, one.agent or None, one.words or None) for one in alarms],
        ingest=figures["state"],
        stored=figures["stored"],
        quarantined=figures["quarantined"],
        queue=figures["queue"],
        agents=[_agent(agent, facts) for agent, facts in sorted(figures["agents"].items())],
    )
    answer(told, lambda: "\n".join(_lines(texts(), told, alarms)))
    if alarms:
        raise typer.Exit(EXIT_ALARM)


def _agent(agent: str, facts: dict[str, Any]) -> ToldAgent:
    heard_ms = facts.get("heard_ms")
    return ToldAgent(
        agent=agent,
        state=facts.get("state", "unknown"),
        heard_at=datetime.fromtimestamp(heard_ms / 1000, UTC) if heard_ms else None,
        unstored=round(facts.get("figures", {}).get("unstored", 0)),
        buses=facts.get("buses", {}),
    )


def _lines(t: Texts, told: ToldStatus, alarms: Sequence[Raised]) -> Iterator[str]:
    for one in alarms:
        words = alarm_sentence(t, one)
        yield t("cli.alarm", what=f"{words} ({one.words})" if one.words else words)
    is_well = told.ingest in WELL
    yield t("cli.status.ingest", state=t("cli.status.running") if is_well else t(f"system.{told.ingest}"))
    yield t(
        "cli.status.readings",
        stored=f"{told.stored:,}",
        quarantined=f"{told.quarantined:,}",
        queue=f"{told.queue:,}",
    )
    if told.agents:
        yield table(COLUMNS, [_row(t, one) for one in told.agents], right=(3,))


def _row(t: Texts, one: ToldAgent) -> tuple[str, ...]:
    heard = age(t, (datetime.now(UTC) - one.heard_at).total_seconds() * 1000) if one.heard_at else t("age.never")
    ill = [f"{bus}: {state}" for bus, state in one.buses.items() if state not in WELL]
    state = t.get(f"cli.agent.{one.state}", one.state)
    return one.agent, state, heard, f"{one.unstored:,}", "; ".join(ill) or t("cli.status.well")
