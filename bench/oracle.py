"""Thousands of worlds by chance against the oracle of tests/oracle: how many, and which of them fail."""

from __future__ import annotations

import gc
import json
import os
import platform
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
    """Write ``bench/results/oracle.json``; exit code 1 where a world fails."""
    begun, failed = time.monotonic(), list[dict[str, object]]()
    with ProcessPoolExecutor() as pool:
        for portion in pool.map(failures, range(FIRST, FIRST + WORLDS, PORTION)):
            for one in portion:
                print(f"SEED={one['seed']}: {one['difference']}", file=sys.stderr, flush=True)
            failed += portion
    figures = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "worlds": WORLDS,
        "first_seed": FIRST,
        "failures": len(failed),
        "failed": failed,
        "wall_s": round(time.monotonic() - begun, 1),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
