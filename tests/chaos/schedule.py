"""What strikes when: the order of kills, the moments and the lesser faults beside them follow from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Literal

Victim = Literal["edge", "broker", "ingest", "store"]
Beside = Literal[
    "nothing",
    "freeze",
    "blackhole",
    "delay",
    "rst",
    "dropack",
    "ingest_cut",
    "disk_full",
    "clock_ahead",
    "clock_back",
    "server_back",
    "hostile",
    "flipped_bit",
]

VICTIMS: tuple[Victim, ...] = ("edge", "broker", "ingest")
SERVER_VICTIMS: tuple[Victim, ...] = (*VICTIMS, "store")
"""Where the store is a server, it is killed as well."""

BESIDE: dict[Victim, tuple[Beside, ...]] = {
    "edge": ("rst", "freeze", "clock_ahead", "delay", "clock_back"),
    "broker": ("ingest_cut", "freeze", "flipped_bit", "nothing"),
    "ingest": ("hostile", "blackhole", "disk_full", "server_back", "dropack"),
    "store": ("nothing", "rst", "ingest_cut", "delay"),
}
"""Lesser faults that are under way when a kill falls, dealt in turn.

Edge beside ``rst``: nothing of the fresh readings has left the machine, so the rig may spoil one of them on disk, which
must end as a tombstone. Broker beside ``ingest_cut``: what it has confirmed waits for ingest in its memory alone, which
a design that trusts the broker's word does not survive. Broker beside ``freeze``: ingest goes on later with what it had
already received, and must not acknowledge it to the new broker by its old packet ids. Ingest beside ``hostile``: what
its library cannot read waits in its session, and comes again at its start. Ingest beside ``server_back``: by its clock
all that is read now lies hours ahead, and it may neither refuse it nor say that it has it. Broker beside
``flipped_bit``: a stored reading becomes another value on the disk of an ingest that runs, which must find and mend it.
"""

HOLDS_BACK: frozenset[Beside] = frozenset({"blackhole", "dropack"})
"""While these last nothing arrives, and all at once when they are over: the kill falls then."""

LONGEST_WAIT_S = 0.7
LONGEST_DOWN_S = 0.5


@dataclass(frozen=True, slots=True)
class Strike:
    """One kill: so long after fresh readings began to flow, and the victim stays down so long."""

    victim: Victim
    beside: Beside
    wait_s: float
    down_s: float


def strikes(seed: int, kills: int, victims: tuple[Victim, ...] = VICTIMS) -> list[Strike]:
    """``kills`` strikes at each victim, shuffled."""
    rng = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    order = [victim for victim in victims for _ in range(kills)]
    rng.shuffle(order)
    beside = {victim: cycle(BESIDE[victim]) for victim in victims}
    return [
        Strike(victim, next(beside[victim]), rng.uniform(0.05, LONGEST_WAIT_S), rng.uniform(0, LONGEST_DOWN_S))
        for victim in order
    ]
