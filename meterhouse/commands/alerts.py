"""``meterhouse alerts``: the cases, as sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the answer's shape is read by its types
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from facility.system_alarm import SystemAlarm, Unseen
from facility.work import AlertState, Excess, Money, Verdict
from meterhouse.commands.taking import looked_at_cases
from meterhouse.output import answer, answers, table, texts, warn
from meterhouse.settings import Settings
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.records.status.board import StatusBoard
from wording.alarms import alarm_sentence, unseen_sentence
from wording.alerts import wording_of
from wording.formats import Formats
from wording.names import Names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facility.catalogue import Catalogue
    from facility.system_alarm import Outlook
    from facility.work import Alert
    from wording.texts import Texts

COLUMNS = (
    "cli.column.since",
    "cli.column.state",
    "cli.column.building",
    "cli.column.what",
    "cli.column.cost_so_far",
)


BLINDING = frozenset({SystemAlarm.INGEST_SILENT, SystemAlarm.ANALYTICS_SILENT, SystemAlarm.ANALYTICS_FAILS})
"""While one of these stands, no alert may come of what is wrong in a building."""


@dataclass(frozen=True, slots=True)
class AlertAnswer:
    """A case."""

    id: Annotated[str, "opaque and permanent"]
    state: AlertState
    severity: Annotated[str, "`info` or `watch` or `act` or `urgent`"]
    what: Annotated[str, "one sentence, in the reader's language"]
    detector: Annotated[str, "which detector found it"]
    building: Annotated[str, "its id"]
    meter: Annotated[str, "its id"]
    point: Annotated[str, "id of the series it was found in"]
    since: Annotated[datetime, "first abnormal instant"]
    raised_at: Annotated[datetime, "when the case was made"]
    last_seen_at: Annotated[datetime, "when it was found last"]
    confidence: Annotated[float, "0 to 1"]
    excess: Excess | None
    money: Money | None
    acknowledged_by: Annotated[str | None, "who took it"]
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class AlertsAnswer:
    """Cases, open ones first, newest first."""

    alerts: list[AlertAnswer]


@answers(AlertsAnswer)
def alerts(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Closed cases too.")] = False,
) -> None:
    """Print one line per case: open ones first, newest first."""
    records = open_records(Settings().records_url)
    estate = Registry(records).load()
    states = None if everything else [s for s in AlertState if s is not AlertState.CLOSED]
    found = Casebook(records).alerts(states=states)
    looked_at_cases(records, estate, "cases", found)
    cases = [alert_answer(alert, estate) for alert in found]
    answer(AlertsAnswer(cases), lambda: _table(cases, estate) if cases else texts()("cli.alerts.none"))
    for sentence in _unwatched(texts(), StatusBoard(records).outlook()):
        warn(sentence)


def _unwatched(t: Texts, seen: Outlook) -> Iterator[str]:
    """Why there may be more than is listed: nobody looks, or nothing comes in to be looked at."""
    yield from (unseen_sentence(t, one) for one in seen.unknown if one.what is not Unseen.AGENTS)
    yield from (alarm_sentence(t, one) for one in seen.alarms if one.alarm in BLINDING)


def alert_answer(alert: Alert, estate: Catalogue) -> AlertAnswer:
    """A case, for programs."""
    return AlertAnswer(
        id=str(alert.id),
        state=alert.state,
        severity=alert.severity.word,
        what=wording_of(alert, texts().language, estate).what,
        detector=alert.detector,
        building=alert.building,
        meter=alert.meter,
        point=alert.point,
        since=alert.since,
        raised_at=alert.raised_at,
        last_seen_at=alert.last_seen_at,
        confidence=alert.confidence,
        excess=alert.excess,
        money=alert.money,
        acknowledged_by=alert.acknowledged_by or None,
        verdict=alert.verdict,
    )


def _table(cases: list[AlertAnswer], estate: Catalogue) -> str:
    t = texts()
    zone, names = ZoneInfo(estate.site.timezone), Names(estate, t.language)
    formats = Formats(t.language, estate.site.timezone, estate.site.currency)
    rows = [
        (
            f"{one.since.astimezone(zone):%Y-%m-%d %H:%M}",
            t(f"case.{one.state}"),
            names.building(one.building),
            one.what,
            formats.money(one.money.to_date if one.money else None),
        )
        for one in cases
    ]
    return table(COLUMNS, rows, right=(4,))
