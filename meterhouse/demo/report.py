"""What a demo run proves: every produced reading is stored or quarantined, every injected fault was found."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from math import fsum
from typing import TYPE_CHECKING, Any

from demo.faults import injected
from edge_agent.outbox.reader import produced
from facility.errors import ConfigError
from ingest.replay import values_of
from stores.readings import open_readings
from stores.records.case_list import CaseFilter
from stores.records.casebook import Casebook
from stores.records.quarantine.quarantine import Quarantine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sqlalchemy import Engine

    from demo.shift import Shift
    from facility.work import Alert
    from wording.texts import Texts

MOST_SUM_ERROR = 1e-3
"""Sums of each store are exact, and rounded once."""

ALERT_WINDOW = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Conservation:
    """Counts of readings, and Σ over points of |stored − (produced − quarantined)|, which must be 0."""

    produced: int
    stored: int
    quarantined: int
    sum_error: float


@dataclass(frozen=True, slots=True)
class Report:
    """Everything ``--report`` writes."""

    produced: int
    stored: int
    quarantined: int
    sum_error: float
    seconds_to_ready: float
    pss_mib_total: float
    live_latency_s_p95: float | None
    injected: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_proved(self) -> bool:
        """Whether every reading that was produced is stored or in quarantine, as it was read."""
        return self.produced == self.stored + self.quarantined and self.sum_error < MOST_SUM_ERROR

    def write(self, path: Path) -> None:
        """As JSON, for machines."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def make_place(report: Path) -> None:
    """Make the report's folder, prove that the report can be written, and take away an earlier run's.

    Raises ``ConfigError``.
    """
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text("", encoding="utf-8")
        report.unlink()
    except OSError as error:
        raise ConfigError(f"the report {report} cannot be written: {error.strerror}") from None


def conservation(outbox: Path, store_url: str, records: Engine) -> Conservation:
    """Compare, point by point, what the edge produced with what the store and the quarantine hold."""
    made = produced(outbox)
    store = open_readings(store_url)
    kept = store.totals()
    store.close()
    aside = quarantined_values(records)
    errors = []
    for point in made.keys() | kept.keys() | aside.keys():
        total = made[point][1] if point in made else 0.0
        stored = kept[point].total if point in kept else 0.0
        errors.append(abs(fsum([stored, -total, *aside.get(point, ())])))
    return Conservation(
        produced=sum(count for count, _ in made.values()),
        stored=sum(total.count for total in kept.values()),
        quarantined=sum(map(len, aside.values())),
        sum_error=fsum(errors),
    )


def quarantined_values(records: Engine) -> dict[str, list[float]]:
    """Values in quarantine by point. A message that cannot be decoded holds no value that could be named."""
    values: dict[str, list[float]] = {}
    quarantine, before = Quarantine(records), None
    while items := quarantine.items(before=before):
        before = items[-1].id
        for batch in filter(None, map(values_of, items)):
            for p, x in zip(batch.p, batch.x, strict=True):
                values.setdefault(batch.points[p], []).append(x)
    return values


def compare_alerts(records: Engine, shift: Shift, now: datetime) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Which injected faults were found and after how many hours of data time, and all alerts of the last 30 days."""
    alerts = Casebook(records).alerts(among=CaseFilter(raised_since=now - ALERT_WINDOW))
    faults = injected(shift)
    found = [_found(fault, alerts) for fault in faults]
    listed = [
        {
            "key": alert.key,
            "building": alert.building,
            "detector": alert.detector,
            "injected": any(_belongs(alert, fault) for fault in faults),
        }
        for alert in sorted(alerts, key=lambda alert: alert.raised_at)
    ]
    return found, listed


def _found(fault: dict[str, Any], alerts: Sequence[Alert]) -> dict[str, Any]:
    onset = datetime.fromisoformat(fault["onset"])
    of_its_kind = (a for a in alerts if a.detector == fault["kind"] and _belongs(a, fault))
    first = min((alert.raised_at for alert in of_its_kind), default=None)
    hours = None if first is None else round((first - onset).total_seconds() / 3600, 1)
    return {"kind": fault["kind"], "meter": fault["meter"], "found": first is not None, "hours_to_alarm": hours}


def _belongs(alert: Alert, fault: dict[str, Any]) -> bool:
    """Whether an alert is about an injected fault: its meter (or one that rightly sees it), raised in its time."""
    onset = datetime.fromisoformat(fault["onset"])
    end = datetime.fromisoformat(fault["end"]) if fault["end"] else None
    in_time = alert.raised_at >= onset and (end is None or alert.since < end)
    return in_time and alert.meter in {fault["meter"], *fault["also"]}


def summary_rows(t: Texts, report: Report) -> Iterable[tuple[str, str]]:
    """The table that ends the start of a demo."""
    yield t("cli.demo.produced"), f"{report.produced:,}"
    yield t("cli.demo.stored"), f"{report.stored:,}"
    yield t("cli.demo.quarantined"), f"{report.quarantined:,}"
    yield t("cli.demo.sum_error"), f"{report.sum_error:g}"
    by_detector = Counter(alert["detector"] for alert in report.alerts)
    yield t("cli.demo.alerts"), f"{len(report.alerts)}"
    for detector, count in sorted(by_detector.items()):
        yield "", f"{count} × {t(f'alert.{detector}.title')}"
    found = sum(fault["found"] for fault in report.injected)
    yield t("cli.demo.faults"), t("cli.demo.faults_found", found=found, of=len(report.injected))
    yield t("cli.demo.seconds"), f"{report.seconds_to_ready:.0f}"
    if report.live_latency_s_p95 is not None:
        yield t("cli.demo.latency"), f"{report.live_latency_s_p95:.2f} s"
    yield t("cli.demo.memory"), f"{report.pss_mib_total:.0f} MiB"
