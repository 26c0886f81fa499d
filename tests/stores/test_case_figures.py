"""The figures of whoever leads the work, by hand: five cases whose times, verdicts and savings are known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from facility.work import Cause, Excess, Finding, Saving, Severity, Verdict
from stores.records.case_figures import Bottleneck, Precision, Saved, case_figures
from stores.records.case_list import CaseFilter
from stores.records.casebook import Casebook

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def casebook(engine):
    return Casebook(engine)


def found(now, meter, detector, hours_ago, building="b1", **changes):
    at = now - hours_ago * HOUR
    fields = {"severity": Severity.ACT, "confidence": 0.9, "evidence": (), "excess": Excess(1.0, "m3", 2.0)}
    return Finding(detector, f"{meter}/x/total", meter, building, at, at, **{**fields, **changes})


def test_figures_are_those_of_the_cases(engine, casebook, now):
    def case(meter, detector, hours_ago, taken_h=None, closed_h=None, verdict=None, cause=None, **more):
        one = casebook.record(found(now, meter, detector, hours_ago, **more), money=None, notify=True)
        if taken_h is not None:
            one = casebook.acknowledge(one.id, "kim", one.raised_at + taken_h * HOUR, based_on=one.acts)
        if verdict is not None:
            at = one.raised_at + closed_h * HOUR
            one = casebook.close(one.id, verdict, cause, "", "kim", at, based_on=one.acts)
        return one

    case("m1", "continuous_flow", 240, 1, 10, Verdict.FIXED, Cause.EQUIPMENT)
    casebook.settle(now, {}, lambda _: Saving(1.8, "m3", 3, 9.0, "CNY"))
    case("m2", "continuous_flow", 100, 3, 20, Verdict.FALSE_ALARM, Cause.DATA)
    case("m3", "night_waste", 90, 8, 40, Verdict.ACCEPTED, Cause.COORDINATION, building="b2")
    case("m4", "night_waste", 50, None, 2, Verdict.DUPLICATE, Cause.DATA)
    case("m5", "night_waste", 30)
    case("m6", "night_waste", 1)
    figures = case_figures(engine, now, CaseFilter(raised_since=now - 30 * DAY))
    assert (figures.raised, figures.judged, figures.accept_h, figures.finish_h) == (6, 3, 3.0, 20.0)
    assert figures.by_detector == [Precision("continuous_flow", 2, 1), Precision("night_waste", 1, 1)]
    assert figures.by_cause == [Precision("coordination", 1, 1), Precision("data", 1, 0), Precision("equipment", 1, 1)]
    assert figures.open_by_age == {"day": 1, "week": 1, "month": 0, "older": 0}
    assert figures.saved == [Saved("m3", 1, 1.8, pytest.approx(9.0 * 230 / 24, abs=0.01), "CNY")]
    assert figures.hand_overs == [Bottleneck(Cause.COORDINATION, "b2", 1, 40.0)]
    assert figures.equipment == [Bottleneck(Cause.DATA, "b1", 1, 20.0), Bottleneck(Cause.EQUIPMENT, "b1", 1, 10.0)]
    of_b2 = case_figures(engine, now, CaseFilter(["b2"], raised_since=now - 30 * DAY))
    assert (of_b2.raised, of_b2.accept_h, of_b2.saved) == (1, 8.0, [])


def test_where_there_is_nothing_nothing_is_made_up(engine, now):
    figures = case_figures(engine, now, CaseFilter())
    assert (figures.raised, figures.accept_h, figures.finish_h, figures.by_detector) == (0, None, None, [])


def test_a_saving_counts_for_a_year_at_most(engine, casebook, now):
    one = casebook.record(found(now, "m1", "continuous_flow", 24 * 800), money=None, notify=True)
    casebook.close(one.id, Verdict.FIXED, Cause.EQUIPMENT, "", "kim", one.raised_at, based_on=0)
    casebook.settle(now, {}, lambda _: replace(Saving(1.8, "m3", 3), money_per_day=2.0, currency="CNY"))
    (saved,) = case_figures(engine, now, CaseFilter()).saved
    assert saved.money_to_date == 730.0
