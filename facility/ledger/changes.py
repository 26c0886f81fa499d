"""What a person notes in a meter's ledger: a swap, a correction, an entry taken out; what each must say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias
from zoneinfo import ZoneInfo

from facility.errors import ConfigError, Problem
from facility.ledger.installation import (
    FEWEST_DIGITS,
    MOST_DIGITS,
    Installation,
    agent_ratios,
    amended,
    removed,
    swapped,
)
from facility.ledger.ratio import corrected, known_to_agent_from, true_ratios
from facility.model import Ratio
from facility.wall_time import shown_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facility.catalogue import Catalogue
    from facility.ledger.installation import Ratios
    from facility.model import Meter

History: TypeAlias = tuple[Installation, ...]
AgentFrom: TypeAlias = datetime | Literal["never"] | None
"""When the agent begins to multiply by a new ratio, past or planned; None: nobody said."""


@dataclass(frozen=True, slots=True)
class DeviceSwap:
    """Another device at a meter's place, with the reads of both faces. Ratios and span None: as those before."""

    meter: str
    at: datetime
    reason: str
    by: str
    serial: str = ""
    closing: float | None = None
    opening: float | None = None
    digits: int | None = None
    rolls_over_at: float | None = None
    ct_ratio: float | None = None
    pt_ratio: float | None = None
    agent_from: AgentFrom = None
    photo: str = ""


@dataclass(frozen=True, slots=True)
class LedgerCorrection:
    """What was in truth so from an instant on; None: as the ledger says. Ratios hold until the next real change."""

    meter: str
    since: datetime
    reason: str
    by: str
    serial: str | None = None
    closing: float | None = None
    opening: float | None = None
    digits: int | None = None
    rolls_over_at: float | None = None
    ct_ratio: float | None = None
    pt_ratio: float | None = None
    agent_from: AgentFrom = None


@dataclass(frozen=True, slots=True)
class EntryRemoval:
    """An entry that is wrong, such as a swap under another date: it is taken out, and what was before hangs on."""

    meter: str
    since: datetime
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class LedgerChange:
    """A meter's history as it shall be, and when its agent must know a changed ratio; None: nothing to tell it."""

    meter: Meter
    history: History
    agent_from: datetime | None = None


def note_swap(estate: Catalogue, swap: DeviceSwap, now: datetime) -> LedgerChange:
    """The ledger with a swap. Raises ``ConfigError`` that names the field of ``swap`` which cannot be."""
    place = _place_of(estate, swap, now)
    old = estate.ledger_of(place)
    agents = agent_ratios(old[-1])
    span_said = swap.digits is not None or swap.rolls_over_at is not None
    new = Installation(
        meter=place.id,
        since=swap.at.astimezone(UTC),
        serial=swap.serial,
        digits=swap.digits if span_said else old[-1].digits,
        rolls_over_at=swap.rolls_over_at if span_said else old[-1].rolls_over_at,
        ct_ratio=old[-1].ct_ratio if swap.ct_ratio is None else swap.ct_ratio,
        pt_ratio=old[-1].pt_ratio if swap.pt_ratio is None else swap.pt_ratio,
        told_ct_ratio=agents[0],
        told_pt_ratio=agents[1],
        opening=swap.opening,
        closing=swap.closing,
        photo=swap.photo,
        reason=swap.reason.strip(),
        by=swap.by,
    )
    ratios, known = true_ratios(new), None
    if _names_ratio(swap):
        _check_ratio_applies(estate, place)
        known = _agent_knows_from(place, swap.agent_from, agents) if ratios != agents else None
    return LedgerChange(place, known_to_agent_from(swapped(old, new, zone_of(estate)), known, ratios, new), known)


def note_correction(estate: Catalogue, correction: LedgerCorrection, now: datetime) -> LedgerChange:
    """The ledger put right. Raises ``ConfigError`` that names the field of ``correction`` which cannot be."""
    place, since, known = _place_of(estate, correction, now), correction.since.astimezone(UTC), None
    facts = _corrected_facts(correction)
    if not facts and not _names_ratio(correction):
        raise ConfigError(Problem(place.id, "nothing is corrected", ", ".join((*_RATIOS, *_FACTS))))
    history = estate.ledger_of(place)
    if facts:
        history = amended(history, since, facts, zone_of(estate))
    if _names_ratio(correction):
        _check_ratio_applies(estate, place)
        in_force = ([one for one in history if one.since <= since] or [history[0]])[-1]
        true = Installation(
            place.id,
            since,
            ct_ratio=in_force.ct_ratio if correction.ct_ratio is None else correction.ct_ratio,
            pt_ratio=in_force.pt_ratio if correction.pt_ratio is None else correction.pt_ratio,
            reason=correction.reason.strip(),
            by=correction.by,
        )
        known = _agent_knows_from(place, correction.agent_from, agent_ratios(in_force))
        history = corrected(history, since, known, true, zone_of(estate))
    return LedgerChange(place, history, known)


def note_removal(estate: Catalogue, removal: EntryRemoval) -> LedgerChange:
    """The ledger without an entry. Raises ``ConfigError`` where it has none from then, or cannot do without it."""
    place = known_meter(estate, removal.meter)
    history = estate.ledger_of(place)
    return LedgerChange(place, removed(history, removal.since, zone_of(estate)))


def known_meter(estate: Catalogue, meter: str) -> Meter:
    """The meter of an id. Raises ``ConfigError``."""
    if meter not in estate.meter:
        raise ConfigError(Problem("meter", f"unknown meter '{meter}'", ", ".join(estate.meter)))
    return estate.meter[meter]


def zone_of(estate: Catalogue) -> ZoneInfo:
    """The zone of the local times that people write and read."""
    return ZoneInfo(estate.site.timezone)


def ledgers_of(estate: Catalogue, building: str = "") -> list[tuple[Meter, History]]:
    """Every meter of a utility with its history, of one building or of all.

    Raises ``ConfigError`` for an unknown building.
    """
    if building and building not in estate.building:
        raise ConfigError(Problem("building", f"unknown building '{building}'", ", ".join(estate.building)))
    meters = estate.meters_of(building) if building else estate.meters
    return [(m, estate.ledger_of(m)) for m in meters if m.utility is not None]


_RATIOS = ("ct_ratio", "pt_ratio")
_FACTS = ("serial", "closing", "opening", "digits", "rolls_over_at")


def _names_ratio(noted: DeviceSwap | LedgerCorrection) -> bool:
    return noted.ct_ratio is not None or noted.pt_ratio is not None


def _corrected_facts(correction: LedgerCorrection) -> dict[str, object]:
    """Facts other than ratios; one way of saying where the register rolls over takes the place of the other."""
    facts = {name: getattr(correction, name) for name in _FACTS}
    said: dict[str, object] = {name: value for name, value in facts.items() if value is not None}
    if "digits" in said or "rolls_over_at" in said:
        said |= {"digits": correction.digits, "rolls_over_at": correction.rolls_over_at}
    return said


def _place_of(estate: Catalogue, noted: DeviceSwap | LedgerCorrection, now: datetime) -> Meter:
    """The meter, once what is noted of it can be: it is over, and its numbers are possible."""
    place = known_meter(estate, noted.meter)
    field, at = ("at", noted.at) if isinstance(noted, DeviceSwap) else ("since", noted.since)
    _check_over(field, at, now, zone_of(estate))
    if problems := list(_impossible_numbers(noted)):
        raise ConfigError(*problems)
    return place


def _check_over(field: str, at: datetime, now: datetime, zone: ZoneInfo) -> None:
    """Refuse what lies ahead: it would take effect at once."""
    if at > now:
        until = f"up to now, {shown_instant(now.replace(microsecond=0), zone)}; note it once it is done"
        raise ConfigError(Problem(field, f"{shown_instant(at, zone)} lies in the future", until))


def _impossible_numbers(noted: DeviceSwap | LedgerCorrection) -> Iterator[Problem]:
    """What no register shows and no transformer has."""
    for field in ("closing", "opening"):
        if (face := getattr(noted, field)) is not None and not 0 <= face < math.inf:
            yield Problem(field, f"{face:g} is no number that a register shows", "such as 84211.7")
    if (span := noted.rolls_over_at) is not None and not 1 <= span < math.inf:
        yield Problem("rolls_over_at", f"{span:g} is no number that a register shows", "such as 65536")
    if (digits := noted.digits) is not None and not FEWEST_DIGITS <= digits <= MOST_DIGITS:
        allowed = f"{FEWEST_DIGITS} to {MOST_DIGITS}"
        yield Problem("digits", f"a register of {digits} whole digits is impossible", allowed)
    for field in _RATIOS:
        if (ratio := getattr(noted, field)) is not None and not 0 < ratio < math.inf:
            yield Problem(field, f"a ratio of {ratio:g} is impossible", "more than 0, such as 40")


def _check_ratio_applies(estate: Catalogue, place: Meter) -> None:
    """Refuse a ratio that would change nothing: the device itself shows primary values."""
    if not any(p.ratio not in {None, Ratio.NONE} for p in estate.points_of(place.id) if p.quantity.is_counter):
        raise ConfigError(
            f"{place.id}: its counters show primary values ({place.profile}); no ratio is applied to them"
        )


def _agent_knows_from(place: Meter, agent_from: AgentFrom, agents: Ratios) -> datetime | None:
    """When the agent knows a changed ratio, None for never: nobody but a person can tell, and a guess costs energy."""
    if not place.agent:
        return None  # an import multiplies by what it is divided by
    if agent_from is None:
        what = (
            f"is missing: agent {place.agent} multiplies by CT {agents[0]:g}, PT {agents[1]:g} until it is restarted"
            " with the new extract; counted before or after that by the wrong one, energy is lost or doubled"
        )
        allowed = "the time of that restart, past or planned: its log begins then; never, if it keeps the old ratio"
        raise ConfigError(Problem("agent_from", what, allowed))
    return agent_from.astimezone(UTC) if isinstance(agent_from, datetime) else None
