"""What strikes when: the order of kills, the moments and the lesser faults beside them follow from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Literal

Victim = Literal["edge", "broker", "ingest"]
Beside = Literal["nothing", "freeze", "blackhole", "delay", "rst", "dropack", "disk_full", "clock_ahead", "clock_back"]

VICTIMS: tuple[Victim, ...] = ("edge", "broker", "ingest")

BESIDE: dict[Victim, tuple[Beside, ...]] = {
    "edge": ("rst", "freeze", "clock_ahead", "delay", "clock_back"),
    "broker": ("freeze", "nothing"),
    "ingest": ("blackhole", "rst", "dropack", "disk_full", "delay"),
}
"""Lesser faults that are under way when a kill falls, dealt in turn.

At an edge's kill beside ``rst`` nothing of the fresh readings has left the machine: then one of them is spoilt on
disk and must end as a tombstone. The broker runs with Debian's settings first and then in turn with ours, so its
first kill, and every second, hits those. Then ingest is frozen: what the broker has confirmed and not delivered is in
its memory alone, which a design that trusts the broker's word cannot survive.
"""

LONGEST_WAIT_S = 0.7
LONGEST_DOWN_S = 0.5


@dataclass(frozen=True, slots=True)
class Strike:
    """One kill: so long after fresh readings began to flow, and the victim stays down so long."""

    victim: Victim
    beside: Beside
    wait_s: float
    down_s: float


def strikes(seed: int, kills: int) -> list[Strike]:
    """``kills`` strikes at each victim, shuffled."""
    rng = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    order = [victim for victim in VICTIMS for _ in range(kills)]
    rng.shuffle(order)
    beside = {victim: cycle(BESIDE[victim]) for victim in VICTIMS}
    return [
        Strike(victim, next(beside[victim]), rng.uniform(0.05, LONGEST_WAIT_S), rng.uniform(0, LONGEST_DOWN_S))
        for victim in order
    ]
