"""``meterhouse edge``, ``ingest``, ``analytics``, ``console``: one process in the foreground, for a service manager."""

from __future__ import annotations

import runpy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PROCESSES = {
    "edge": ("edge_agent", "Run an edge agent: reads meters, keeps every reading."),
    "ingest": ("ingest", "Run ingest: checks, stores and acknowledges readings."),
    "analytics": ("analytics", "Run analytics: rollups, baselines, alerts."),
    "console": ("console", "Run the console: the web pages."),
}
"""Command → (module, help). Settings come from METERHOUSE_* in the environment."""


def runner(module: str) -> Callable[[], None]:
    """A command that runs ``module`` until it is told to stop."""

    def run() -> None:
        runpy.run_module(module, run_name="__main__", alter_sys=True)

    return run
