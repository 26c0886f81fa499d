"""``meterhouse cases``: list, show and work on cases, note what is planned, and see how the work goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from facility.errors import ConfigError, Problem, Rejected
from facility.work import AlertState, Cause, Verdict
from meterhouse.answers.cases import (
    CaseAnswer,
    FiguresAnswer,
    PlanAnswer,
    PlansAnswer,
    case_answer,
    case_text,
    cases_text,
    figures_text,
    plan_answer,
    plans_text,
)
from meterhouse.commands.alerts import AlertsAnswer, alert_answer
from meterhouse.commands.spoken import formats_of, given_by, written_as
from meterhouse.commands.taking import looked_at_cases
from meterhouse.output import answer, answers, texts
from meterhouse.settings import Settings
from stores.records.case_figures import case_figures
from stores.records.case_list import CaseFilter
from stores.records.case_rules import SNOOZES, snooze_end
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.planned_events import PlanKind, PlannedEvent
from stores.records.registry import Registry

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from facility.work import Alert

app = typer.Typer(no_args_is_help=True)

MOST_LISTED = 200

Id = Annotated[str, typer.Argument(metavar="CASE", help="Its id, or how it begins: four characters at least.")]
By = Annotated[str, typer.Option("--by", help="Who does it; you, unless said otherwise.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with it and in the audit trail.")]
Building = Annotated[str, typer.Option("--building", help="Only this building.")]


@app.callback()
def cases() -> None:
    """Cases: take, snooze, close them; what is planned; how the work goes."""


@app.command("list", help="List cases that nobody has closed, open ones first.")
@answers(AlertsAnswer)
def list_cases(
    *,
    state: Annotated[AlertState | None, typer.Option("--state", help="Only those in this state.")] = None,
    building: Building = "",
    everything: Annotated[bool, typer.Option("--all", help="Closed cases too.")] = False,
) -> None:
    """One row for each."""
    casebook, estate = _books()
    states = [state] if state else [s for s in AlertState if everything or s is not AlertState.CLOSED]
    found = casebook.alerts(states=states, among=_among(estate, building), limit=MOST_LISTED)
    looked_at_cases(casebook.engine, estate, "cases", found)
    shown = [alert_answer(alert, estate) for alert in found]
    answer(AlertsAnswer(shown), lambda: cases_text(shown, estate))


@app.command(help="Show a case and its story.")
@answers(CaseAnswer)
def show(case: Id) -> None:
    """Everything that is known of it."""
    casebook, estate = _books()
    _answer(casebook, estate, _named(casebook, case))


@app.command(help="Take a case.")
@answers(CaseAnswer)
def take(case: Id, *, by: By = "") -> None:
    """It is theirs."""
    casebook, estate = _books()
    known = _named(casebook, case)
    _answer(casebook, estate, casebook.acknowledge(known.id, given_by(by), _now(), based_on=known.acts))


@app.command("give-back", help="Give a case back that was taken.")
@answers(CaseAnswer)
def give_back(case: Id, *, by: By = "") -> None:
    """It is nobody's again."""
    casebook, estate = _books()
    known = _named(casebook, case)
    _answer(casebook, estate, casebook.release(known.id, given_by(by), _now(), based_on=known.acts))


@app.command(help="Let a case rest; it wakes early if it doubles or becomes worse.")
@answers(CaseAnswer)
def snooze(
    case: Id,
    *,
    until: Annotated[str, typer.Option("--until", help=f"{', '.join(SNOOZES)} or a day such as 2026-12-24.")],
    reason: Reason,
    by: By = "",
) -> None:
    """Nobody is told of it for a while."""
    casebook, estate = _books()
    known, now = _named(casebook, case), _now()
    with written_as({"no_reason": "--reason", "no_time": "--until", "over": "--until", "too_long": "--until"}):
        end = snooze_end(until, now, ZoneInfo(estate.site.timezone))
        done = casebook.snooze(known.id, end, reason, given_by(by), now, based_on=known.acts)
    _answer(casebook, estate, done)


@app.command(help="End the rest of a case.")
@answers(CaseAnswer)
def wake(case: Id, *, by: By = "") -> None:
    """People are told of it again."""
    casebook, estate = _books()
    known = _named(casebook, case)
    _answer(casebook, estate, casebook.wake(known.id, given_by(by), _now(), based_on=known.acts))


@app.command(help="Close a case with a verdict and what it came of.")
@answers(CaseAnswer)
def close(
    case: Id,
    *,
    verdict: Annotated[Verdict, typer.Option("--verdict", help="What was found.")],
    cause: Annotated[Cause, typer.Option("--cause", help="What it came of.")],
    note: Annotated[str, typer.Option("--note", help="What else is to be known.")] = "",
    by: By = "",
) -> None:
    """What was fixed is measured before it is closed for good."""
    casebook, estate = _books()
    known = _named(casebook, case)
    done = casebook.close(known.id, verdict, cause, note.strip(), given_by(by), _now(), based_on=known.acts)
    _answer(casebook, estate, done)


@app.command(help="Take a verdict back.")
@answers(CaseAnswer)
def reopen(case: Id, *, by: By = "") -> None:
    """It stands as before."""
    casebook, estate = _books()
    known = _named(casebook, case)
    _answer(casebook, estate, casebook.reopen(known.id, given_by(by), _now(), based_on=known.acts))


@app.command(help="Note maintenance or an event: what is found meanwhile waits, unless it is urgent.")
@answers(PlanAnswer)
def plan(
    building: Annotated[str, typer.Argument(help="The building, by its id.")],
    *,
    begins: Annotated[str, typer.Option("--from", help="Its begin, local, such as 2026-12-01T08:00.")],
    ends: Annotated[str, typer.Option("--to", help="Its end, local.")],
    reason: Reason,
    kind: Annotated[PlanKind, typer.Option("--kind", help="What it is.")] = PlanKind.MAINTENANCE,
    meter: Annotated[str, typer.Option("--meter", help="Only this meter of the building.")] = "",
    detector: Annotated[str, typer.Option("--detector", help="Only what this detector finds.")] = "",
    every_week: Annotated[bool, typer.Option("--every-week", help="The same every week.")] = False,
    by: By = "",
) -> None:
    """Kept with whoever notes it."""
    casebook, estate = _books()
    if building not in estate.building:
        raise ConfigError(Problem("BUILDING", f"there is no building '{building}'", ", ".join(estate.building)))
    if meter and (meter not in estate.meter or estate.meter[meter].building != building):
        raise ConfigError(Problem("--meter", f"there is no meter '{meter}' in {building}"))
    zone = ZoneInfo(estate.site.timezone)
    event = PlannedEvent(
        kind,
        building,
        _instant("--from", begins, zone),
        _instant("--to", ends, zone),
        reason,
        meter or None,
        detector or None,
        every_week=every_week,
        zone=estate.site.timezone,
    )
    with written_as({"no_reason": "--reason", "no_time": "--to", "too_long": "--to", "over": "--to"}):
        kept = plan_answer(casebook.plans.add(event, given_by(by), _now()))
    answer(kept, lambda: plans_text([kept], estate))


@app.command(help="List what is planned from now on.")
@answers(PlansAnswer)
def plans() -> None:
    """One row for each."""
    casebook, estate = _books()
    found = [plan_answer(one) for one in casebook.plans.all_of(from_at=_now())]
    answer(PlansAnswer(found), lambda: plans_text(found, estate))


@app.command(help="Withdraw what was planned: it does not take place, or is over.")
@answers(PlansAnswer)
def withdraw(
    number: Annotated[int, typer.Argument(metavar="PLAN", help="Its number in the list.", min=1, max=2**31 - 1)],
    *,
    by: By = "",
) -> None:
    """What is found is told again."""
    casebook, estate = _books()
    with written_as({"unknown_event": "PLAN"}):
        casebook.plans.withdraw(number, given_by(by), _now())
    found = [plan_answer(one) for one in casebook.plans.all_of(from_at=_now())]
    answer(PlansAnswer(found), lambda: plans_text(found, estate))


@app.command(help="Say how the work on cases goes: times, precision, savings, what holds it up.")
@answers(FiguresAnswer)
def figures(
    *,
    days: Annotated[int, typer.Option("--days", help="Cases raised within so many days.", min=1, max=3660)] = 90,
    building: Building = "",
) -> None:
    """Figures for whoever leads it."""
    casebook, estate = _books()
    now, among = _now(), _among(estate, building)
    asked = CaseFilter(among.buildings, None, now - timedelta(days=days))
    found = FiguresAnswer(days, case_figures(casebook.engine, now, asked))
    answer(found, lambda: figures_text(found, formats_of(estate.site), estate))


def _books() -> tuple[Casebook, Catalogue]:
    records = open_records(Settings().records_url)
    return Casebook(records), Registry(records).load()


def _among(estate: Catalogue, building: str) -> CaseFilter:
    if building and building not in estate.building:
        raise ConfigError(Problem("--building", f"there is no building '{building}'", ", ".join(estate.building)))
    return CaseFilter([building] if building else None)


def _named(casebook: Casebook, text: str) -> Alert:
    try:
        return casebook.named(text)
    except Rejected as refused:
        raise ConfigError(Problem("CASE", refused.detail, "an id that cases list --all shows")) from None


def _answer(casebook: Casebook, estate: Catalogue, alert: Alert) -> None:
    looked_at_cases(casebook.engine, estate, f"case {alert.id}", [alert])
    found = case_answer(alert, casebook.timeline(alert.id), estate)
    answer(found, lambda: case_text(found, estate, texts()))


def _instant(option: str, text: str, zone: ZoneInfo) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(Problem(option, f"'{text}' is no time", "such as 2026-12-01T08:00")) from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=zone).astimezone(UTC)


def _now() -> datetime:
    return datetime.now(UTC)
