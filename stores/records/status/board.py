"""What every process of the server and every agent says of itself, on whichever machine: one row each.

Times are the database's own: a teller says how long ago a thing was, a reader is told how long ago it is now.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from facility.errors import Rejected, StoreUnavailable
from facility.status import AgentStatus, Instance, Overview, ProcessSeen, ProcessStatus, ServerProcess
from facility.system_alarm import AGENT_PREFIX, Outlook, Unknown, Unseen, outlook
from stores.records.database import writing
from stores.records.status.tables import agent_status, process_status
from stores.records.tables import agent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection, Engine

KEPT_MS = 30 * 86_400_000
"""Who has told nothing for so long is forgotten."""

MOST_PROCESSES = 500
MOST_NAMES = 100
"""Alarms, figures, facts or buses of one row; what is more is not kept."""

LONGEST_WORDS = 500

NOW_MS = {
    "sqlite": "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    "postgresql": "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
}

p, a = process_status.c, agent_status.c
_SAID = (a.state, a.heard_ms, a.figures, a.buses, a.epoch, a.store_hw)


def database_ms(connection: Connection) -> int:
    """The time by the database's clock, which is the same for everybody who asks it."""
    return int(connection.execute(sa.text(NOW_MS[connection.dialect.name])).scalar_one())


class StatusBoard:
    """Where processes tell, and people and processes read. Every call may raise ``StoreUnavailable``."""

    def __init__(self, engine: Engine, clock_ms: Callable[[Connection], int] = database_ms) -> None:
        self._engine, self._clock_ms = engine, clock_ms

    def tell(self, instance: Instance, status: ProcessStatus, up_s: float, agents: Sequence[AgentStatus] = ()) -> None:
        """Put in place of what the instance told before. Agents that the registry does not have are left out."""
        with _reachable("told"), writing(self._engine) as connection:
            now_ms = self._clock_ms(connection)
            row = _process_row(instance, status) | {"started_ms": now_ms - _ms(up_s), "told_ms": now_ms}
            _put(connection, process_status, [row | {"has_ended": False}])
            self._put_agents(connection, agents, now_ms)

    def expect(self, agents: Sequence[AgentStatus]) -> None:
        """Say what is to be expected of agents that are about to be started."""
        with _reachable("told"), writing(self._engine) as connection:
            self._put_agents(connection, agents, self._clock_ms(connection))

    def say_goodbye(self, instance: Instance) -> None:
        """The instance ends in good order."""
        with _reachable("told"), writing(self._engine) as connection:
            ended = sa.update(process_status).where(p.name == instance.name, p.pid == instance.pid)
            connection.execute(ended.values(has_ended=True, told_ms=self._clock_ms(connection)))

    def overview(self) -> Overview:
        """Everything that is known: every process that has told, and every agent of the registry, heard or not."""
        with _reachable("read"), self._engine.connect() as connection:
            now_ms = self._clock_ms(connection)
            known = sa.select(agent.c.id, *_SAID).outerjoin_from(agent, agent_status, a.agent == agent.c.id)
            processes = connection.execute(sa.select(process_status).order_by(p.name)).mappings().all()
            agents = connection.execute(known.order_by(agent.c.id)).all()
        return Overview([_seen(row, now_ms) for row in processes], [_agent(*row, now_ms=now_ms) for row in agents])

    def outlook(self) -> Outlook:
        """What a reader can say of Meterhouse itself. Never raises: what cannot be read is unknown, and not well."""
        try:
            return outlook(self.overview())
        except StoreUnavailable as error:
            return Outlook(unknown=[Unknown(Unseen.RECORDS, str(error))])

    def stored_elsewhere(self, store: str) -> tuple[str, int]:
        """Where ingest stores, and how many readings that other store has confirmed; nothing where it is this one."""
        ingests = [one.status for one in self.overview().of(ServerProcess.INGEST) if one.status.facts.get("store")]
        if not ingests or any(one.facts["store"] == store for one in ingests):
            return "", 0
        return ingests[0].facts["store"], round(ingests[0].figures.get("confirmed", 0))

    def note_moved(self, source: str, target: str) -> None:
        """What ingest has stored in ``source`` lies in ``target`` now."""
        with _reachable("told"), writing(self._engine) as connection:
            rows = connection.execute(sa.select(p.name, p.facts).where(p.process == ServerProcess.INGEST)).all()
            for name, facts in rows:
                if facts.get("store") == source:
                    fresh = sa.update(process_status).where(p.name == name).values(facts={**facts, "store": target})
                    connection.execute(fresh)

    def prune(self) -> None:
        """Forget who has told nothing for a month, and agents that the registry has no more.

        The last of a kind stays, for where none of its kind tells any more that is an alarm until somebody says
        ``forget``.
        """
        with _reachable("told"), writing(self._engine) as connection:
            now_ms = self._clock_ms(connection)
            newest = sa.select(p.name).order_by(p.told_ms.desc()).limit(MOST_PROCESSES)
            last_told = sa.select(sa.func.max(p.told_ms)).group_by(p.process)
            is_old = sa.or_(p.told_ms < now_ms - KEPT_MS, p.name.not_in(newest))
            old = is_old & p.told_ms.not_in(last_told)
            connection.execute(sa.delete(process_status).where(old))
            connection.execute(sa.delete(agent_status).where(a.agent.not_in(sa.select(agent.c.id))))

    def forget(self, name: str) -> None:
        """Take away a process that will not come back. Raises ``Rejected`` for one that is unknown or tells."""
        seen = {one.instance.name: one for one in self.overview().processes}
        if name not in seen:
            raise Rejected("unknown_process", f"no process '{name}' has told its status (known: {', '.join(seen)})")
        if not (seen[name].is_silent or seen[name].has_ended):
            raise Rejected("process_tells", f"{name} runs: stop it first")
        with _reachable("told"), writing(self._engine) as connection:
            connection.execute(sa.delete(process_status).where(p.name == name))

    def forget_all(self) -> None:
        """Take away everything that was told: whoever runs tells anew."""
        with _reachable("told"), writing(self._engine) as connection:
            connection.execute(sa.delete(process_status))
            connection.execute(sa.delete(agent_status))

    def _put_agents(self, connection: Connection, agents: Sequence[AgentStatus], now_ms: int) -> None:
        if not agents:
            return
        known = set(connection.execute(sa.select(agent.c.id)).scalars())
        rows = [_agent_row(one, now_ms) for one in sorted(agents, key=lambda one: one.agent) if one.agent in known]
        _put(connection, agent_status, rows, by_ms=now_ms)


@contextmanager
def _reachable(done: str) -> Iterator[None]:
    """Missing rights and broken tables are no reason to end a process either."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise StoreUnavailable(f"status cannot be {done} in the records: {str(cause).strip()}") from None


def _put(connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], by_ms: int | None = None) -> None:
    """Insert or replace; of two ingests that heard an agent ``by_ms``, the one that heard it last is right.

    A row that was heard later than now is of before a clock was set back, and holds nobody up. Two tellers put rows
    in the same order, so that PostgreSQL never finds each waiting for the other.
    """
    if not rows:
        return
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
    (key,) = table.primary_key.columns
    fresh = {column.name: insert.excluded[column.name] for column in table.columns if column is not key}
    where = None
    if by_ms is not None:
        where = sa.or_(a.heard_ms.is_(None), insert.excluded.heard_ms >= a.heard_ms, a.heard_ms > by_ms)
    connection.execute(insert.on_conflict_do_update(index_elements=[key], set_=fresh, where=where), rows)


def _process_row(instance: Instance, status: ProcessStatus) -> dict[str, Any]:
    return {
        "name": instance.name,
        "process": instance.process,
        "host": instance.host,
        "place": instance.place,
        "pid": instance.pid,
        "state": status.state[:LONGEST_WORDS],
        "alarms": _bounded(status.alarms),
        "figures": _bounded(status.figures),
        "facts": _bounded(status.facts),
    }


def _agent_row(status: AgentStatus, now_ms: int) -> dict[str, Any]:
    return {
        "agent": status.agent,
        "state": status.state,
        "heard_ms": None if status.unheard_s is None else now_ms - _ms(status.unheard_s),
        "figures": _bounded(status.figures),
        "buses": _bounded(status.buses),
        "epoch": status.epoch,
        "store_hw": status.store_hw,
    }


def _bounded(named: Mapping[str, Any]) -> dict[str, Any]:
    """As much as a row may hold, alarms first: an agent may say what it likes."""
    some = sorted(named.items(), key=lambda one: not one[0].startswith(AGENT_PREFIX))[:MOST_NAMES]
    return {name[:LONGEST_WORDS]: one[:LONGEST_WORDS] if isinstance(one, str) else one for name, one in some}


def _seen(row: sa.RowMapping, now_ms: int) -> ProcessSeen:
    instance = Instance(row["process"], row["host"], row["place"], row["pid"])
    status = ProcessStatus(row["state"], row["alarms"], row["figures"], row["facts"])
    up_s = (now_ms - row["started_ms"]) / 1000
    return ProcessSeen(instance, status, (now_ms - row["told_ms"]) / 1000, up_s, row["has_ended"])


def _agent(agent: str, state: Any, heard_ms: int | None, *said: Any, now_ms: int) -> AgentStatus:
    if state is None:
        return AgentStatus(agent)
    unheard_s = None if heard_ms is None else (now_ms - heard_ms) / 1000
    return AgentStatus(agent, state, unheard_s, *said)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
