"""Folds findings that have one cause into one: a person should be told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facility.work import Alert, Finding

DOOR, WASTE = "door_left_open", "night_waste"
DOOR_AND_LIGHTS = "door_left_open_lights"
"""The door's texts that also tell of the lights."""

BEFORE_THE_DOOR = timedelta(hours=2)


def folded(findings: Sequence[Finding], just_closed: Sequence[Alert] = ()) -> list[Finding]:
    """Without night waste that began with a door left open: the door's finding already tells of the lights.

    The larger excess of the two stays, so that nothing gets cheaper by folding. ``just_closed`` are doors that stood
    open until an hour or two ago: the lights went out with them.
    """
    kept = {finding.key: finding for finding in findings}
    doors = [finding for finding in findings if finding.detector == DOOR]
    for waste in [finding for finding in findings if finding.detector == WASTE]:
        for door in doors:
            if _same_cause(door, waste) and kept.pop(waste.key, None) is not None:
                kept[door.key] = _with_waste(kept[door.key], waste)
        if any(_same_cause(door, waste) for door in just_closed):
            kept.pop(waste.key, None)
    return list(kept.values())


def _same_cause(door: Finding | Alert, waste: Finding) -> bool:
    explained = door.params.get("lights_meter") == waste.meter
    return explained and waste.building == door.building and waste.since >= door.since - BEFORE_THE_DOOR


def _with_waste(door: Finding, waste: Finding) -> Finding:
    """The door's finding with the evidence, and where it is more the excess, of the waste behind it."""
    mine, its = door.excess, waste.excess
    larger = its if mine is None or (its is not None and its.quantity > mine.quantity) else mine
    amount = {"excess_qty": larger.quantity, "unit": larger.unit} if larger else {}
    evidence = (*door.evidence, *(e for e in waste.evidence if e.point not in {d.point for d in door.evidence}))
    params = {**door.params, **amount}
    return replace(
        door, message=DOOR_AND_LIGHTS, excess=larger, utility=waste.utility, evidence=evidence, params=params
    )
