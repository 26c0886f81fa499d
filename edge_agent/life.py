"""An agent's life: it runs until it is told to stop or a thread of it dies, and its pulse beats while none hangs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threading import Event

    from edge_agent.agent import EdgeAgent
    from process.pulse import Pulse

TICK_S = 0.25
LONGEST_STILL_S = 120.0
"""A slow device with many blocks may take a minute; a thread that takes longer hangs."""


def live(agent: EdgeAgent, pulse: Pulse, stop: Event) -> bool:
    """Run the agent to its end; False if it was a thread's."""
    try:
        agent.start()
        while agent.is_alive() and not stop.wait(TICK_S):
            agent.tick()
            if agent.still_s() < LONGEST_STILL_S:
                pulse.beat()
        return agent.is_alive()
    finally:
        agent.stop()  # else its threads would go on without anybody who can end them
