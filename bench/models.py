"""What the product's models find on public meters: every task exported, adapted, scored and checked for looking ahead.

``python -m bench.models --data DATA`` wants the scorers (``run_all.py`` and others) in a folder ``bench`` beside DATA.
They are run as programs and never imported. It writes ``bench/results/models.json`` and prints a table. Where only some
tasks or draws are measured (``--tasks``, ``--seeds``), the other rows of that file stay as they were.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.suspicion.budget import Budget
from bench.adapter import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RESULT = Path(__file__).parent / "results" / "models.json"
ALARM_TASKS = ("alarms_2019", "alarms_2017", "drift_2020", "drift_2021")
OTHER_TASKS = ("water_homes", "water_blocks", "silent_bdg2", "skab")
PREDICTION_TASKS = (
    "electricity_2018_2019", "electricity_2016_2017", "electricity_operational_2018_2019",
    "electricity_operational_2016_2017", "gas_2018_2019", "gas_operational_2018_2019", "bdg2_day_ahead",
)  # fmt: skip
CHECKED = {
    "alarms_2019": ("2019-07-01", 0), "water_blocks": ("2016-11-01", 0), "silent_bdg2": ("2017-01-01", 0),
    "electricity_operational_2018_2019": ("2019-07-01", 24),
}  # fmt: skip
"""Tasks that are cut at an instant, and how many hours of predictions after it must stay as they were."""

SEEDS = (1, 2, 3, 4)
AT_ONCE = 2
"""Tasks that run beside each other, each on one core."""


class Kit:
    """The scorers, each a program of its own."""

    def __init__(self, data: Path, work: Path) -> None:
        self.data, self.work, self.scripts = data.resolve(), work, data.resolve().parent / "bench"

    def program(self, script: str, *args: object) -> None:
        """Run one of them; what it says is shown where it fails."""
        command = [sys.executable, str(self.scripts / script), *map(str, args)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ | NO_CACHE)
        if done.returncode:
            raise SystemExit(f"{script}: {done.stderr.strip() or done.stdout.strip()}")

    def export(self, task: str, folder: Path, *more: object) -> Path:
        """Write one task folder."""
        self.program("tasks.py", "export", task, folder, "--data", self.data, *more)
        return folder

    def run(self, task: str, budget: Budget, seed: int | None) -> dict[str, Any]:
        """Results of one task as ``run_all.py`` writes them."""
        if task in PREDICTION_TASKS:
            self.refer(task)
        folder = self.work / f"{task}-{budget}-{seed}"
        model = f"{shlex.quote(sys.executable)} -m bench.adapter {{task}} {{out}} --budget {budget}"
        more = [] if seed is None else ["--seed", seed]
        reference = ["--reference", self.work / "reference"] if task in PREDICTION_TASKS else []
        self.program("run_all.py", folder, "--model", model, "--tasks", task, "--data", self.data, *more, *reference)
        found: dict[str, Any] = json.loads((folder / task / "results.json").read_text())
        return {"task": task, "budget": str(budget), "seed": seed} | found["summary"][0] | {"by": found.get("by_fault")}

    def refer(self, task: str) -> None:
        """Write what the reference methods say of a task."""
        out = self.work / "reference" / task
        self.program("reference.py", self.export(task, out / "task"), out)

    def looks_ahead(self, task: str) -> bool:
        """Whether any result before an instant changes when all later readings are taken away."""
        until, lead = CHECKED[task]
        outs = []
        for name, more in (("whole", ()), ("cut", ("--until", until))):
            folder = self.export(task, self.work / f"check-{task}-{name}", *more)
            outs.append(self.work / f"checked-{task}-{name}")
            subprocess.run([sys.executable, "-m", "bench.adapter", folder, outs[-1]], check=True)
        files = [next(path for s in (".csv", ".parquet") if (path := out / f"{NAME}{s}").exists()) for out in outs]
        try:
            self.program("check_causal.py", *files, "--until", until, "--lead", lead)
        except SystemExit as error:
            print(error, file=sys.stderr)
            return True
        return False


ROW = ("task", "budget", "seed")
"""What tells a row from others."""

NO_CACHE = {"PYTHONDONTWRITEBYTECODE": "1"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder shaped like the public data sets")
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS, help="other faults than the published ones")
    parser.add_argument("--tasks", nargs="*", default=(*ALARM_TASKS, *OTHER_TASKS, *PREDICTION_TASKS))
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="tasks that are measured beside each other")
    args = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as work:
        kit, rows = Kit(args.data, Path(work)), []
        with ThreadPoolExecutor(args.at_once) as pool:
            for row in pool.map(lambda job: kit.run(*job), _jobs(args.tasks, args.seeds)):
                rows.append(row)
                print(table(rows[-1:]), flush=True)
                _keep(rows, time.monotonic() - begun, {})
            checked = [task for task in CHECKED if task in args.tasks]
            looked = dict(zip(checked, pool.map(kit.looks_ahead, checked), strict=True))
        _keep(rows, time.monotonic() - begun, looked)
    print(table(rows))
    return 1 if any(looked.values()) else 0


def _jobs(tasks: Sequence[str], seeds: Sequence[int]) -> Iterator[tuple[str, Budget, int | None]]:
    """Every task with each budget that it knows, and with each draw where faults are drawn."""
    for task in tasks:
        for seed in (None, *seeds) if task.startswith("alarms") or task == "water_blocks" else (None,):
            for budget in (Budget.NORMAL, Budget.KEEN) if task in ALARM_TASKS else (Budget.NORMAL,):
                yield task, budget, seed


def _keep(rows: list[dict[str, Any]], wall_s: float, looked: dict[str, bool]) -> None:
    """Write what is known so far beside what was; ``looked`` says of checked tasks whether they look ahead."""
    before = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    kept = before.get("looked_ahead")
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "machine": platform.machine()}
    ahead = (kept if isinstance(kept, dict) else {}) | looked
    figures = {**machine, "wall_s": round(wall_s), "looked_ahead": ahead, "rows": merged(before.get("rows", []), rows)}
    RESULT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def merged(before: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of both, those that were measured anew in place of what was, each with the day on which it was measured."""
    today = datetime.now(UTC).date().isoformat()
    found = {tuple(one[name] for name in ROW): one for one in before}
    return list((found | {tuple(one[name] for name in ROW): {**one, "measured": today} for one in rows}).values())


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as lines of text, each with the figures its task has."""
    wanted = (
        "CV(RMSE) %", "daily", "worst", "in 90 % band", "band width %", "gain", "95 %", "found", "fresh",
        "false / meter-month", "in alarm %", "PR-AUC", "5 L/h", "10 L/h", "20 L/h", "in time", "delay h",
        "AUC per file", "F1", "FAR %", "s/meter",
    )  # fmt: skip
    lines = []
    for row in rows:
        figures = "  ".join(f"{name} {_brief(row[name])}" for name in wanted if row.get(name) is not None)
        lines.append(f"{row['task']} {row['budget']} seed {row['seed']}: {figures}")
    return "\n".join(lines)


def _brief(figure: object) -> str:
    if isinstance(figure, list):
        return "[" + ", ".join(_brief(one) for one in figure) + "]"
    return f"{figure:.2f}" if isinstance(figure, float) else str(figure)


if __name__ == "__main__":
    sys.exit(main())
