"""Thousands of worlds by chance against the oracle of tests/oracle: how many, and which of them fail."""

from __future__ import annotations

import gc
import json
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULT = ROOT / "bench" / "results" / "oracle.json"
WORLDS, FIRST = 5_000, 1_000
"""Other worlds than those of ``make test``."""

PORTION = 25


def failures(first: int) -> list[dict[str, object]]:
    """Seed and first difference of each world of a portion that fails."""
    gc.set_threshold(100_000, 20, 20)  # many small things, few cycles: to look for these takes a sixth
    sys.path.insert(0, str(ROOT / "tests"))
    from oracle.chance import world_of  # noqa: PLC0415 - found in tests, by the line above
    from oracle.run import verdict  # noqa: PLC0415

    found = ((seed, verdict(world_of(seed))) for seed in range(first, min(first + PORTION, FIRST + WORLDS)))
    return [{"seed": seed, "difference": said[0]} for seed, said in found if said]


def main() -> int:
    """Write ``bench/results/oracle.json`` as worlds are judged; exit code 1 where one fails."""
    begun, failed = time.monotonic(), list[dict[str, object]]()
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    with ProcessPoolExecutor() as pool:
        firsts = range(FIRST, FIRST + WORLDS, PORTION)
        for first, portion in zip(firsts, pool.map(failures, firsts), strict=True):
            for one in portion:
                print(f"SEED={one['seed']}: {one['difference']}", file=sys.stderr, flush=True)
            failed += portion
            _keep(commit, min(first + PORTION, FIRST + WORLDS) - FIRST, failed, time.monotonic() - begun)
    return 1 if failed else 0


def _keep(commit: str, worlds: int, failed: list[dict[str, object]], took_s: float) -> None:
    """So far: where it is ended early, the file says how many worlds it judged."""
    figures = {
        "commit": commit,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "worlds": worlds,
        "first_seed": FIRST,
        "failures": len(failed),
        "failed": failed,
        "wall_s": round(took_s, 1),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
