"""How large trials are, and chance that can be repeated."""

from __future__ import annotations

import os
import random

FULL = os.environ.get("FULL") == "1"
"""Full-size trials and figures of time (``python -m bench.faults``); otherwise what fits into ``make test``."""

SEED = int(os.environ.get("SEED", "7"))


def seeded() -> random.Random:
    """Chance that can be repeated: ``SEED=n``."""
    print(f"SEED={SEED}")  # noqa: T201 - a failed run is repeated with it
    return random.Random(SEED)  # noqa: S311 - chance that can be repeated
