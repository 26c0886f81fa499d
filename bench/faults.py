"""Every fault test at full size, and whatever holds a figure of time: what ``make test`` runs reduced.

What fails beside the rest is run once more alone, and the result says so: a time that a busy machine took is no fault.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from bench.proc import load, machine

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parent.parent
RESULT = ROOT / "bench" / "results" / "faults.json"
TESTS = ROOT / "tests"

Outcome = dict[str, object]
"""``seconds`` it took, whether it ``passed``, and ``alone`` where that was in a second try with nothing beside it."""


def main() -> int:
    """Write ``bench/results/faults.json``; the exit code is 1 where a test fails alone, too."""
    began = load()
    tests = run([*places(), "-n", os.environ.get("WORKERS", "2"), "--dist", "load"])
    for name in [name for name, one in tests.items() if one["passed"] is False]:
        again = run([name, "-n", "0"])
        tests[name] = again.get(name, tests[name]) | {"alone": True}
    result = {
        **machine(),
        "seed": int(os.environ.get("SEED", "7")),
        "load": [began, load()],
        "tests": dict(sorted(tests.items())),
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    failed = [name for name, one in tests.items() if one["passed"] is False]
    print(f"{len(tests)} tests, failed: {', '.join(failed) or 'none'}; {RESULT}")
    return bool(failed or not tests)


def run(words: Sequence[str]) -> dict[str, Outcome]:
    """Run pytest at full size; each test by its id, as pytest takes it."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", *words, "--junit-xml", str(report)]
        env = os.environ | {"FULL": "1", "REQUIRE_SERVERS": "1"}
        subprocess.run(command, env=env, cwd=ROOT, check=False)
        return dict(map(outcome, ET.parse(report).getroot().iter("testcase")))  # noqa: S314 - pytest's own


def outcome(case: ET.Element) -> tuple[str, Outcome]:
    """``tests/faults/test_a.py::test_b`` and how it fared; a skipped test has not passed."""
    name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
    return name, {"seconds": float(case.attrib["time"]), "passed": not len(case)}


def places() -> list[str]:
    """The fault tests, and every other test file in which something must happen ``within`` a time."""
    timed = {str(path) for path in TESTS.rglob("test_*.py") if "with within(" in path.read_text(encoding="utf-8")}
    faults = str(TESTS / "faults")
    return [faults, *sorted(path for path in timed if not path.startswith(faults))]


if __name__ == "__main__":
    sys.exit(main())
