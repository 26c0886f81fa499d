"""What processes, agents, their buses and radio devices say of themselves, each minute. It cannot be made again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import MINUTE_MS, SECOND_MS
from facility.quantities import Quantity
from facility.system_alarm import AGENT_PREFIX, SystemAlarm
from stores.readings.port import RollupSeries
from stores.readings.rollups import ROLLUPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from facility.catalogue import Catalogue
    from facility.status import AgentStatus, Overview, ProcessSeen
    from stores.readings.port import Latest, ReadingStore

_RATES = {"received_rate": "received", "stored_rate": "stored", "quarantined_rate": "quarantined"}
_FIGURES = {
    "queue": "queue",
    "latency_p95_s": "live_latency_p95_s",
    "series_used": "series",
    "series_budget": "series_budget",
    "rollups_behind_s": "rollups_behind_s",
    "hours_behind_s": "hours_behind_s",
}
_SUMMED = frozenset({"queue"})
"""Of several processes of a kind the sum; of the other figures the greatest."""

_OF_AGENT = {"queue": "unstored", "lost": "lost_unwritten", "unread": "unread"}
_OK = "ok"
"""What a bus says that fares well."""

_RADIO = {Quantity.BATTERY: "battery", Quantity.SIGNAL: "rssi"}


class HealthRows:
    """Writes ``device_health`` and ``platform_1m`` of one estate."""

    def __init__(self, store: ReadingStore, catalogue: Catalogue) -> None:
        self._store, self._catalogue = store, catalogue
        self._counts: dict[tuple[str, str], tuple[int, float]] = {}
        points = [point for quantity in _RADIO for point in catalogue.points_of_quantity(quantity)]
        self._radios = {point.meter: catalogue.points_of(point.meter) for point in points}

    def write(self, overview: Overview, now_ms: int) -> None:
        """Write the minute that lasts, of whatever is known now."""
        site, minute = self._catalogue.site.id, now_ms // MINUTE_MS * MINUTE_MS
        devices = [
            *(row for agent in overview.agents for row in _of_agent(agent)),
            *self._of_radios(now_ms),
        ]
        platform = list(self._of_processes(overview.processes, now_ms))
        self._store.write_rollups(
            [
                ("device_health", [_row({"site": site, **tags}, minute, said) for tags, said in devices]),
                ("platform_1m", [_row({"site": site, **tags}, minute, said) for tags, said in platform]),
            ]
        )

    def _of_processes(
        self, processes: Sequence[ProcessSeen], now_ms: int
    ) -> Iterator[tuple[dict[str, str], dict[str, float]]]:
        """Each kind of process with what its processes tell together; of those that have ended nothing."""
        kinds: dict[str, list[ProcessSeen]] = {}
        for one in processes:
            if not one.has_ended:
                kinds.setdefault(one.instance.process, []).append(one)
        for kind, some in kinds.items():
            speaking = [one for one in some if not one.is_silent]
            said: dict[str, float] = {
                "running": len(speaking),
                "age_s": max(one.untold_s for one in some),
                "alarms": sum(len(one.status.alarms) for one in speaking),
                "store_errors": sum(SystemAlarm.STORE_UNAVAILABLE in one.status.alarms for one in speaking),
            }
            for field, figure in _FIGURES.items():
                if known := [one.status.figures[figure] for one in speaking if figure in one.status.figures]:
                    said[field] = sum(known) if field in _SUMMED else max(known)
            for field, figure in _RATES.items():
                rates = [self._rate(one, figure, now_ms) for one in speaking if figure in one.status.figures]
                if rates and not any(map(math.isnan, rates)):
                    said[field] = sum(rates)
            yield {"process": kind}, said

    def _rate(self, seen: ProcessSeen, figure: str, now_ms: int) -> float:
        """How much a count grows a minute since the look before; NaN the first time, and where it began anew."""
        count, key = seen.status.figures[figure], (f"{seen.instance.name} {seen.instance.pid}", figure)
        before_ms, before = self._counts.get(key, (now_ms, math.inf))
        self._counts[key] = now_ms, count
        if now_ms <= before_ms or count < before:
            return math.nan
        return (count - before) / (now_ms - before_ms) * MINUTE_MS

    def _of_radios(self, now_ms: int) -> Iterator[tuple[dict[str, str], dict[str, float]]]:
        points = [point.id for some in self._radios.values() for point in some]
        latest = self._store.latest(points) if points else {}
        for meter, some in self._radios.items():
            newest: list[Latest] = [latest[point.id] for point in some if point.id in latest]
            said = {"age_s": (now_ms - max(one.t_ms for one in newest)) / SECOND_MS} if newest else {}
            said |= {
                field: latest[point.id].x
                for point in some
                if (field := _RADIO.get(point.quantity)) is not None and point.id in latest
            }
            if said:
                yield {"gateway": self._catalogue.meter[meter].agent, "device": meter}, said


def _of_agent(agent: AgentStatus) -> Iterator[tuple[dict[str, str], dict[str, float]]]:
    """An agent and its buses; what it said last is told only while it is heard."""
    speaks = agent.state == "online" and not agent.is_unheard
    said: dict[str, float] = {}
    if agent.state != "unknown":
        said["state"] = float(speaks)
    if agent.unheard_s is not None:
        said["age_s"] = agent.unheard_s
    if speaks:
        said |= {field: agent.figures[name] for field, name in _OF_AGENT.items() if name in agent.figures}
        said["alarms"] = sum(1 for name, value in agent.figures.items() if name.startswith(AGENT_PREFIX) and value)
    if said:
        yield {"gateway": agent.agent, "device": ""}, said
    for bus, state in agent.buses.items() if speaks else ():
        yield {"gateway": agent.agent, "device": bus}, {"state": float(state == _OK)}


def _row(tags: Mapping[str, str], t_ms: int, said: Mapping[str, float]) -> RollupSeries:
    """One row; fields that are not said are absent, whatever stood there."""
    name = "platform_1m" if "process" in tags else "device_health"
    fields = {field: np.array([said.get(field, np.nan)]) for field in ROLLUPS[name].fields if field in said}
    return RollupSeries(dict(tags), np.array([t_ms], np.int64), fields)
