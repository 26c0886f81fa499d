"""Findings that become cases, 10,000 a minute: how long a minute takes, and whether any case or step is doubled.

And urgent alarms beside it: how soon somebody is asked, and has their message.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from analytics.alerts import RECORDED_AT_ONCE
from bench.reached import reached
from facility.work import Evidence, Excess, Finding, Severity
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.tables import alert, case_event

if TYPE_CHECKING:
    from sqlalchemy import Engine

RESULT = Path(__file__).parent / "results" / "casebook.json"
NOW = datetime(2026, 11, 30, tzinfo=UTC)
FINDINGS, MINUTES = 10_000, 10
MOST_S = 60.0
ALARMS = 40
MOST_REACHED_S = {"assigned_p95_s": 5.0, "message_p95_s": 10.0}


def found(number: int, at: datetime) -> list[Finding]:
    """What so many meters show in one minute."""
    made = []
    for n in range(number):
        point = f"m{n}/energy_import/total"
        evidence = (Evidence(point, NOW, at),)
        one = Finding("night_waste", point, f"m{n}", f"b{n % 200}", NOW, at, Severity.ACT, 0.9, evidence)
        made.append(replace(one, excess=Excess(1.0, "kWh", 24.0)))
    return made


def minute(casebook: Casebook, number: int, at: datetime) -> float:
    """Record a minute's findings as analytics does; seconds."""
    findings = [(one, None) for one in found(number, at)]
    started = perf_counter()
    for k in range(0, number, RECORDED_AT_ONCE):
        casebook.record_all(findings[k : k + RECORDED_AT_ONCE], notify=True)
    return perf_counter() - started


def doubled(records: Engine) -> dict[str, int]:
    """Cases and steps beyond one a finding's cause."""
    with records.connect() as connection:
        keys, steps = (
            connection.execute(sa.select(sa.func.count() - sa.func.count(column.distinct()))).scalar_one()
            for column in (alert.c.key, case_event.c.alert)
        )
    return {"cases": keys, "steps": steps}


def measure(url: str, number: int, minutes: int) -> dict[str, Any]:
    """Minutes of findings one after the other, then all of them again."""
    records = open_records(url)
    casebook = Casebook(records)
    times = [minute(casebook, number, NOW + timedelta(minutes=k)) for k in range(minutes)]
    again = [minute(casebook, number, NOW + timedelta(minutes=k)) for k in range(minutes)]
    result = {
        "findings_a_minute": number,
        "first_minute_s": round(times[0], 2),
        "slowest_minute_s": round(max(times), 2),
        "replayed_minute_s": round(max(again), 2),
        "doubled": doubled(records),
    }
    records.dispose()
    return result


def main() -> int:
    """``python -m bench.casebook [FINDINGS [MINUTES]]``; the result is kept where all of it was measured."""
    number, minutes = (int(word) for word in (sys.argv[1:3] + [str(FINDINGS), str(MINUTES)][len(sys.argv) - 1 :])[:2])
    with tempfile.TemporaryDirectory() as folder:
        result = measure(f"sqlite:///{folder}/records.db", number, minutes)
        result["reached"] = reached(Path(folder), ALARMS)
    text = json.dumps(result, indent=2)
    print(text)
    if (number, minutes) == (FINDINGS, MINUTES):
        RESULT.write_text(text + "\n", encoding="utf-8")
    found = result["reached"]
    is_reached = all(found[name] is not None and found[name] <= most for name, most in MOST_REACHED_S.items())
    return 0 if is_reached and not any(result["doubled"].values()) and result["slowest_minute_s"] < MOST_S else 1


if __name__ == "__main__":
    sys.exit(main())
