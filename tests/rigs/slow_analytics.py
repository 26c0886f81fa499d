"""``python -m rigs.slow_analytics``: analytics whose every rollup pass takes ``SLOW_ROLLUPS_S`` seconds longer."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from analytics.__main__ import main
from analytics.rollups.writer import RollupWriter

SLOW_ROLLUPS_S = float(os.environ.get("SLOW_ROLLUPS_S", "30"))

update = RollupWriter.update


def slow_update(self: RollupWriter, *args: Any, **kwargs: Any) -> Any:
    time.sleep(SLOW_ROLLUPS_S)
    return update(self, *args, **kwargs)


if __name__ == "__main__":
    RollupWriter.update = slow_update
    sys.exit(main())
