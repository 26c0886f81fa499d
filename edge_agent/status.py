"""The health figures that an agent tells with its status."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_agent.agent import Agent


def figures(agent: Agent) -> dict[str, float]:
    """Numbers by name; counters count since the agent was started."""
    outbox, window, publisher = agent.outbox, agent.window, agent.publisher
    return {
        "newest": outbox.newest,
        "stored": outbox.store_hw,
        "unstored": outbox.newest - outbox.store_hw,
        "pending": window.pending_rows(),
        "under_way": window.under_way,
        "resends": window.resends,
        "refused": publisher.refused,
        "malformed": publisher.malformed,
        "callback_failures": publisher.guard.failures,
        "lost_unwritten": agent.writer.lost,
        "paused": float(agent.paused),
    }
