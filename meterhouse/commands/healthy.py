"""``meterhouse healthy``: whether a process makes progress, for a container's health check."""

from __future__ import annotations

import time
from typing import Annotated, Literal

import typer

from facility.errors import Unavailable
from facility.status import LONGEST_STILL_S, ServerProcess
from meterhouse.output import say
from meterhouse.settings import Settings
from process.pulse import pulse_file

OTHERS_STILL_S = 60.0
"""Of an agent, and of what waits for the hour of the next backup."""


def healthy(
    process: Annotated[
        Literal["edge", "ingest", "analytics", "console", "backup"], typer.Argument(help="Which process.")
    ],
) -> None:
    """End with 0 where its pulse has beaten as lately as it should, whatever it says or listens to; else with 1."""
    pulse = pulse_file(Settings().data, process)
    if not pulse.exists():
        raise Unavailable(f"{process} has made no progress yet")
    still_s = time.time() - pulse.stat().st_mtime
    longest_s = OTHERS_STILL_S if process in {"edge", "backup"} else LONGEST_STILL_S[ServerProcess(process)]
    if still_s > longest_s:
        raise Unavailable(f"{process} has made no progress for {still_s:.0f} s (at most {longest_s:.0f} s)")
    say("up.healthy", process=process, seconds=round(still_s))
