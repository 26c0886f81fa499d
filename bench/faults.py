"""Every fault of the fault table at full size: runs tests/faults and writes what came of each test."""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RESULT = Path(__file__).parent / "results" / "faults.json"


class Recorder:
    """A pytest plugin: outcome and seconds of each test, setting up and clearing away included."""

    def __init__(self) -> None:
        self.tests: dict[str, dict[str, object]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Pytest's hook: called for each phase of each test."""
        row = self.tests.setdefault(report.nodeid, {"outcome": "passed", "seconds": 0.0})
        row["seconds"] = round(float(str(row["seconds"])) + report.duration, 2)
        if report.outcome != "passed":
            row["outcome"] = report.outcome


def main() -> int:
    """Write ``bench/results/faults.json``; 0 if every test passed."""
    os.chdir(ROOT)
    os.environ |= {"FULL": "1", "REQUIRE_SERVERS": "1"}
    recorder, begun = Recorder(), time.monotonic()
    code = pytest.main(["tests/faults"], plugins=[recorder])
    figures = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "wall_s": round(time.monotonic() - begun),
        "tests": dict(sorted(recorder.tests.items())),
    }
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))
    return int(code)


if __name__ == "__main__":
    raise SystemExit(main())
