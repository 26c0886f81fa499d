"""What can be seen of all processes and agents: in the records, or else by asking the processes themselves."""

from __future__ import annotations

import json
from dataclasses import replace
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from pydantic import TypeAdapter

from facility.errors import ConfigError, StoreUnavailable
from facility.status import Overview
from facility.system_alarm import Outlook, Unknown, Unseen, outlook, outlook_of_agent
from process.health import noted_health

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facility.status import AgentStatus
    from meterhouse.settings import Settings
    from stores.records.status.board import StatusBoard

ANSWER_S = 3.0
MOST_BYTES = 16 * 2**20

OUTBOX = "outbox.db"

_OVERVIEW = TypeAdapter(Overview)


def is_of_an_agent(settings: Settings) -> bool:
    """Whether the data folder is an edge agent's alone: it knows of no records, here or elsewhere."""
    here = settings.data
    return (here / OUTBOX).exists() and not settings.records and not (here / "records.db").exists()


def look_at_agent(settings: Settings) -> tuple[Overview, Outlook]:
    """What the agent of this folder says itself, and what a reader can say of it."""
    overview = ask([*settings.health_urls, *noted_health(settings.data)])
    return overview, outlook_of_agent(overview)


def look(settings: Settings) -> tuple[Overview, Outlook]:
    """What is known, and what a reader can say of it.

    Where the records cannot be read that is unknown, and what the processes answer is told beside it; of who does not
    answer nobody can say that it has not told.
    """
    try:
        overview = _board(settings.records_url).overview()
    except (ConfigError, StoreUnavailable) as error:
        overview = ask([*settings.health_urls, *noted_health(settings.data)])
        seen = outlook(overview)
        others = [one for one in seen.unknown if one.what is Unseen.AGENTS]
        return overview, replace(seen, unknown=[Unknown(Unseen.RECORDS, str(error)), *others])
    return overview, outlook(overview)


def _board(url: str) -> StatusBoard:
    """The board in the records, to look at. Raises ``StoreUnavailable`` where there are no records yet."""
    from stores.records.database import look_at_records  # noqa: PLC0415 - an agent's machine has no database
    from stores.records.status.board import StatusBoard  # noqa: PLC0415

    return StatusBoard(look_at_records(url))


def ask(urls: Iterable[str]) -> Overview:
    """What processes answer themselves; who does not answer is left out."""
    answers = [answer for url in dict.fromkeys(urls) if (answer := _ask(url)) is not None]
    agents: dict[str, AgentStatus] = {}
    for agent in (agent for answer in answers for agent in answer.agents):
        if agent.agent not in agents or _heard(agent) < _heard(agents[agent.agent]):
            agents[agent.agent] = agent
    return Overview([one for answer in answers for one in answer.processes], sorted(agents.values(), key=_name))


def _ask(url: str) -> Overview | None:
    try:
        return _OVERVIEW.validate_python(json.loads(_answer(url))["overview"])
    except (OSError, HTTPException):  # nobody answers, or nothing that speaks HTTP
        return None
    except (ValueError, KeyError, TypeError):  # somebody else has that port now, or the note is cut
        return None


def _answer(url: str) -> bytes:
    opener = build_opener(ProxyHandler({}))  # a process of this machine is behind no proxy
    try:
        with opener.open(url, timeout=ANSWER_S) as answer:
            return bytes(answer.read(MOST_BYTES))
    except HTTPError as error:  # a process that is not well answers 503, and says what it is
        with error:
            return error.read(MOST_BYTES)


def _heard(agent: AgentStatus) -> float:
    return float("inf") if agent.unheard_s is None else agent.unheard_s


def _name(agent: AgentStatus) -> str:
    return agent.agent
