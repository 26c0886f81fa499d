"""Every fault test at full size, and whatever holds a figure of time: what ``make test`` runs reduced."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

RESULT = Path(__file__).parent / "results" / "faults.json"
TESTS = Path(__file__).parent.parent / "tests"


def main() -> int:
    """Write ``bench/results/faults.json``; the exit code is pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = ["-n", "2", "--dist", "load", "--junit-xml", str(report)]
        command = [sys.executable, "-m", "pytest", *places(), *options]
        done = subprocess.run(command, env=os.environ | {"FULL": "1", "REQUIRE_SERVERS": "1"}, check=False)
        cases = ET.parse(report).getroot().iter("testcase")  # noqa: S314 - pytest's own
        tests = {
            case.attrib["name"]: {"seconds": float(case.attrib["time"]), "passed": not len(case)} for case in cases
        }
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "seed": int(os.environ.get("SEED", "7"))}
    RESULT.write_text(json.dumps({**machine, "tests": dict(sorted(tests.items()))}, indent=2) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))
    return done.returncode


def places() -> list[str]:
    """The fault tests, and every other test file in which something must happen ``within`` a time."""
    timed = {str(path) for path in TESTS.rglob("test_*.py") if "with within(" in path.read_text(encoding="utf-8")}
    faults = str(TESTS / "faults")
    return [faults, *sorted(path for path in timed if not path.startswith(faults))]


if __name__ == "__main__":
    sys.exit(main())
