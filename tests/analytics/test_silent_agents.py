"""One failure of an agent is one alert: whoever is told goes to the machine room once, and not to sixty meters."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from rigs.worlds import CATALOGUE, START, START_MS, meter

from analytics.alerts import Alerting
from analytics.scene import Window
from analytics.silent_agents import MANY, SILENT_AGENT, STORM
from facility.catalogue import Agent, Bus
from facility.levels import Level
from facility.model import Point
from facility.quantities import ALARM_STATES, Quantity
from facility.work import AlertState, Severity, Verdict
from stores.readings.port import Series
from stores.records.casebook import Casebook
from stores.records.letters.letter import TOLD
from wording.cases import case_of

HOUR_MS = 3_600_000
HOURS = 12
EDGES = START_MS + HOUR_MS * np.arange(HOURS + 1, dtype=np.int64)
NOW = START + timedelta(hours=HOURS)


@pytest.fixture
def casebook(records):
    return Casebook(records)


def estate(quantity=Quantity.ENERGY_IMPORT, **agents):
    """So many meters of one quantity on each agent."""
    names = [(f"{agent}-{n:04}", agent) for agent, number in agents.items() for n in range(number)]
    meters = tuple(replace(meter(name), agent=agent) for name, agent in names)
    points = tuple(Point(name, quantity, level=Level.INTERNAL) for name, _ in names)
    bus = (Bus("bus", "modbus+tcp://127.0.0.1:5020"),)
    return replace(CATALOGUE, meters=meters, points=points, agents=tuple(Agent(a, bus) for a in agents), spaces=())


def window(catalogue, silent=(), silent_h=5.0, listens=True, wet=()):
    """Every meter was heard a minute ago but those that are silent; sensors stand in water since just now."""
    now_ms = int(EDGES[-1])
    last = {m.id: now_ms - round(silent_h * HOUR_MS) if m.id in silent else now_ms - 60_000 for m in catalogue.meters}
    seen = {name: np.minimum(EDGES[1:] - 60_000, t_ms) for name, t_ms in last.items()}
    states = {f"{name}/leak/total": _wet(now_ms - 60_000 + n % 7) for n, name in enumerate(wet)}
    heard = last if listens else {}
    return Window(catalogue, EDGES, {}, seen, states, {"hall": np.ones(HOURS, bool)}, heard_ms=heard)


def _wet(t_ms):
    return Series(np.array([START_MS, t_ms], np.int64), np.array([0.0, 1.0]), np.zeros(2, np.uint8))


def look(casebook, catalogue, made, at=NOW):
    Alerting(catalogue, casebook).look(made.scene(at), notify=True)
    return casebook.alerts()


def of(agent, number):
    return [f"{agent}-{n:04}" for n in range(number)]


def steps_told(casebook):
    return [step.what for alert in casebook.alerts() for step in casebook.timeline(alert.id) if step.what in TOLD]


def test_an_agent_that_is_silent_is_one_case_and_none_of_each_meter(casebook):
    catalogue = estate(a=60, b=3)
    (alert,) = look(casebook, catalogue, window(catalogue, of("a", 60), 0.6))
    assert (alert.key, alert.severity) == ("hall/a-0000/silent_agent", Severity.ACT)
    assert (alert.params["agent"], alert.params["number"]) == ("a", 60)
    assert alert.since == NOW - timedelta(hours=0.6)
    for language, said in (("en", "Nothing comes from agent a (60 meters)"), ("zh-Hans", "边缘采集器 a")):
        case = case_of(alert, catalogue, language, NOW)
        assert said in case.wording.what
        assert (case.meter, case.place, case.sure) == ("a", "", "fact")


def test_a_storm_of_five_thousand_meters_of_one_agent_is_one_case_told_once(casebook):
    catalogue = estate(a=5000, b=1)
    alerting, made = Alerting(catalogue, casebook), window(catalogue, of("a", 4000))
    for minute in range(3):
        alerting.look(made.scene(NOW + timedelta(minutes=minute)), notify=True)
    (alert,) = casebook.alerts()
    assert (alert.message_id, alert.params["number"]) == (f"alert.{MANY}", 4000)
    assert steps_told(casebook) == ["opened"]


def test_five_thousand_sensors_that_alarm_at_once_are_one_urgent_case(casebook):
    catalogue = estate(Quantity.LEAK, a=5000)
    (alert,) = look(casebook, catalogue, window(catalogue, wet=of("a", 5000)))
    assert (alert.message_id, alert.severity) == (f"alert.{STORM}", Severity.URGENT)
    assert steps_told(casebook) == ["opened"]


def test_a_few_wet_floors_are_a_case_each(casebook):
    catalogue = estate(Quantity.LEAK, a=50)
    assert len(look(casebook, catalogue, window(catalogue, wet=of("a", 19)))) == 19


@pytest.mark.parametrize(
    ("meters", "silent", "folds"), [(10, 4, False), (10, 5, True), (11, 5, False), (60, 19, False), (60, 20, True)]
)
def test_many_meters_are_told_as_one(casebook, meters, silent, folds):
    catalogue = estate(a=meters)
    alerts = look(casebook, catalogue, window(catalogue, of("a", silent), listens=False))
    assert [one.detector for one in alerts] == ([SILENT_AGENT] if folds else ["silent_meter"] * silent)


def test_meters_of_several_agents_are_not_taken_together(casebook):
    catalogue = estate(a=20, b=20)
    alerts = look(casebook, catalogue, window(catalogue, of("a", 10) + of("b", 3)))
    assert sorted(one.detector for one in alerts) == [SILENT_AGENT, *["silent_meter"] * 3]


@pytest.mark.parametrize(("silent_h", "listens"), [(0.4, True), (5.0, False)])
def test_an_agent_is_silent_after_half_an_hour_and_only_to_who_listens(casebook, silent_h, listens):
    catalogue = estate(a=4, b=3)
    assert look(casebook, catalogue, window(catalogue, of("a", 4), silent_h, listens)) == []


def test_where_every_agent_is_silent_the_server_hears_nothing(casebook):
    catalogue = estate(a=4, b=3)
    assert look(casebook, catalogue, window(catalogue, of("a", 4) + of("b", 3))) == []


def test_cases_that_were_open_before_are_told_with_it_and_those_in_hand_stay(casebook):
    catalogue = estate(a=8, b=2)
    alerting = Alerting(catalogue, casebook)
    alerting.look(window(catalogue, of("a", 2)).scene(NOW), notify=True)
    mine = next(one for one in casebook.alerts() if one.meter == "a-0001")
    casebook.acknowledge(mine.id, "kim", NOW, based_on=0)
    alerting = Alerting(catalogue, casebook)
    alerting.look(window(catalogue, of("a", 8)).scene(NOW + timedelta(minutes=1)), notify=True)
    states = {one.meter if one.detector == "silent_meter" else "agent": one for one in casebook.alerts()}
    assert (states["a-0000"].state, states["a-0000"].verdict) == (AlertState.CLOSED, Verdict.DUPLICATE)
    assert states["a-0000"].parent == states["agent"].id
    assert states["a-0001"].state is AlertState.ACKNOWLEDGED


def test_once_it_speaks_again_its_case_goes_away_within_an_hour(casebook):
    catalogue = estate(a=8, b=2)
    alerting = Alerting(catalogue, casebook)
    alerting.look(window(catalogue, of("a", 8)).scene(NOW), notify=True)
    alerting.look(window(catalogue).scene(NOW + timedelta(minutes=61)), notify=True)
    assert [one.state for one in casebook.alerts()] == [AlertState.RESOLVED]


def test_a_meter_that_was_silent_before_its_agent_is_told_again_after_it(casebook):
    catalogue = estate(a=8, b=2)
    alerting = Alerting(catalogue, casebook)
    for minute, silent in ((0, 1), (1, 8), (70, 1)):
        alerting.look(window(catalogue, of("a", silent)).scene(NOW + timedelta(minutes=minute)), notify=True)
    states = {one.detector: one.state for one in casebook.alerts()}
    assert states == {"silent_meter": AlertState.OPEN, SILENT_AGENT: AlertState.RESOLVED}


@pytest.mark.parametrize(("quantity", "silent_h", "severity"), [
    (Quantity.LEAK, 1.9, None), *((guard, 2.5, Severity.ACT) for guard in (Quantity.DOOR_OPEN, *ALARM_STATES)),
    (Quantity.TEMPERATURE, 2.5, None), (Quantity.TEMPERATURE, 5.0, Severity.WATCH),
])  # fmt: skip
def test_a_sensor_that_guards_and_is_silent_is_a_task_within_the_hour_after_its_page_turns_grey(
    casebook, quantity, silent_h, severity
):
    catalogue = estate(quantity, a=5, b=2)
    alerts = look(casebook, catalogue, window(catalogue, of("a", 1), silent_h))
    assert [(one.detector, one.severity) for one in alerts] == ([("silent_meter", severity)] if severity else [])
    assert all(("sensor" in one.message_id) == (quantity is not Quantity.TEMPERATURE) for one in alerts)
