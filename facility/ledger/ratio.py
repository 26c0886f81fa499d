"""Transformer ratios in a meter's ledger: which one was true since when, and which one its agent multiplied by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

from facility.errors import ConfigError
from facility.ledger.installation import agent_ratios
from facility.wall_time import shown_instant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from facility.ledger.installation import Installation, Ratios

    History = tuple[Installation, ...]


def corrected(
    history: History, since: datetime, until: datetime | None, facts: Installation, zone: tzinfo = UTC
) -> History:
    """The history in which the ratios of ``facts`` hold from ``since`` on, and the agent knows them from ``until`` on.

    They hold until the next real change: another device, or an entry whose ratio differs from the one before it.
    ``until`` None: the agent never knows them. Raises ``ConfigError`` where ``since`` lies before the first entry.
    """
    if since < history[0].since:
        raise ConfigError(
            f"{facts.meter}: nothing hung there on {shown_instant(since, zone)}; the ledger begins"
            f" {shown_instant(history[0].since, zone)}"
        )
    ratios = facts.ct_ratio, facts.pt_ratio
    cut = tuple(_explicit(one) for one in history)
    if true_ratios(cut[_begun(cut, since)]) != ratios:
        cut = _cut(cut, since, facts)
    start = _begun(cut, since)
    end = _run_end(cut, start, true_ratios, one_device=True)
    ended = cut[end].since if end < len(cut) else None
    right = tuple(_true(one, ratios) if start <= k < end else one for k, one in enumerate(cut))
    learns = None if until is None or (ended is not None and until >= ended) else until
    return known_to_agent_from(right, learns, ratios, facts, end=ended)


def known_to_agent_from(
    history: History, start: datetime | None, ratios: Ratios, facts: Installation, *, end: datetime | None = None
) -> History:
    """The history in which the agent multiplies by ``ratios`` from ``start`` on, until ``end`` or its next change.

    ``start`` None: it never does.
    """
    if start is None:
        return tuple(map(_plain, history))
    cut = tuple(_explicit(one) for one in history)
    if agent_ratios(cut[_begun(cut, start)]) != ratios:
        cut = _cut(cut, start, facts)
    first = _begun(cut, start)
    last = _run_end(cut, first, agent_ratios, one_device=False)
    known = (
        replace(one, told_ct_ratio=ratios[0], told_pt_ratio=ratios[1])
        if first <= k < last and (end is None or one.since < end)
        else one
        for k, one in enumerate(cut)
    )
    return tuple(map(_plain, known))


def true_ratios(one: Installation) -> Ratios:
    """CT and PT of the transformers while this entry holds."""
    return one.ct_ratio, one.pt_ratio


def _begun(history: History, at: datetime) -> int:
    """Position of the entry in force at an instant, the first where there is none yet."""
    return max((k for k, one in enumerate(history) if one.since <= at), default=0)


def _cut(history: History, at: datetime, facts: Installation) -> History:
    """The history with an entry that begins at ``at``: what hangs there goes on, noted as ``facts`` say."""
    k = _begun(history, at)
    if history[k].since >= at:
        return history
    going_on = replace(
        history[k], since=at, opening=None, closing=None, continues=True, photo="", reason=facts.reason, by=facts.by
    )
    return (*history[: k + 1], going_on, *history[k + 1 :])


def _run_end(history: History, start: int, ratios: Callable[[Installation], Ratios], *, one_device: bool) -> int:
    """Position after the last entry from ``start`` on whose ratios are those of ``start``."""
    for k in range(start + 1, len(history)):
        if ratios(history[k]) != ratios(history[start]) or (one_device and not history[k].continues):
            return k
    return len(history)


def _true(one: Installation, ratios: Ratios) -> Installation:
    return replace(one, ct_ratio=ratios[0], pt_ratio=ratios[1])


def _explicit(one: Installation) -> Installation:
    """The entry with what the agent multiplies by written out, whatever becomes of its true ratios."""
    ct, pt = agent_ratios(one)
    return replace(one, told_ct_ratio=ct, told_pt_ratio=pt)


def _plain(one: Installation) -> Installation:
    """The entry without what the agent multiplies by where that is the truth."""
    return replace(
        one,
        told_ct_ratio=None if one.told_ct_ratio == one.ct_ratio else one.told_ct_ratio,
        told_pt_ratio=None if one.told_pt_ratio == one.pt_ratio else one.told_pt_ratio,
    )
