"""Runs the demo until it is ready and keeps its report: the figures of the README's first paragraph."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

RESULTS = {"sqlite": "demo.json", "influx": "demo_influx.json"}


def main() -> int:
    """Write ``demo.json``, or ``demo_influx.json`` after ``--store influx``; the exit code is the demo's."""
    store = sys.argv[-1] if "--store" in sys.argv else "sqlite"
    result = Path(__file__).parent / "results" / RESULTS[store]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "meterhouse", "demo", "--headless", "--until", "ready", "--store", store]
        done = subprocess.run(
            [*command, "--data", f"{folder}/data", "--report", str(report), "--port", "8099"], check=False
        )
        if done.returncode == 0:
            machine = {"python": platform.python_version(), "cores": os.cpu_count(), "machine": platform.machine()}
            result.parent.mkdir(exist_ok=True)
            result.write_text(json.dumps({**machine, **json.loads(report.read_text())}, indent=2) + "\n")
            print(result.read_text())
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
