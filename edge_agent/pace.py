"""When a device is asked next: on the grid of its pace, which for slow paces is that of the wall clock.

Quarter-hours of demand, and a bill that ends at midnight, want registers as they stood near the full minute. Each bus
is a little later by an amount of its own, so that not all ask at once.
"""

from __future__ import annotations

import zlib

from edge_agent.clock import EARLIEST_MS

LEAST_ALIGNED_S = 30.0
"""Paces from here on are aligned; whoever is asked more often is near every minute anyway."""

MOST_OFFSET_S = 15.0
"""Spread over a quarter of a minute a large estate asks and stores without a rush each minute."""

EARLY = 0.1
"""A round that began before its point of the grid by less than this part of the pace was that point's."""


def offset_of(bus: str) -> float:
    """By how many seconds a bus is later than the full minute, always the same."""
    return zlib.crc32(bus.encode()) % 1000 / 1000 * MOST_OFFSET_S


def next_due(due: float, started: float, now: float, *, poll_s: float, wall_ms: int, offset_s: float) -> float:
    """When a round is due after one that was ``due``, ``started`` and is over ``now``, all by the monotonic clock.

    ``wall_ms`` is what the wall clock says now; one that is not known aligns nothing. One late round does not shift
    all that follow.
    """
    if poll_s < LEAST_ALIGNED_S or wall_ms < EARLIEST_MS:
        return due + poll_s if due + poll_s > started else started + poll_s
    since_s = (wall_ms / 1000 - min(offset_s, poll_s / 4)) % poll_s
    ahead = now - since_s + poll_s
    return ahead if ahead - started > EARLY * poll_s else ahead + poll_s
