"""What a meter's ledger cannot say, wherever it was written: in site.yaml or by a swap or a correction."""

from __future__ import annotations

from datetime import UTC
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from facility.errors import ConfigError, Problem
from facility.ledger.ratio import true_ratios
from facility.wall_time import shown_instant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from facility.ledger.installation import Installation


class LedgerFault(NamedTuple):
    """What is wrong with one fact of an entry, and what is allowed; ``entry`` is its position."""

    entry: int
    fact: str
    what: str
    allowed: str = ""


def check_history(history: tuple[Installation, ...], zone: tzinfo = UTC) -> None:
    """Raise ``ConfigError`` with everything that the entries of a meter, oldest first, cannot say."""
    faults = list(faults_of(history))
    if faults:
        place = {fault: _place(history[fault.entry], zone) for fault in faults}
        raise ConfigError(*(Problem(place[fault], fault.what, fault.allowed) for fault in faults))


def check_not_ahead(history: tuple[Installation, ...], now: datetime, zone: tzinfo = UTC) -> None:
    """Raise ``ConfigError`` where a device or its ratio changes later than now: it would take effect at once.

    When an agent learns a ratio may lie ahead.
    """
    for before, one in pairwise(history):
        if one.since > now and not (one.continues and true_ratios(one) == true_ratios(before)):
            raise ConfigError(Problem(_place(one, zone), "lies in the future", "up to now; write it once it is done"))


def _place(one: Installation, zone: tzinfo) -> str:
    return f"{one.meter}, entry from {shown_instant(one.since, zone)}"


def faults_of(history: tuple[Installation, ...]) -> Iterator[LedgerFault]:
    """Everything that the entries of a meter, as they stand, cannot say."""
    for k, one in enumerate(history):
        if one.digits is not None and one.rolls_over_at is not None:
            yield LedgerFault(k, "digits", "'digits' and 'rolls_over_at' say the same thing", "one of them")
        if one.span and one.opening is not None and one.opening >= one.span:
            yield LedgerFault(k, "opening", f"opening read {one.opening:g} is more than the register holds")
        yield from _beside(k, one, history[k - 1]) if k else _first(one)


def _first(one: Installation) -> Iterator[LedgerFault]:
    if one.closing is not None:
        yield LedgerFault(0, "closing", "the first installation closes nothing", "opening alone")
    if one.continues:
        yield LedgerFault(0, "continues", "the first installation continues nothing")


def _beside(k: int, one: Installation, before: Installation) -> Iterator[LedgerFault]:
    if one.since <= before.since:
        what = f"a swap on {one.since:%Y-%m-%d %H:%M} UTC lies before the install of {before.since:%Y-%m-%d %H:%M} UTC"
        yield LedgerFault(k, "since", what, "a later time: installations stand oldest first")
    if not one.continues and one.serial and one.serial == before.serial:
        yield LedgerFault(k, "serial", f"serial '{one.serial}' hung there before", "'continues: true' for a new ratio")
    if before.span and one.closing is not None and one.closing >= before.span:
        yield LedgerFault(k, "closing", f"closing read {one.closing:g} is more than the old register holds")
