"""An agent that fails is one alert, not one of each of its meters: it is silent, or many of its meters say the same.

Nobody sets out to look at sixty meters that stopped at once. What they have in common is looked at first.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import HOUR_MS
from facility.quantities import Kind
from facility.work import SENSOR_ALARMS, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analytics.scene import Scene
    from facility.catalogue import Catalogue
    from facility.model import Meter
    from facility.work import Finding

SILENT_AGENT = "silent_agent"
MANY, STORM = "silent_agent_many", "silent_agent_storm"
"""The texts where many of its meters say nothing new, and where many of its sensors raise an alarm at once."""

HOLD = timedelta(hours=1)
SAY_NOTHING = frozenset({"silent_meter", "stuck_meter"})
RAISE_ALARM = SENSOR_ALARMS | {"door_left_open"}

MANY_OF_FEW, HALF = 5, 0.5
MANY_OF_ALL = 20
"""So many meters of one agent have one cause, or half of them where these are a few at least."""

AT_ONCE = timedelta(minutes=1)
"""What a gateway says of many sensors when it fails or starts comes in one round; leaks of one flood do not."""

RECORD_H, OFTEN = 28 * 24, 0.99
"""The record by which one knows how long an agent rests, and the share of its pauses that are no longer."""

LEAST_H, STATES_H, PAUSES = 0.5, 2.0, 3.0
"""An agent is silent after so long, or so many pauses of its quickest meter; with states alone it speaks hourly."""


def silent_agents(scene: Scene) -> Iterator[Finding]:
    """Agents of which no meter was heard for a while; only while somebody listens.

    What stands in a store says nothing of an agent that caught up later. Where all of several agents are silent, the
    server itself hears nothing, which its own alarms say. One with a single meter is a silent meter.
    """
    if not scene.window.heard_ms:
        return
    heard, of_agent = scene.last_seen(), defaultdict[str, "list[Meter]"](list)
    for meter in map(scene.catalogue.meter.__getitem__, heard):
        if meter.agent:  # else people read it
            of_agent[meter.agent].append(meter)
    newest = {agent: max(heard[meter.id] for meter in meters) for agent, meters in of_agent.items()}
    silent = [
        agent
        for agent, t_ms in newest.items()
        if t_ms and (scene.now_ms - t_ms) / HOUR_MS > _patience_h(scene.catalogue, of_agent[agent])
    ]
    if len(silent) == len(newest) > 1:
        return
    for agent in silent:
        hours_h = round((scene.now_ms - newest[agent]) / HOUR_MS, 1)
        if len(of_agent[agent]) > 1 and hours_h > PAUSES * _usual_pause_h(scene, of_agent[agent]):
            yield _finding(scene, agent, newest[agent], Severity.ACT, len(of_agent[agent]), "", hours_h=hours_h)


def by_agent(findings: Sequence[Finding], scene: Scene) -> tuple[list[Finding], Mapping[str, list[str]]]:
    """The findings with those of one agent's failure as one, and keys of those that are folded, by that one's key.

    ``silent_agents`` are among the findings that come in.
    """
    kept = {finding.key: finding for finding in findings if finding.detector != SILENT_AGENT}
    whole = {str(one.params["agent"]): one for one in findings if one.detector == SILENT_AGENT}
    folded = {one.key: _keys_of(scene.catalogue, agent) for agent, one in whole.items()}
    for agent, members in _by_agent(list(kept.values()), scene.catalogue).items():
        one, mine = _as_one(scene, agent, members, whole.get(agent))
        if one is not None:
            whole[agent] = one
            folded.setdefault(one.key, []).extend(member.key for member in mine)
    gone = {key for keys in folded.values() for key in keys}
    return [*(one for key, one in kept.items() if key not in gone), *whole.values()], folded


def _as_one(
    scene: Scene, agent: str, members: Sequence[Finding], silent: Finding | None
) -> tuple[Finding | None, list[Finding]]:
    """The one finding that tells of these, and which it tells of."""
    mute = [one for one in members if one.detector in SAY_NOTHING]
    loud = _at_once([one for one in members if one.detector in RAISE_ALARM])
    meters = len(scene.catalogue.meters_of_agent(agent))
    one, mine = silent, mute if silent else []
    n = len({member.meter for member in mute})
    if silent is None and (n >= MANY_OF_ALL or (n >= MANY_OF_FEW and n >= HALF * meters)):
        one, mine = _finding(scene, agent, _first_ms(mute), Severity.ACT, n, MANY), mute
    if len({member.meter for member in loud}) >= MANY_OF_ALL:
        severity, number = max(member.severity for member in loud), len({member.meter for member in loud})
        one, mine = _finding(scene, agent, _first_ms(loud), severity, number, STORM), [*mine, *loud]
    return one, mine


def _keys_of(catalogue: Catalogue, agent: str) -> list[str]:
    """Keys of all cases that its meters may have had by saying nothing."""
    meters = catalogue.meters_of_agent(agent)
    return [f"{meter.building}/{meter.id}/{detector}" for meter in meters for detector in sorted(SAY_NOTHING)]


def _at_once(loud: Sequence[Finding]) -> list[Finding]:
    """Those that began within a minute of each other, as many as there are."""
    in_order = sorted(loud, key=lambda one: one.since)
    best: list[Finding] = []
    first = 0
    for last, one in enumerate(in_order):
        while one.since - in_order[first].since > AT_ONCE:
            first += 1
        if last + 1 - first > len(best):
            best = in_order[first : last + 1]
    return best


def _by_agent(findings: Sequence[Finding], catalogue: Catalogue) -> Mapping[str, list[Finding]]:
    found = defaultdict[str, "list[Finding]"](list)
    for one in findings:
        if one.detector in SAY_NOTHING | RAISE_ALARM:
            found[catalogue.meter[one.meter].agent].append(one)
    return found


def _finding(
    scene: Scene, agent: str, since_ms: int, severity: Severity, number: int, message: str, **params: float
) -> Finding:
    """Kept under the agent's first meter, always the same one."""
    meter = min(m.id for m in scene.catalogue.meters_of_agent(agent) if scene.catalogue.points_of(m.id))
    point = scene.catalogue.points_of(meter)[0].id
    evidence = scene.evidence(point, "reading")
    made = scene.finding(SILENT_AGENT, point, since_ms, evidence, severity=severity, confidence=0.97, message=message)
    return replace(made, params={**made.params, "agent": agent, "number": number, **params})


def _first_ms(findings: Sequence[Finding]) -> int:
    return round(min(one.since for one in findings).timestamp() * 1000)


def _usual_pause_h(scene: Scene, meters: Sequence[Meter]) -> float:
    """How long these were usually silent together in the last weeks, in hours: some report less often than polled.

    Of the hours in which one spoke, how long before their ends the last word came; and whole hours between them.
    """
    newest = np.max([scene.seen(meter.id)[-RECORD_H:] for meter in meters], axis=0)
    spoke = np.flatnonzero(np.diff(newest, prepend=0) > 0)
    if len(spoke) < 2:  # noqa: PLR2004 - nothing to compare with
        return 0.0
    ends_ms = scene.window.edges_ms[: scene.hours + 1][-len(newest) :]
    said = spoke[:-1]  # in the last one the silence may have begun
    ages_h = np.maximum(ends_ms[said] - newest[said], 0) / HOUR_MS
    between_h = np.diff(spoke) - 1.0
    return max(float(np.quantile(ages_h, OFTEN)), float(np.quantile(between_h, OFTEN)) if len(between_h) else 0.0)


def _patience_h(catalogue: Catalogue, meters: Sequence[Meter]) -> float:
    kinds = {point.quantity.kind for meter in meters for point in catalogue.points_of(meter.id)}
    least = LEAST_H if kinds - {Kind.STATE, Kind.EVENT} else STATES_H
    return max(least, PAUSES * min(meter.poll_s for meter in meters) / 3600)
