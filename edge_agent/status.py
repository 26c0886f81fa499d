"""The health figures that an agent tells with its status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.outbox.file import set_aside

if TYPE_CHECKING:
    from edge_agent.agent import EdgeAgent


def figures(agent: EdgeAgent) -> dict[str, float]:
    """Numbers by name; counters count since the agent was started. ``alarm_…`` is not 0 while a person is needed."""
    outbox, window, publisher = agent.outbox, agent.window, agent.publisher
    return {
        "newest": outbox.newest,
        "stored": outbox.store_hw,
        "unstored": outbox.newest - outbox.store_hw,
        "pending": window.pending_rows(),
        "under_way": window.under_way,
        "resends": window.resends,
        "connects": publisher.link.connects,
        "refused": publisher.reasons.refused,
        "malformed": publisher.malformed,
        "callback_failures": publisher.link.guard.failures,
        "lost_unwritten": agent.writer.lost,
        "dropped": outbox.dropped,
        "undated": outbox.reader.undated(),
        "paused": float(agent.paused),
        "alarm_disk_full": float(outbox.is_full or agent.writer.is_failing),
        "alarm_corrupt": set_aside(outbox.path),
        "alarm_clock": float(not agent.clock.state().synced),
        **{f"alarm_{name}": lasts for name, lasts in publisher.reasons.alarms.items()},
        **(agent.history.figures() if agent.history else {}),
    }
