"""Runs a bench that has a bound: measure in a folder of its own, keep what was found, fail beyond the bound."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def held_to_its_bound(measure: Callable[[Path], Mapping[str, float]], result: Path) -> int:
    """0 where ``whole_s`` of what was measured is no more than its ``most_s``."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder))
    result.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))
    return 0 if found["whole_s"] <= found["most_s"] else 1
