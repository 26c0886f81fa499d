"""What ``meterhouse cases`` answers: for programs, and in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the answer's shape is read by its types
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from facility.work import Cause, Saving  # noqa: TC001
from meterhouse.commands.alerts import AlertAnswer, alert_answer
from meterhouse.output import facts, shown, table, texts
from stores.records.case_figures import CaseFigures  # noqa: TC001
from stores.records.planned_events import PlanKind  # noqa: TC001
from wording.formats import Formats
from wording.names import Names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from facility.catalogue import Catalogue
    from facility.work import Alert
    from stores.records.case_figures import Bottleneck, Precision
    from stores.records.case_steps import CaseEvent
    from stores.records.planned_events import PlannedEvent
    from wording.texts import Texts

ID_SHOWN = 8
COLUMNS = ("cli.column.id", "cli.column.since", "cli.column.state", "cli.column.building", "cli.column.what")
PLAN_COLUMNS = (
    "cli.column.id",
    "cli.column.kind",
    "cli.column.building",
    "cases.from",
    "cases.to",
    "cli.column.reason",
)


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """One step of a case."""

    at: datetime
    what: Annotated[str, "such as `opened`, `acknowledged`, `snoozed`, `closed`, `saved`"]
    by: Annotated[str, "empty: Meterhouse itself"]
    note: str


@dataclass(frozen=True, slots=True)
class CaseAnswer:
    """A case with its story."""

    case: AlertAnswer
    cause: Cause | None
    verdict_note: str
    snoozed_until: datetime | None
    parent: Annotated[str | None, "the case that it is told with"]
    saving: Annotated[Saving | None, "what its repair was measured to save"]
    steps: list[StepAnswer]


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """Maintenance or an event."""

    plan: Annotated[int, "its number"]
    kind: PlanKind
    building: str
    meter: Annotated[str | None, "null: every meter of the building"]
    detector: Annotated[str | None, "null: whatever is found"]
    begins_at: datetime
    ends_at: datetime
    every_week: bool
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class PlansAnswer:
    """What is planned, the one that begins last first."""

    plans: list[PlanAnswer]


@dataclass(frozen=True, slots=True)
class FiguresAnswer:
    """How the work on cases goes."""

    days: Annotated[int, "cases raised within so many days"]
    figures: CaseFigures


def case_answer(alert: Alert, steps: Sequence[CaseEvent], estate: Catalogue) -> CaseAnswer:
    """A case as it stands."""
    return CaseAnswer(
        case=alert_answer(alert, estate),
        cause=alert.cause,
        verdict_note=alert.verdict_note,
        snoozed_until=alert.snoozed_until,
        parent=str(alert.parent) if alert.parent else None,
        saving=alert.saving,
        steps=[StepAnswer(one.at, one.what, one.by, one.note) for one in steps],
    )


def plan_answer(one: PlannedEvent) -> PlanAnswer:
    """What is planned, as it is kept."""
    return PlanAnswer(
        one.id,
        one.kind,
        one.building,
        one.meter,
        one.detector,
        one.begins_at,
        one.ends_at,
        one.every_week,
        one.reason,
        one.by,
    )


def cases_text(cases: Sequence[AlertAnswer], estate: Catalogue) -> str:
    """A row for each."""
    t, names, zone = texts(), Names(estate, texts().language), ZoneInfo(estate.site.timezone)
    if not cases:
        return t("cli.alerts.none")
    rows = [
        (
            one.id[:ID_SHOWN],
            f"{one.since.astimezone(zone):%Y-%m-%d %H:%M}",
            t(f"case.{one.state}"),
            names.building(one.building),
            one.what,
        )
        for one in cases
    ]
    return table(COLUMNS, rows)


def case_text(found: CaseAnswer, estate: Catalogue, t: Texts) -> str:
    """What it is, and its story."""
    formats = Formats(t.language, estate.site.timezone, estate.site.currency)
    case = found.case
    pairs = [
        (t("cli.column.id"), case.id),
        (t("cli.column.what"), case.what),
        (t("cli.column.building"), Names(estate, t.language).building(case.building)),
        (t("cli.column.state"), t(f"case.{case.state}")),
        *([(t("verdict.question"), t(f"verdict.{case.verdict}"))] if case.verdict else []),
        *([(t("cause.question"), t(f"cause.{found.cause}"))] if found.cause else []),
    ]
    if found.saving:
        saved = formats.use(found.saving.per_day, found.saving.unit)
        pairs.append((t("cases.saved"), f"{saved} {t('alert.per_day')}"))
    story = [(formats.instant(one.at), _step(one, t)) for one in found.steps]
    return f"{facts(pairs)}\n\n{facts(story)}"


def _step(one: StepAnswer, t: Texts) -> str:
    said = t(f"event.{one.what}", by=one.by)
    return f"{said} · {one.note}" if one.note else said


def plans_text(plans: Sequence[PlanAnswer], estate: Catalogue) -> str:
    """A row for each."""
    t, names, zone = texts(), Names(estate, texts().language), ZoneInfo(estate.site.timezone)
    if not plans:
        return t("cases.no_plans")
    rows = [
        (
            one.plan,
            t(f"plan.{one.kind}"),
            names.building(one.building) + (f" › {names.meter(one.meter)}" if one.meter else ""),
            f"{one.begins_at.astimezone(zone):%Y-%m-%d %H:%M}",
            f"{one.ends_at.astimezone(zone):%Y-%m-%d %H:%M}" + (f" {t('cases.weekly')}" if one.every_week else ""),
            one.reason,
        )
        for one in plans
    ]
    return table(PLAN_COLUMNS, rows)


def figures_text(found: FiguresAnswer, formats: Formats, estate: Catalogue) -> str:
    """Names and values; what has no figure is shown as such."""
    t, figures = texts(), found.figures
    names = Names(estate, t.language)
    pairs = [
        (t("cases.raised"), f"{figures.raised}"),
        (t("cases.judged"), f"{figures.judged}"),
        (t("cases.accept"), shown(figures.accept_h)),
        (t("cases.finish"), shown(figures.finish_h)),
        *((f"{t('cases.precise')} {one.name}", _precision(one)) for one in figures.by_detector),
        *((f"{t('cases.precise')} {t(f'cause.{one.name}')}", _precision(one)) for one in figures.by_cause),
        *((t(f"cases.age.{name}"), f"{number}") for name, number in figures.open_by_age.items()),
        *(
            (t("cases.saved"), f"{formats.use(one.per_day, one.unit)} · {formats.money(one.money_to_date)}")
            for one in figures.saved
        ),
        (t("orders.figure.made"), f"{figures.orders.orders}"),
        (t("orders.figure.in_time"), f"{figures.orders.in_time}/{figures.orders.due}"),
        (t("orders.figure.assigned"), shown(figures.orders.assigned_p95_s)),
        (t("orders.figure.rating"), shown(figures.orders.rating)),
        *_stuck(t("cases.hand_overs"), figures.hand_overs, t, names),
        *_stuck(t("cases.equipment"), figures.equipment, t, names),
    ]
    return facts(pairs)


def _precision(one: Precision) -> str:
    return f"{one.real}/{one.judged}"


def _stuck(name: str, found: Sequence[Bottleneck], t: Texts, names: Names) -> Iterator[tuple[str, str]]:
    for one in found:
        yield name, f"{t(f'cause.{one.cause}')} · {names.building(one.building)} · {one.cases} · {one.open_h} h"
