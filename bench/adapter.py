"""The product's models on one exported task: ``python -m bench.adapter TASK OUT --budget quiet|normal|keen``.

What is written, and what a task folder holds, ``shared/bench/README.md`` defines. Nothing here decides anything: it
hands a meter's own past to the classes that the product runs, and writes down what they say.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from analytics.suspicion.budget import Budget
from bench.adapted import alarms, leaks, predictions, silences, testbed
from bench.task_folder import TaskFolder

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

NAME = "meterhouse"

KINDS: dict[str, Callable[[TaskFolder, Budget], dict[str, pd.DataFrame]]] = {
    "savings": predictions.predict,
    "operational": predictions.predict,
    "alarms": alarms.detect,
    "drift": alarms.detect,
    "leaks": leaks.detect,
    "silence": silences.detect,
    "testbed": testbed.detect,
}
"""What each kind of task is given to; tables by what is added to the file's name."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", type=Path, help="folder that tasks.py exported")
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--budget", type=Budget, choices=list(Budget), default=Budget.NORMAL)
    args = parser.parse_args()
    folder, begun = TaskFolder(args.task), time.perf_counter()
    with threadpool_limits(1):
        tables = KINDS[folder.kind](folder, args.budget)
    seconds = (time.perf_counter() - begun) / max(len(folder.meters), 1)
    args.out.mkdir(parents=True, exist_ok=True)
    for suffix, table in tables.items():
        _write(table, args.out / f"{NAME}{suffix}", is_alarms="start" in table)
    (args.out / f"{NAME}.json").write_text(json.dumps({"seconds_per_meter": round(seconds, 4)}) + "\n")


def _write(table: pd.DataFrame, path: Path, *, is_alarms: bool) -> None:
    if is_alarms:
        table.to_csv(f"{path}.csv", index=False)
    else:
        table.astype(dict.fromkeys(table.select_dtypes("number"), np.float64)).to_parquet(f"{path}.parquet")


if __name__ == "__main__":
    main()
