"""What the list of alerts asks of the records costs, with few cases ever closed and with very many."""

from __future__ import annotations

import json
import random
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from console.cases import MOST_CASES, MOST_COUNTED
from facility.work import AlertState, Finding, Severity, Verdict
from stores.records.case_list import CaseFilter
from stores.records.case_rows import opened_row
from stores.records.casebook import Casebook
from stores.records.database import open_records, writing
from stores.records.tables import alert

if TYPE_CHECKING:
    from sqlalchemy import Engine

RESULT = Path(__file__).parent / "results" / "cases.json"
NOW = datetime(2026, 11, 30, tzinfo=UTC)
BUILDINGS = 200
RUNNING = 100
CLOSED = (1_000, 10_000, 100_000)
ROUNDS = 25


def fill(records: Engine, number: int, state: AlertState, seed: int) -> None:
    """So many cases of a state, over all buildings and ten years."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    rows: list[dict[str, Any]] = []
    for _ in range(number):
        at, meter = NOW - timedelta(minutes=rng.randrange(5_256_000)), f"m{rng.randrange(2_000)}"
        building = f"b{rng.randrange(BUILDINGS)}"
        one = Finding("night_waste", f"{meter}/e/total", meter, building, at, at, Severity.ACT, 0.9, ())
        verdict = Verdict.FIXED.value if state is AlertState.CLOSED else None
        row = opened_row(one, None, notify=False) | {"state": state.value, "open_key": None, "verdict": verdict}
        rows.append({"id": str(UUID(int=rng.getrandbits(128))), **row})
    with writing(records) as connection:
        connection.execute(sa.insert(alert), rows)


def page(cases: Casebook, state: AlertState | None, building: str | None) -> None:
    """What one look at the list asks: a page, the counts beside the filters, the badge."""
    among = CaseFilter(None if building is None else [building])
    cases.alerts(states=None if state is None else [state], among=among, limit=MOST_CASES + 1)
    cases.counts(among=among, most=MOST_COUNTED + 1)
    cases.unsettled()


def took_ms(cases: Casebook, state: AlertState | None, building: str | None) -> float:
    """The median of some looks, milliseconds."""
    times = []
    for _ in range(ROUNDS):
        started = perf_counter()
        page(cases, state, building)
        times.append((perf_counter() - started) * 1000)
    return round(median(times), 2)


def measure(url: str) -> dict[str, dict[str, float]]:
    """Closed cases → filter of the list → milliseconds of a look."""
    records = open_records(url)
    fill(records, RUNNING, AlertState.OPEN, 1)
    found, filled = {}, 0
    for number in CLOSED:
        fill(records, number - filled, AlertState.CLOSED, number)
        filled, cases = number, Casebook(records)
        looks = {"open": (AlertState.OPEN, None), "closed": (AlertState.CLOSED, None), "all": (None, None)}
        looks["all of a building"] = (None, "b7")
        found[f"{number:,} closed"] = {name: took_ms(cases, *look) for name, look in looks.items()}
    records.dispose()
    return found


def main() -> int:
    """Measure on the URL that is given, else on a file, and write the result."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/records.db")
    text = json.dumps({"ms_per_look": found}, indent=2)
    print(text)
    if len(sys.argv) == 1:
        RESULT.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
