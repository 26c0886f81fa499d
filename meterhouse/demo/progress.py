"""How far a starting demo is, from the files its processes write; drawn for a terminal or told line by line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from meterhouse.output import texts

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self


@dataclass(frozen=True, slots=True)
class State:
    """Shares done (0–1) of the history's replay and of the analysis; what the analysis is at; live samples so far."""

    history: float
    analysis: float
    phase: str
    live_samples: int

    @property
    def is_analysed(self) -> bool:
        """Whether history is in, rollups stand and alerts are raised."""
        return self.history >= 1 and self.phase == "live"


def read_state(data: Path) -> State:
    """What the processes last wrote about themselves; a file that is not there yet counts as nothing done."""
    history, analysis, ingest = (_read(data / name) for name in ("history.json", "analytics.json", "ingest.json"))
    rows = history.get("rows", 0)
    played = 1.0 if history.get("complete") else min(history.get("acked", 0) / rows if rows else 0.0, 0.999)
    phase = analysis.get("state", "waiting")
    live = ingest.get("live_latency_s", {}).get("n", 0)
    return State(played, 1.0 if phase == "live" else analysis.get("done", 0.0), phase, live)


def _read(file: Path) -> dict[str, Any]:
    try:
        tree: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return tree


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
        self._told: dict[str, int] = {}
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
            if self._lines and tenth > self._told.get(name, 0):
                self._told[name] = tenth
                self._bars.console.print(f"{name}: {tenth * 10} %")

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the finished bars on the screen."""
        self._bars.stop()
