"""How far analytics has got: a small file that other processes read and that a restart goes on from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FILE = "analytics.json"
HISTORY = "history.json"


@dataclass(frozen=True, slots=True)
class Progress:
    """What analytics is doing (``rollups``, ``history`` or ``live``), the share done, the data time reached.

    ``cursor`` is how far the store's changes are in the rollups.
    """

    state: str = "rollups"
    done: float = 0.0
    through: datetime | None = None
    alerts: int = 0
    cursor: int = 0


def write_progress(folder: Path, progress: Progress) -> None:
    """Replace the file in one step, so that a reader never sees half of it."""
    content = {
        "state": progress.state,
        "done": round(progress.done, 4),
        "through": progress.through.isoformat() if progress.through else None,
        "alerts": progress.alerts,
        "cursor": progress.cursor,
    }
    partial = folder / f".{FILE}.part"
    partial.write_text(json.dumps(content), encoding="utf-8")
    partial.replace(folder / FILE)


def read_progress(folder: Path) -> Progress:
    """Where the last run stopped; the beginning where there was none or its file cannot be read."""
    content = _content(folder / FILE)
    try:
        through = datetime.fromisoformat(content["through"]) if content.get("through") else None
        return Progress(through=through, cursor=int(content.get("cursor", 0)))
    except (TypeError, ValueError):
        return Progress()


def history_share(folder: Path) -> float:
    """Share of recorded history that has arrived, 1.0 when complete or when there is none to wait for."""
    if not (folder / HISTORY).exists():
        return 1.0
    content = _content(folder / HISTORY)
    if content.get("complete"):
        return 1.0
    return min(0.99, float(content.get("acked", 0)) / max(1.0, float(content.get("rows", 1))))


def _content(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
