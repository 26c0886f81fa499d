"""Alerts as rows: evidence, excess and money become JSON and come back as they were."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from facility.work import Alert, AlertState, Cause, Evidence, Excess, Finding, Money, Saving, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import RowMapping


def seen_row(finding: Finding, money: Money | None) -> dict[str, Any]:
    """What every further finding of a case brings up to date."""
    return {
        "severity": int(finding.severity),
        "message_id": finding.message_id,
        "params": finding.params,
        "last_seen_at": finding.seen_at,
        "confidence": finding.confidence,
        "evidence": [_evidence_row(one) for one in finding.evidence],
        "excess": asdict(finding.excess) if finding.excess else None,
        "money": asdict(money) if money else None,
    }


def opened_row(finding: Finding, money: Money | None, *, notify: bool) -> dict[str, Any]:
    """A new case, without its id."""
    return {
        **seen_row(finding, money),
        "key": finding.key,
        "open_key": finding.key,
        "detector": finding.detector,
        "building": finding.building,
        "meter": finding.meter,
        "point": finding.point,
        "state": AlertState.OPEN.value,
        "since": finding.since,
        "raised_at": finding.seen_at,
        "count": 1,
        "acknowledged_by": "",
        "verdict_note": "",
        "notify": notify,
        "acts": 0,
    }


def alert_of(row: RowMapping) -> Alert:
    """The alert that a row stands for."""
    fields = {str(name): value for name, value in row.items() if name != "open_key"}
    fields |= {
        "id": UUID(row["id"]),
        "state": AlertState(row["state"]),
        "severity": Severity(row["severity"]),
        "evidence": tuple(_evidence(one) for one in row["evidence"]),
        "excess": Excess(**row["excess"]) if row["excess"] else None,
        "money": Money(**row["money"]) if row["money"] else None,
        "verdict": Verdict(row["verdict"]) if row["verdict"] else None,
        "cause": Cause(row["cause"]) if row["cause"] else None,
        "parent": UUID(row["parent"]) if row["parent"] else None,
        "saving": Saving(**row["saving"]) if row["saving"] else None,
    }
    return Alert(**fields)


def _evidence_row(one: Evidence) -> dict[str, str]:
    return {"point": one.point, "start": one.start.isoformat(), "end": one.end.isoformat(), "show": one.show}


def _evidence(row: Mapping[str, str]) -> Evidence:
    start, end = datetime.fromisoformat(row["start"]), datetime.fromisoformat(row["end"])
    return Evidence(row["point"], start, end, row["show"])
