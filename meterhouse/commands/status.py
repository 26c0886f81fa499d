"""``meterhouse status``: what processes and agents say of themselves, alarms first."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from facility.duties import Standing, standing, standing_of_agent, undone
from facility.errors import ConfigError, StoreUnavailable
from facility.status import MODELS_DUE, MODELS_LEARNED, SERVER_UNHEARD_S, ServerProcess
from facility.system_alarm import Unseen
from meterhouse.answers.status import (
    AgentAnswer,
    AlarmAnswer,
    ProcessAnswer,
    RestoredAnswer,
    StatusAnswer,
    UnknownAnswer,
)
from meterhouse.output import answer, answers, say, table, texts
from meterhouse.overview import is_of_an_agent, look, look_at_agent
from meterhouse.settings import Settings
from wording.ages import age
from wording.alarms import alarm_sentence, unseen_sentence
from wording.texts import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facility.status import AgentStatus, Overview, ProcessSeen
    from facility.system_alarm import Outlook
    from wording.texts import Texts

EXITS = {Standing.WELL: 0, Standing.DEGRADED: 1, Standing.DOWN: 2}

PROCESS_COLUMNS = (
    "cli.column.process",
    "cli.column.state",
    "cli.column.told",
    "cli.column.running_for",
    "cli.column.undone",
)
AGENT_COLUMNS = (
    "cli.column.agent",
    "cli.column.state",
    "cli.column.heard",
    "cli.column.unstored",
    "cli.column.buses",
)

MOST_UNSTORED = 2**53
"""An agent may say what it likes: what is more is no number of readings."""

MOST_DUE = 5
"""So many meters that people should read are named."""

RESTORED = "restored.json"
"""A restore leaves this note in the data folder."""

WELL = frozenset({"ok", "running"})
"""What a bus says of itself when nothing is wrong with it."""


@answers(StatusAnswer)
def status(
    *,
    forget: Annotated[
        str, typer.Option("--forget", help="Forget a process that will not come back, by its name.")
    ] = "",
) -> None:
    """Print alarms, what is unknown, totals, processes and agents. Nothing is changed by looking.

    In the folder of an edge agent the agent is asked, which also says how long its server has been gone.

    The exit code is 0 where all is well, 1 where something is wrong or unknown, 2 where no readings are taken in.
    """
    settings = Settings()
    if forget:
        _forget(settings, forget)
    if is_of_an_agent(settings):
        overview, seen = look_at_agent(settings)
        stands = standing_of_agent(overview, seen)
    else:
        overview, seen = look(settings)
        stands = standing(overview, seen)
    restored, due = _restored(settings), _due(settings)
    whole = replace(_status_answer(overview, seen, stands, datetime.now(UTC)), restored=restored, due=due)
    said = (*_lines(texts(), overview, seen), *_due_lines(texts(), due), *_homecoming_lines(texts(), restored))
    answer(whole, lambda: "\n".join(said))
    if code := EXITS[stands]:
        raise typer.Exit(code)


def _restored(settings: Settings) -> RestoredAnswer | None:
    """What came back, where there was a restore and the store can be asked."""
    if not (settings.data / RESTORED).exists():
        return None
    from meterhouse.backup.homecoming import homecoming  # noqa: PLC0415 - an agent's machine has no store

    try:
        found = homecoming(settings.data, settings.store_url)
    except (ConfigError, StoreUnavailable):
        return None
    return RestoredAnswer(found.made_at, found.restored_at, found.readings) if found else None


def _due(settings: Settings) -> list[str] | None:
    """The meters that people should have read by now."""
    if is_of_an_agent(settings):
        return None
    from stores.looking import look_at_reads_by_hand  # noqa: PLC0415 - an agent's machine has no store

    try:
        found = look_at_reads_by_hand(settings.records_url, settings.store_url)
    except (ConfigError, StoreUnavailable):
        return None
    now_ms = time.time_ns() // 1_000_000
    return list(dict.fromkeys(one.meter.id for one in found if one.is_due(now_ms)))


def _due_lines(t: Texts, due: list[str] | None) -> Iterator[str]:
    if due:
        more = "…" if len(due) > MOST_DUE else ""
        yield t.counted("cli.status.due", len(due), names=t("cli.between").join(due[:MOST_DUE]) + more)


def _homecoming_lines(t: Texts, restored: RestoredAnswer | None) -> Iterator[str]:
    if restored is not None:
        made, at = (f"{one:%Y-%m-%d %H:%M} UTC" for one in (restored.made_at, restored.restored_at))
        yield t("cli.status.restored", made=made, restored=at, readings=f"{restored.readings:,}")


def _forget(settings: Settings, name: str) -> None:
    from meterhouse.commands.spoken import written_as  # noqa: PLC0415 - an agent's machine has no database
    from stores.records.database import open_records  # noqa: PLC0415
    from stores.records.status.board import StatusBoard  # noqa: PLC0415

    with written_as({"unknown_process": "--forget"}):
        StatusBoard(open_records(settings.records_url)).forget(name)
    say("cli.status.forgotten", name=name)


def _status_answer(overview: Overview, seen: Outlook, stands: Standing, now: datetime) -> StatusAnswer:
    totals = _totals(overview)
    return StatusAnswer(
        standing=stands,
        alarms=[AlarmAnswer(one.alarm, one.agent or None, one.words or None) for one in seen.alarms],
        unknown=[UnknownAnswer(one.what, one.words or None) for one in seen.unknown],
        asked=_are_asked(seen),
        ingest=next((one.state for one in overview.of(ServerProcess.INGEST)), None),
        stored=totals["stored"],
        quarantined=totals["quarantined"],
        queue=totals["queue"],
        processes=[_process(one, now) for one in overview.processes],
        agents=[_agent(one, now) for one in overview.agents],
    )


def _totals(overview: Overview) -> dict[str, int]:
    """Of all ingests together."""
    figures = [one.status.figures for one in overview.of(ServerProcess.INGEST)]
    return {name: round(sum(one.get(name, 0) for one in figures)) for name in ("stored", "quarantined", "queue")}


def _process(seen: ProcessSeen, now: datetime) -> ProcessAnswer:
    who, status = seen.instance, seen.status
    return ProcessAnswer(
        name=who.name,
        process=who.process,
        host=who.host,
        place=who.place,
        pid=who.pid,
        state=seen.state,
        undone=undone(seen),
        has_ended=seen.has_ended,
        told_at=now - timedelta(seconds=seen.untold_s),
        started_at=now - timedelta(seconds=seen.up_s),
        figures=dict(status.figures),
        facts=dict(status.facts),
    )


def _agent(agent: AgentStatus, now: datetime) -> AgentAnswer:
    return AgentAnswer(
        agent=agent.agent,
        state=agent.state,
        heard_at=None if agent.unheard_s is None else now - timedelta(seconds=agent.unheard_s),
        unstored=_unstored(agent),
        buses=dict(agent.buses),
    )


def _lines(t: Texts, overview: Overview, seen: Outlook) -> Iterator[str]:
    for raised in seen.alarms:
        yield t("cli.alarm", what=_with(alarm_sentence(t, raised), raised.words))
    for unknown in seen.unknown:
        yield t("cli.unknown", what=_with(unseen_sentence(t, unknown), unknown.words))
    if _are_asked(seen):
        yield t.counted("cli.status.asked", len(overview.processes))
    if overview.of(ServerProcess.INGEST):
        yield t("cli.status.readings", **{name: f"{number:,}" for name, number in _totals(overview).items()})
    yield from _progress(t, overview)
    if overview.processes:
        yield table(PROCESS_COLUMNS, [_process_row(t, one) for one in overview.processes])
    if overview.agents:
        yield table(AGENT_COLUMNS, [_agent_row(t, one) for one in overview.agents], right=(3,))


def _progress(t: Texts, overview: Overview) -> Iterator[str]:
    """How far models are learned, and when an agent's server was heard."""
    for figures in (one.status.figures for one in overview.of(ServerProcess.ANALYTICS)):
        if MODELS_DUE in figures:
            learned, due = (f"{round(figures.get(name, 0)):,}" for name in (MODELS_LEARNED, MODELS_DUE))
            yield t("cli.status.learning", learned=learned, due=due)
    for unheard_s in (one.status.figures.get(SERVER_UNHEARD_S) for one in overview.processes):
        if unheard_s is not None:
            yield t("cli.status.server_heard", age=age(t, 1000 * unheard_s))


def _are_asked(seen: Outlook) -> bool:
    """Whether the overview is what the processes answered themselves."""
    return any(one.what is Unseen.RECORDS for one in seen.unknown)


def _with(sentence: str, words: str) -> str:
    """Words may come from a server that answers what it likes, over many lines."""
    said = " ".join(words.split())
    return f"{sentence} ({said})" if said else sentence


def _process_row(t: Texts, seen: ProcessSeen) -> tuple[str, ...]:
    words = t.text_or(f"cli.status.{seen.state}", t.text_or(f"system.{seen.state}", seen.state))
    running_for = age(t, 1000 * seen.up_s) if seen.tells else ABSENT
    missed = t("cli.between").join(t(f"duty.{duty}") for duty in undone(seen))
    return seen.instance.name, words, age(t, 1000 * seen.untold_s), running_for, missed or t("cli.status.nothing")


def _agent_row(t: Texts, agent: AgentStatus) -> tuple[str, ...]:
    heard = t("age.never") if agent.unheard_s is None else age(t, 1000 * agent.unheard_s)
    ill = [f"{bus}: {state}" for bus, state in agent.buses.items() if state not in WELL]
    state = t.text_or(f"cli.agent.{agent.state}", agent.state)
    unstored = _unstored(agent)
    if unstored is None:
        return agent.agent, state, heard, ABSENT, ABSENT
    return agent.agent, state, heard, f"{unstored:,}", "; ".join(ill) or t("cli.status.well")


def _unstored(agent: AgentStatus) -> int | None:
    """As the agent says; no agent has more readings than numbers for them."""
    if agent.unheard_s is None:
        return None
    return round(min(max(agent.figures.get("unstored", 0), 0), MOST_UNSTORED))
