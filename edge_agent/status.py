"""The health figures that an agent tells with its status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.outbox.file import set_aside

if TYPE_CHECKING:
    from edge_agent.clock import ReadingClock
    from edge_agent.history import History
    from edge_agent.outbox.outbox import Outbox
    from edge_agent.publisher import Publisher
    from edge_agent.window import SendWindow
    from edge_agent.writer import Writer


def figures(
    outbox: Outbox,
    window: SendWindow,
    publisher: Publisher,
    writer: Writer,
    clock: ReadingClock,
    history: History | None,
    *,
    paused: bool,
    unread: int,
    mute_buses: int,
) -> dict[str, float]:
    """Numbers by name; counters count since the agent was started. ``alarm_…`` is not 0 while a person is needed."""
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
        "lost_unwritten": writer.lost,
        "dropped": outbox.dropped,
        "undated": outbox.reader.undated(),
        "paused": float(paused),
        "unread": unread,
        "alarm_disk_full": float(outbox.is_full or writer.is_failing),
        "alarm_corrupt": set_aside(outbox.path),
        "alarm_clock": float(not clock.state().synced),
        "alarm_points_unread": float(unread > 0),
        "alarm_bus_silent": mute_buses,
        **{f"alarm_{name}": lasts for name, lasts in publisher.reasons.alarms.items()},
        **(history.figures() if history else {}),
    }
