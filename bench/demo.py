"""Runs the demo until it is ready and keeps its report: the figures of the README's first paragraph."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

RESULT = Path(__file__).parent / "results" / "demo.json"


def main() -> int:
    """Write ``bench/results/demo.json``; the exit code is the demo's."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "meterhouse", "demo", "--headless", "--until", "ready"]
        done = subprocess.run(
            [*command, "--data", f"{folder}/data", "--report", str(report), "--port", "8099"], check=False
        )
        if done.returncode == 0:
            machine = {"python": platform.python_version(), "cores": os.cpu_count(), "machine": platform.machine()}
            RESULT.parent.mkdir(exist_ok=True)
            RESULT.write_text(json.dumps({**machine, **json.loads(report.read_text())}, indent=2) + "\n")
            print(RESULT.read_text())
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
