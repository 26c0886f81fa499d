"""The ledger of a meter's place: which device hung there since when, its ratios, what was read at each change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem
from facility.wall_time import shown_instant

if TYPE_CHECKING:
    from datetime import tzinfo

    from facility.model import Meter

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when a device hung where nobody noted it."""

BEFORE_THE_LEDGER = "there before the ledger began"
"""The reason of an entry that nobody made."""

Ratios = tuple[float, float]
"""CT and PT."""

FEWEST_DIGITS, MOST_DIGITS = 3, 12
"""Whole digits of a register."""


@dataclass(frozen=True, slots=True)
class Installation:
    """One device (or one ratio of it) at a meter's place from ``since`` on, until the next installation.

    ``closing`` is the last read of the device before, ``opening`` the first of this one, as their faces show them.
    ``told_ct_ratio`` and ``told_pt_ratio`` are what the agent multiplied by meanwhile, where that was not the truth.
    ``continues`` says that it is the device of the installation before, under other facts.
    """

    meter: str
    since: datetime
    serial: str = ""
    digits: int | None = None
    rolls_over_at: float | None = None
    ct_ratio: float = 1.0
    pt_ratio: float = 1.0
    told_ct_ratio: float | None = None
    told_pt_ratio: float | None = None
    opening: float | None = None
    closing: float | None = None
    continues: bool = False
    photo: str = ""
    reason: str = ""
    by: str = ""

    @property
    def span(self) -> float | None:
        """Where the register rolls over to zero, in units of its face; None where nobody said."""
        return self.rolls_over_at or (None if self.digits is None else 10.0**self.digits)


def first_installation(meter: Meter) -> Installation:
    """What hangs at a meter's place that has no ledger yet, as if it always had."""
    return Installation(
        meter.id,
        BEGINNING,
        meter.serial,
        meter.digits,
        meter.rolls_over_at,
        meter.ct_ratio,
        meter.pt_ratio,
        reason=BEFORE_THE_LEDGER,
        by="meterhouse",
    )


def history_of(meter: Meter, ledger: tuple[Installation, ...]) -> tuple[Installation, ...]:
    """Every installation of a meter, oldest first, never none."""
    own = sorted((one for one in ledger if one.meter == meter.id), key=lambda one: one.since)
    return tuple(own) or (first_installation(meter),)


def swapped(history: tuple[Installation, ...], new: Installation, zone: tzinfo = UTC) -> tuple[Installation, ...]:
    """The history with another device from ``new.since`` on.

    Raises ``ConfigError`` where that cannot be, with times of ``zone``.
    """
    last = history[-1]
    if new.since <= last.since:
        raise ConfigError(
            f"{new.meter}: a swap on {shown_instant(new.since, zone)} lies before the present device was installed"
            f" ({shown_instant(last.since, zone)}); if that entry is wrong, take it out first: meterhouse meter"
            " remove-entry"
        )
    if new.serial and new.serial == last.serial:
        raise ConfigError(
            f"{new.meter}: serial {new.serial} already hangs there; a ratio is changed by 'meter correct'"
        )
    return (*history, new)


_READS = ("opening", "closing")


def amended(
    history: tuple[Installation, ...], since: datetime, facts: dict[str, object], zone: tzinfo = UTC
) -> tuple[Installation, ...]:
    """The history in which the device in force at ``since`` has other facts; none of them is a ratio.

    They hold for every entry of that device, and its reads stand where it was installed. Raises ``ConfigError`` where
    nothing hung there.
    """
    found = [i for i, one in enumerate(history) if one.since <= since]
    if not found:
        raise ConfigError(f"{history[0].meter}: nothing hung there on {shown_instant(since, zone)}")
    first = max((i for i in found if not history[i].continues), default=0)
    end = next((i for i in range(first + 1, len(history)) if not history[i].continues), len(history))
    device = {name: value for name, value in facts.items() if name not in _READS}
    installed = replace(history[first], **facts)  # type: ignore[arg-type]
    later = (replace(one, **device) for one in history[first + 1 : end])  # type: ignore[arg-type]
    return (*history[:first], installed, *later, *history[end:])


def removed(history: tuple[Installation, ...], since: datetime, zone: tzinfo = UTC) -> tuple[Installation, ...]:
    """The history without the entry that begins at ``since``: what hung there before hangs on.

    Raises ``ConfigError`` where none begins then, where it is the first, or where later ones continue its device.
    """
    place, later_begins = history[0].meter, ", ".join(shown_instant(one.since, zone) for one in history[1:])
    k = next((i for i, one in enumerate(history) if one.since == since), 0)
    if k == 0:
        what = "is the first of the ledger" if since == history[0].since else "is no entry of the ledger"
        raise ConfigError(Problem(place, f"{shown_instant(since, zone)} {what}", later_begins or "none"))
    if not history[k].continues and k + 1 < len(history) and history[k + 1].continues:
        after = shown_instant(history[k + 1].since, zone)
        raise ConfigError(f"{place}: the entry from {after} continues this device; take that one out first")
    return (*history[:k], *history[k + 1 :])


def agent_ratios(one: Installation) -> Ratios:
    """CT and PT that the agent multiplies by while this entry holds."""
    ct = one.ct_ratio if one.told_ct_ratio is None else one.told_ct_ratio
    return ct, one.pt_ratio if one.told_pt_ratio is None else one.told_pt_ratio


def present_facts(meter: Meter, history: tuple[Installation, ...]) -> Meter:
    """The meter with the facts of what hangs there now, which its agent must know."""
    now = history[-1]
    ct, pt = agent_ratios(now)
    return replace(
        meter, serial=now.serial, digits=now.digits, rolls_over_at=now.rolls_over_at, ct_ratio=ct, pt_ratio=pt
    )
