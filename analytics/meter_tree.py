"""A head meter sees what its sub-meters see: where one of these explains it, the case is theirs, for they say where.

Electricity above what is expected is told on the sub-meter from the beginning (``analytics.detectors.excess``). Here it
is what each meter finds by itself, such as a leak, that is seen on both.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from facility.model import MeterRole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from facility.catalogue import Catalogue
    from facility.work import Finding

EXPLAINED = 0.7
"""Share of a head meter's excess that its sub-meters must have to be its cause."""

BEGAN_WITHIN = timedelta(hours=24)
"""On a meter that is busy by day what began then is known to the day."""

ONE_KIND = {"night_flow_rise": "continuous_flow"}
"""Detectors that tell of the same: of two meters one may rest at times, and the other never."""


def by_tree(
    findings: Sequence[Finding], catalogue: Catalogue, is_in_hand: Callable[[str], bool]
) -> tuple[list[Finding], Mapping[str, list[str]]]:
    """The findings without those that others explain, and keys of those that are folded, by the key of the other one.

    ``is_in_hand`` tells by a case's key whether somebody has it. Where it is the head meter's, the sub-meters' are
    folded: nobody else is sent.
    """
    kept = {one.key: one for one in findings}
    folded = defaultdict[str, "list[str]"](list)
    groups = _groups(findings, catalogue)
    for head in [one for one in findings if catalogue.meter[one.meter].role is MeterRole.HEAD]:
        parts = [one for one in groups.get(_group(head), ()) if abs(one.since - head.since) <= BEGAN_WITHIN]
        if not parts or not 0 < EXPLAINED * _per_day(head) <= sum(map(_per_day, parts)):
            continue
        teller, silent = (head, parts) if is_in_hand(head.key) else (max(parts, key=_per_day), [head])
        kept[teller.key] = _with(kept[teller.key], silent)
        for one in silent:
            kept.pop(one.key, None)
            folded[teller.key].append(one.key)
    return list(kept.values()), folded


def _groups(findings: Sequence[Finding], catalogue: Catalogue) -> Mapping[tuple[object, ...], list[Finding]]:
    """What sub-meters found, by building, utility and kind."""
    found = defaultdict[tuple[object, ...], "list[Finding]"](list)
    for one in findings:
        if catalogue.meter[one.meter].role is MeterRole.SUB and _per_day(one) > 0:
            found[_group(one)].append(one)
    return found


def _group(one: Finding) -> tuple[object, ...]:
    return one.building, one.utility, ONE_KIND.get(one.detector, one.detector)


def _per_day(one: Finding) -> float:
    return one.excess.per_day if one.excess else 0.0


def _with(teller: Finding, silent: Sequence[Finding]) -> Finding:
    """With what the others show beside it, and as severe as the worst of them."""
    known = {one.point for one in teller.evidence}
    beside = [one for other in silent for one in other.evidence if one.point not in known]
    severity = max(teller.severity, *(one.severity for one in silent))
    return replace(teller, severity=severity, evidence=(*teller.evidence, *beside))
