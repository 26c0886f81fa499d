"""The command as people run it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from rigs.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path


def meterhouse(*words, data: Path | None = None, **env: str):
    """Run the real command; nothing may end in a traceback."""
    settings = {"METERHOUSE_DATA": str(data)} if data else {}
    done = subprocess.run(
        [sys.executable, "-m", "meterhouse", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, **settings, **env},
        timeout=PATIENCE_S,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done
