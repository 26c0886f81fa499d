"""How far a starting demo is, from what its processes tell; drawn for a terminal or told line by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from facility.status import ProcessStatus, ServerProcess
from meterhouse.output import texts

if TYPE_CHECKING:
    from typing import Self

    from facility.status import Overview
    from stores.records.status.board import StatusBoard

LIVE = "live"
"""What analytics is at once it has looked through the history."""


@dataclass(frozen=True, slots=True)
class State:
    """Shares done (0–1) of the history's replay and of the analysis; what the analysis is at; live samples so far."""

    history: float
    analysis: float
    phase: str
    live_samples: int
    live_latency_p95_s: float | None = None

    @property
    def is_analysed(self) -> bool:
        """Whether history is in, rollups stand and alerts are raised."""
        return self.history >= 1 and self.phase == LIVE


NOTHING_DONE = State(0.0, 0.0, "waiting", 0)


def read_state(board: StatusBoard) -> State:
    """What the processes last told; who has not told yet has done nothing. Raises ``StoreUnavailable``."""
    overview = board.overview()
    ingest, analytics = (_newest(overview, one) for one in (ServerProcess.INGEST, ServerProcess.ANALYTICS))
    return State(
        _history(overview),
        1.0 if analytics.state == LIVE else analytics.figures.get("done", 0.0),
        analytics.state,
        round(ingest.figures.get("live_samples", 0)),
        ingest.figures.get("live_latency_p95_s"),
    )


def _newest(overview: Overview, process: ServerProcess) -> ProcessStatus:
    return next((seen.status for seen in overview.of(process)), ProcessStatus("waiting"))


def _history(overview: Overview) -> float:
    """Share of the agent's recordings that are stored."""
    figures = next((agent.figures for agent in overview.agents), {})
    if not figures.get("history_open", 1.0):
        return 1.0
    rows = figures.get("history_rows", 0.0)
    return min(figures.get("history_stored", 0.0) / rows if rows else 0.0, 0.999)


class ProgressBars:
    """Three bars on a terminal: history, analysis and the live minute; a line for every tenth elsewhere."""

    def __init__(self) -> None:
        console, t = Console(), texts()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._lines = not console.is_terminal
        self._tenths: dict[str, int] = {}
        self._tasks = {
            name: self._bars.add_task(name, total=1.0)
            for name in (t("cli.demo.history"), t("cli.demo.analysis"), t("cli.demo.live_minute"))
        }

    def show(self, state: State, lived: float) -> None:
        """Draw a state and the share of the live minute that has passed."""
        shares = (state.history, state.analysis, min(lived, 1.0))
        for (name, task), done in zip(self._tasks.items(), shares, strict=True):
            self._bars.update(task, completed=done)
            tenth = int(done * 10)
            if self._lines and tenth > self._tenths.get(name, 0):
                self._tenths[name] = tenth
                self._bars.console.print(f"{name}: {tenth * 10} %")

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the finished bars on the screen."""
        self._bars.stop()
