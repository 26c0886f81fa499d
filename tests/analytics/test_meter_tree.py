"""A leak that two meters of a building see is one case, of the meter that says where; and one person's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from rigs.worlds import CATALOGUE, meter

from analytics.alerts import Alerting
from analytics.meter_tree import BEGAN_WITHIN, by_tree
from facility.levels import Level
from facility.model import MeterRole, Point
from facility.quantities import Quantity, Utility
from facility.work import AlertState, Evidence, Excess, Finding, Severity, Verdict
from stores.records.casebook import Casebook

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SUBS = tuple(meter(name, Utility.WATER, MeterRole.SUB) for name in ("cistern", "kitchen"))
ESTATE = replace(
    CATALOGUE,
    meters=CATALOGUE.meters + SUBS,
    points=CATALOGUE.points + tuple(Point(one.id, Quantity.WATER_VOLUME, level=Level.INTERNAL) for one in SUBS),
)


def seen(name, per_day, *, detector="continuous_flow", since=NOW - 30 * HOUR, severity=Severity.ACT, at=NOW):
    point = f"{name}/water_volume/total"
    one = Finding(detector, point, name, "hall", since, at, severity, 0.9, (Evidence(point, since, at),))
    return replace(one, excess=Excess(per_day, "m3", per_day), utility=Utility.WATER)


def folded_of(*findings):
    kept, folded = by_tree(findings, ESTATE, lambda _: False)
    return {one.meter: one for one in kept}, dict(folded)


def test_the_sub_meter_that_explains_it_tells_it_with_what_the_head_meter_shows():
    kept, folded = folded_of(seen("water", 10.0, severity=Severity.URGENT), seen("cistern", 8.0))
    assert list(kept) == ["cistern"]
    assert folded == {"hall/cistern/continuous_flow": ["hall/water/continuous_flow"]}
    assert kept["cistern"].severity is Severity.URGENT
    assert [one.point for one in kept["cistern"].evidence] == ["cistern/water_volume/total", "water/water_volume/total"]


@pytest.mark.parametrize(
    "findings",
    [
        [seen("water", 10.0), seen("cistern", 6.9)],
        [seen("water", 10.0), seen("cistern", 9.0, since=NOW - 30 * HOUR - BEGAN_WITHIN - HOUR)],
        [seen("water", 10.0), replace(seen("cistern", 9.0), building="other")],
        [seen("water", 10.0), replace(seen("cistern", 9.0), utility=Utility.HEAT)],
        [seen("water", 10.0), seen("cistern", 9.0, detector="burst")],
        [seen("cistern", 9.0), seen("kitchen", 9.0)],
        [replace(seen("water", 0.0), excess=None), seen("cistern", 9.0)],
    ],
)
def test_what_explains_too_little_or_is_something_else_is_told_by_itself(findings):
    kept, folded = folded_of(*findings)
    assert (len(kept), folded) == (2, {})


def test_several_that_explain_it_together_tell_it_on_the_largest():
    kept, folded = folded_of(seen("water", 10.0), seen("cistern", 3.0), seen("kitchen", 5.0))
    assert sorted(kept) == ["cistern", "kitchen"]
    assert folded == {"hall/kitchen/continuous_flow": ["hall/water/continuous_flow"]}


def test_a_meter_that_never_rests_and_one_whose_lowest_flow_rose_tell_of_the_same():
    _, folded = folded_of(seen("water", 10.0, detector="night_flow_rise"), seen("cistern", 8.0))
    assert folded == {"hall/cistern/continuous_flow": ["hall/water/night_flow_rise"]}


class Sees:
    """A detector that finds what the test says."""

    name, hold_h = "continuous_flow", 12

    def __init__(self):
        self.findings = []

    def detect(self, scene):
        return [replace(one, seen_at=scene.now) for one in self.findings]


@pytest.fixture
def alerting(records):
    made, detector = Alerting(ESTATE, Casebook(records)), Sees()
    made.detectors, made._hold = [detector], {"continuous_flow": timedelta(hours=12)}
    return made, detector


def look(alerting, at, *findings):
    made, detector = alerting
    detector.findings = findings
    made.look(SimpleNamespace(now=at, catalogue=ESTATE), notify=True)
    return {one.meter: one for one in made.cases.alerts()}


def test_a_case_of_the_head_meter_goes_on_as_that_of_the_sub_meter_once_that_is_known(alerting):
    first = look(alerting, NOW, seen("water", 10.0))
    cases = look(alerting, NOW + HOUR, seen("water", 10.0), seen("cistern", 9.0))
    assert (cases["water"].state, cases["water"].verdict) == (AlertState.CLOSED, Verdict.DUPLICATE)
    assert cases["water"].id == first["water"].id
    assert cases["water"].parent == cases["cistern"].id
    assert cases["cistern"].state is AlertState.OPEN


def test_where_somebody_has_the_head_meters_case_in_hand_nobody_else_is_sent(alerting):
    first = look(alerting, NOW, seen("water", 10.0))["water"]
    alerting[0].cases.acknowledge(first.id, "kim", NOW, based_on=0)
    cases = look(alerting, NOW + HOUR, seen("water", 10.0), seen("cistern", 9.0))
    assert cases.keys() == {"water"}
    assert cases["water"].state is AlertState.ACKNOWLEDGED
    assert [one.point for one in cases["water"].evidence] == ["water/water_volume/total", "cistern/water_volume/total"]
