"""Every fault test at full size: what ``make test`` runs reduced, with how long each took."""

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


def main() -> int:
    """Write ``bench/results/faults.json``; the exit code is pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "tests/faults", "--dist", "load", "--junit-xml", str(report)]
        done = subprocess.run(command, env=os.environ | {"FULL": "1", "REQUIRE_SERVERS": "1"}, check=False)
        cases = ET.parse(report).getroot().iter("testcase")  # noqa: S314 - pytest's own
        tests = {
            case.attrib["name"]: {"seconds": float(case.attrib["time"]), "passed": not len(case)} for case in cases
        }
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "seed": int(os.environ.get("SEED", "7"))}
    RESULT.write_text(json.dumps({**machine, "tests": dict(sorted(tests.items()))}, indent=2) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
