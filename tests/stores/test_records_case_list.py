"""Cases are found, ordered, counted and turned over page by page in the database, at the same cost year after year."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from facility.work import CALLING, RUNNING, AlertState, Cause, Finding, Severity, Verdict
from stores.records.case_list import CaseFilter, CasePlace, Unsettled
from stores.records.case_rows import opened_row
from stores.records.casebook import Casebook
from stores.records.database import writing
from stores.records.tables import alert as alerts

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BUILDINGS = ("b1", "b2", "b3")
RANKS = {AlertState.OPEN: 0, AlertState.ACKNOWLEDGED: 1}


@pytest.fixture
def casebook(engine):
    return Casebook(engine)


@pytest.fixture
def finding(now):
    return Finding("night_waste", "m/energy_import/total", "m", "b1", now - HOUR, now, Severity.ACT, 0.9, ())


def fill(engine, finding, number, states, seed=20261130):
    """So many cases of any state, building and hour: some hours raise several."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    rows = []
    for n in range(number):
        raised = finding.seen_at - rng.randrange(number // 3 + 1) * HOUR
        one = replace(finding, building=rng.choice(BUILDINGS), meter=f"m{n % 7}", point=f"p{n % 5}", seen_at=raised)
        state = rng.choice(states)
        row = opened_row(one, None, notify=False) | {"state": state.value, "open_key": None, "severity": n % 4 + 1}
        row["verdict"] = rng.choice(list(Verdict)).value if state is AlertState.CLOSED else None
        rows.append({"id": str(UUID(int=rng.getrandbits(128))), **row})
    with writing(engine) as connection:
        connection.execute(sa.insert(alerts), rows)


def in_order(cases):
    newest = sorted(cases, key=lambda one: (one.raised_at, str(one.id)), reverse=True)
    return sorted(newest, key=lambda one: RANKS.get(one.state, 2))


def test_open_cases_come_first_then_those_somebody_took_then_the_rest(casebook, finding, now):
    old = casebook.record(replace(finding, meter="old", seen_at=now - 10 * DAY), money=None, notify=False)
    here = casebook.record(finding, money=None, notify=True)
    there = casebook.record(replace(finding, building="b2", seen_at=now + HOUR), money=None, notify=True)
    casebook.acknowledge(there.id, "anna", now, based_on=0)
    assert [a.id for a in casebook.alerts()] == [here.id, old.id, there.id]
    assert [a.id for a in casebook.alerts(states=[AlertState.OPEN])] == [here.id, old.id]
    assert [a.id for a in casebook.alerts(among=CaseFilter(["b1"], raised_since=now - DAY))] == [here.id]
    assert casebook.alerts(states=[]) == []
    assert casebook.alerts(among=CaseFilter(buildings=[])) == []


@pytest.mark.parametrize("states", [None, RUNNING, [AlertState.CLOSED], [AlertState.RESOLVED, AlertState.OPEN]])
@pytest.mark.parametrize("among", [CaseFilter(), CaseFilter(["b1"]), CaseFilter(["b1", "b3"], ["p0", "p3"])])
def test_pages_hold_every_case_once_and_in_order(engine, casebook, finding, states, among):
    fill(engine, finding, 200, list(AlertState))
    wanted = [
        one
        for one in in_order(casebook.alerts())
        if (states is None or one.state in states)
        and (among.buildings is None or one.building in among.buildings)
        and (among.points is None or one.point in among.points)
    ]
    found, after = [], None
    while page := casebook.alerts(states=states, among=among, after=after, limit=7):
        found += page
        after = CasePlace(page[-1].state, page[-1].raised_at, page[-1].id)
    assert found == wanted
    assert len(wanted) > 5


def test_a_page_begins_where_the_last_one_ended_whatever_became_of_its_last_case(engine, casebook, finding, now):
    fill(engine, finding, 20, [AlertState.OPEN])
    first = casebook.alerts(limit=5)
    rest = casebook.alerts()[5:]
    casebook.close(first[-1].id, Verdict.FIXED, Cause.EQUIPMENT, "", "anna", now, based_on=0)
    place = CasePlace(AlertState.OPEN, first[-1].raised_at, first[-1].id)
    assert casebook.alerts(after=place)[:-1] == rest


def test_counts_are_those_of_the_lists(engine, casebook, finding):
    fill(engine, finding, 200, list(AlertState))
    for among in (CaseFilter(), CaseFilter(["b2"]), CaseFilter(["b1", "b2"], ["p1"]), CaseFilter([])):
        listed = Counter(one.state for one in casebook.alerts(among=among))
        assert casebook.counts(among=among) == {state: listed[state] for state in AlertState}
        assert casebook.counts(among=among, most=9) == {state: min(listed[state], 9) for state in AlertState}
    running = casebook.alerts(states=CALLING, among=CaseFilter(points=["p1", "p2"]))
    by_building = {b: [one.severity for one in running if one.building == b] for b in BUILDINGS}
    assert casebook.unsettled(among=CaseFilter(points=["p1", "p2"])) == {
        building: Unsettled(len(found), max(found)) for building, found in by_building.items() if found
    }


def test_verdicts_are_counted_by_key_without_the_case_itself(engine, casebook, finding):
    fill(engine, finding, 200, list(AlertState))
    every = casebook.alerts()
    asked = next(one for one in every if one.state is AlertState.CLOSED)
    others = [one for one in every if one.key == asked.key and one.id != asked.id and one.verdict]
    assert casebook.verdicts(asked.key, but=asked.id) == Counter(one.verdict for one in others)
    here = [one for one in others if one.point in {"p1", "p2"}]
    assert casebook.verdicts(asked.key, but=asked.id, among=CaseFilter(points=["p1", "p2"])) == Counter(
        one.verdict for one in here
    )


@pytest.mark.parametrize("among", [CaseFilter(), CaseFilter(["b1"])])
def test_what_a_page_asks_touches_no_more_rows_when_many_more_are_closed(engine, casebook, finding, database, among):
    """Counted by the database itself: steps of SQLite's machine, pages that PostgreSQL reads."""
    fill(engine, finding, 300, list(AlertState))
    few = _effort(engine, database, casebook, among)
    fill(engine, finding, 6000, [AlertState.CLOSED, AlertState.CLOSED, AlertState.RESOLVED], seed=7)
    with writing(engine) as connection:
        connection.execute(sa.text("ANALYZE"))
    many = _effort(engine, database, casebook, among)
    assert many < 2.5 * few, f"{few} grew to {many}"


def _effort(engine, database, casebook, among):
    """What the questions of the list's page cost, whichever filter is chosen."""

    def ask():
        casebook.counts(among=among, most=100)
        casebook.unsettled(among=among)
        for states in (None, [AlertState.OPEN], [AlertState.CLOSED]):
            casebook.alerts(states=states, among=among, limit=50)

    return _steps_of(engine, ask) if database == "sqlite" else _blocks_of(engine, ask)


def _steps_of(engine, ask):
    """Instructions of SQLite's machine, in hundreds."""
    steps = Counter()

    def count():
        steps["n"] += 1

    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        driver.set_progress_handler(count, 100)
    ask()  # the pool lends the same connection again
    driver.set_progress_handler(None, 0)
    return steps["n"]


def _blocks_of(engine, ask):
    """Blocks that PostgreSQL touched for the very statements, summed over their plans."""
    asked = []

    def note(_connection, _cursor, statement, parameters, *_):
        asked.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    ask()
    sa.event.remove(engine, "before_cursor_execute", note)
    blocks = 0
    with engine.connect() as connection:
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters)
            top = plan.scalar_one()[0]["Plan"]
            blocks += top["Shared Hit Blocks"] + top["Shared Read Blocks"]
    return blocks
