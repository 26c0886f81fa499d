"""Findings that become cases in a process that is killed at any statement: ``python -m rigs.mortal_casebook RECORDS``.

Each life (``rigs.mortal``) begins with the first finding again, as a replay does.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from facility.work import Evidence, Excess, Finding, Saving, Severity
from rigs.mortal import STATEMENTS, kill_at, lives
from stores.records.casebook import Casebook
from stores.records.database import open_records

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
METERS = 6


def findings(hour: int) -> list[Finding]:
    """What is found in an hour: every meter on and off, worse at noon."""
    at = NOW + hour * HOUR
    found = []
    for n in range(METERS):
        if (hour + n) % 4 == 3:
            continue
        since = NOW + (hour - (hour + n) % 4) * HOUR
        severity = Severity.URGENT if hour == 6 else Severity.ACT
        evidence = (Evidence(f"m{n}/x/total", since, at),)
        one = Finding("night_waste", f"m{n}/x/total", f"m{n}", "b1", since, at, severity, 0.9, evidence)
        found.append(replace(one, excess=Excess(1.0 + hour, "kWh", 24.0)))
    return found


def step_through(casebook: Casebook) -> None:
    """Ten hours: findings, what went away, what is folded, what wakes and what settles."""
    for hour in range(10):
        now, found = NOW + hour * HOUR, findings(hour)
        casebook.record_all([(one, None) for one in found], notify=True)
        there = {one.key for one in found}
        casebook.resolve_all([key for n in range(METERS) if (key := f"b1/m{n}/night_waste") not in there], now)
        if hour == 4:
            parent = casebook.record(replace(found[0], detector="silent_agent", since=now), money=None, notify=True)
            casebook.fold([found[-1].key], parent.id, now)
        casebook.wake_all(now)
        casebook.settle(now, {}, lambda _: Saving(20.0, "kWh", 3))


def live(url: str, killed_at: int) -> None:
    """Work through all of it, or until killed."""
    records = open_records(url)
    kill_at(records, killed_at, STATEMENTS)
    step_through(Casebook(records))


if __name__ == "__main__":
    lives(partial(live, sys.argv[1]))
