from dataclasses import replace

import numpy as np
import pytest
from rigs.worlds import (
    CATALOGUE,
    DAY_H,
    DAYS,
    FIRST,
    FRIDAY_EVENING,
    HOURS,
    POINT,
    START_MS,
    WITH_GAUGES,
    WITH_SERVERS,
    at,
    broken_window,
    calendar_hours,
    faulty,
    hours_ms,
    make_window,
    normal_use,
    state_series,
)

from accounting.calendars import Occupancy
from accounting.local_time import HOUR_MS
from analytics.detectors import DETECTORS
from facility.ledger.installation import Installation
from facility.model import MeterRole
from facility.work import Severity

CUT = FRIDAY_EVENING + 130


def steps(window, detector, start, end, every=1):
    """Hour → findings, where there are any."""
    found = {hour: list(detector.detect(window.scene(at(hour)))) for hour in range(start, end, every)}
    return {hour: findings for hour, findings in found.items() if findings}


@pytest.fixture(params=DETECTORS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def clean():
    opened = [(d * DAY_H + 9 + m, m % 2) for d in range(DAYS) for m in (0, 1, 2)]
    return make_window(normal_use(HOURS), FIRST, states={POINT["door"]: state_series(*opened)})


@pytest.fixture(scope="module")
def broken():
    use, seen, states = faulty()
    return make_window(use, FIRST, seen=seen, states=states)


@pytest.fixture(scope="module")
def broken_until_cut():
    use, seen, states = faulty()
    past = {meter: np.where(np.arange(HOURS) < CUT, qty, np.nan) for meter, qty in use.items()}
    return make_window(past, FIRST, seen=seen, states=states)


def test_quiet_on_a_clean_office_for_weeks(name, clean):
    assert not steps(clean, DETECTORS[name](), FIRST, HOURS)


def test_each_finds_its_fault_and_says_who_where_and_since_when(name):
    found = steps(broken_window(name), DETECTORS[name](), FIRST, HOURS)
    assert found
    finding = next(iter(found.values()))[0]
    assert finding.detector == name
    assert finding.meter in WITH_SERVERS.meter | WITH_GAUGES.meter
    assert finding.building == "hall"
    assert finding.since <= finding.seen_at
    assert finding.evidence
    assert 0 < finding.confidence <= 1
    assert finding.meter == (WITH_SERVERS.point | WITH_GAUGES.point)[finding.point].meter
    named = {"meter": finding.meter, "building": "hall", "since_at": finding.since.isoformat()}
    assert finding.params | named == finding.params


def test_later_readings_do_not_change_what_was_found_before(name, broken, broken_until_cut):
    detector = DETECTORS[name]()
    for hour in range(FRIDAY_EVENING, CUT, 3):
        expected = list(detector.detect(broken_until_cut.scene(at(hour))))
        assert list(detector.detect(broken.scene(at(hour)))) == expected


def test_nothing_is_found_where_nothing_is_known(name):
    nothing = {meter: np.full(HOURS, np.nan) for meter in ("main", "lights", "water")}
    never = {meter.id: np.zeros(HOURS, np.int64) for meter in CATALOGUE.meters}
    window = make_window(nothing, FIRST, seen=never, states={POINT["door"]: state_series()})
    assert not steps(window, DETECTORS[name](), 0, HOURS, every=7)


def test_lights_left_on_over_a_weekend_are_told_once_on_the_lighting_meter(broken):
    found = steps(broken, DETECTORS["night_waste"](), FRIDAY_EVENING, FRIDAY_EVENING + 60)
    assert min(found) <= FRIDAY_EVENING + 6
    assert {finding.meter for findings in found.values() for finding in findings} == {"lights"}
    last = found[max(found)][0]
    assert last.excess.quantity == pytest.approx(12 * last.params["hours_h"], rel=0.1)
    assert last.severity is Severity.ACT


def test_a_busy_afternoon_is_not_waste():
    use = normal_use(HOURS)
    work = calendar_hours(HOURS).occ == Occupancy.WORK
    use["main"][FRIDAY_EVENING - 30 :][work[FRIDAY_EVENING - 30 :]] *= 1.5
    window = make_window({"main": use["main"]}, FIRST)
    assert not steps(window, DETECTORS["night_waste"](), FRIDAY_EVENING - 24, HOURS)


def test_a_leak_is_told_after_a_day_without_rest_with_its_rate(broken):
    found = steps(broken, DETECTORS["continuous_flow"](), FRIDAY_EVENING, HOURS)
    assert FRIDAY_EVENING + 12 <= min(found) <= FRIDAY_EVENING + 24
    first = found[min(found)][0]
    assert first.params["rate_qty"] == pytest.approx(0.25, rel=0.05)
    assert first.excess.per_day == pytest.approx(6.0, rel=0.05)


def test_a_leak_never_becomes_its_own_normal(broken):
    found = steps(broken, DETECTORS["continuous_flow"](), FRIDAY_EVENING + 30, HOURS)
    assert len(found) == HOURS - FRIDAY_EVENING - 30


def test_water_that_never_rests_is_a_leak_only_when_its_lowest_flow_rises():
    use = normal_use(HOURS)
    use = {"water": use["water"] + 0.1}
    detector = DETECTORS["continuous_flow"]()
    assert not steps(make_window(use, FIRST), detector, FIRST, HOURS, every=5)
    use["water"][FRIDAY_EVENING:] += 0.15
    found = steps(make_window(use, FIRST), detector, FRIDAY_EVENING, HOURS, every=5)
    assert found[max(found)][0].params["rate_qty"] == pytest.approx(0.15, rel=0.1)


def test_a_frozen_register_is_found_within_hours_and_a_usual_rest_is_not(broken):
    found = steps(broken, DETECTORS["stuck_meter"](), FRIDAY_EVENING, HOURS)
    assert min(found) == FRIDAY_EVENING + 101
    assert {finding.meter for findings in found.values() for finding in findings} == {"main"}


def test_a_silent_meter_is_found_after_three_hours(broken):
    found = steps(broken, DETECTORS["silent_meter"](), FRIDAY_EVENING, HOURS)
    assert min(found) == FRIDAY_EVENING + 4
    assert {finding.meter for findings in found.values() for finding in findings} == {"lights"}


def test_a_meter_that_people_read_is_never_silent(broken):
    meters = tuple(replace(one, agent="") if one.id == "lights" else one for one in CATALOGUE.meters)
    window = replace(broken, catalogue=replace(CATALOGUE, meters=meters))
    assert not steps(window, DETECTORS["silent_meter"](), FRIDAY_EVENING, HOURS)


def never(window, *meters, named=None, looked_from=0, **more):
    """The window in which these meters have not spoken yet."""
    unheard = {meter: np.zeros(HOURS, np.int64) for meter in meters}
    named_ms = {meter: ms(hour) for meter, hour in (named or {}).items()}
    return replace(
        window, seen_ms={**window.seen_ms, **unheard}, named_ms=named_ms, seen_from_ms=ms(looked_from), **more
    )


def ms(hour):
    return START_MS + hour * HOUR_MS


@pytest.mark.parametrize("how", ["ledger", "site file"])
def test_a_meter_that_never_spoke_is_silent_from_its_installation_on(clean, how):
    """By its ledger, or else since the site file first named it."""
    installed = Installation("lights", at(FRIDAY_EVENING))
    if how == "ledger":
        window = never(clean, "lights", catalogue=replace(CATALOGUE, installations=(installed,)))
    else:
        window = never(clean, "lights", named={"lights": FRIDAY_EVENING})
    found = steps(window, DETECTORS["silent_meter"](), FRIDAY_EVENING - 50, FRIDAY_EVENING + 50)
    assert min(found) == FRIDAY_EVENING + 4
    assert max(found) == FRIDAY_EVENING + 49
    last = found[max(found)][0]
    assert (last.meter, last.since, last.params["hours_h"]) == ("lights", at(FRIDAY_EVENING), 49.0)
    assert last.message_id == "alert.silent_meter_never_heard"
    assert {finding.since for findings in found.values() for finding in findings} == {at(FRIDAY_EVENING)}


def test_a_meter_that_is_new_to_the_estate_is_given_time_however_old_it_is(clean):
    catalogue = replace(CATALOGUE, installations=(Installation("lights", at(-1000)),))
    window = never(clean, "lights", named={"lights": FRIDAY_EVENING}, looked_from=-2000, catalogue=catalogue)
    found = steps(window, DETECTORS["silent_meter"](), FRIDAY_EVENING - 50, FRIDAY_EVENING + 50)
    assert min(found) == FRIDAY_EVENING + 4
    assert found[min(found)][0].since == at(-1000)


def test_a_sensor_of_changes_is_given_a_day_for_its_first_word(clean):
    window = never(clean, "door", named={"door": FRIDAY_EVENING})
    assert min(steps(window, DETECTORS["silent_meter"](), FRIDAY_EVENING, HOURS)) == FRIDAY_EVENING + 25


def test_silence_that_is_older_than_what_was_looked_at_is_not_called_the_first(clean):
    """It may have spoken before: an analytics that was started again reads the last 30 days."""
    window = never(clean, "lights", named={"lights": FIRST - 24 * 20}, looked_from=FRIDAY_EVENING - 720)
    last = steps(window, DETECTORS["silent_meter"](), FRIDAY_EVENING, FRIDAY_EVENING + 1)[FRIDAY_EVENING][0]
    assert last.message_id == "alert.silent_meter"
    assert (last.since, last.params["hours_h"]) == (at(FRIDAY_EVENING - 720), 720.0)


def test_nobody_is_told_of_each_meter_of_an_agent_that_never_spoke_or_of_one_that_is_computed(clean):
    everything = never(clean, *CATALOGUE.meter, named=dict.fromkeys(CATALOGUE.meter, FIRST))
    assert not steps(everything, DETECTORS["silent_meter"](), FIRST, FIRST + 100)
    virtual = replace(CATALOGUE.meter["lights"], role=MeterRole.VIRTUAL)
    meters = tuple(virtual if one.id == "lights" else one for one in CATALOGUE.meters)
    computed = never(clean, "lights", named={"lights": FIRST}, catalogue=replace(CATALOGUE, meters=meters))
    assert not steps(computed, DETECTORS["silent_meter"](), FIRST, FIRST + 100)


def test_silence_of_a_whole_agent_is_not_told_of_each_meter(clean):
    times = hours_ms(HOURS) + HOUR_MS - 10_000
    times[FRIDAY_EVENING:] = times[FRIDAY_EVENING - 1]
    seen = {meter.id: times for meter in CATALOGUE.meters}
    window = replace(clean, seen_ms=seen)
    assert not steps(window, DETECTORS["silent_meter"](), FRIDAY_EVENING, FRIDAY_EVENING + 50)


def test_a_sensor_that_speaks_once_a_day_may_be_silent_for_a_day(clean):
    times = hours_ms(HOURS)[(np.arange(HOURS) // DAY_H) * DAY_H]
    window = replace(clean, seen_ms={**clean.seen_ms, "floor": times})
    assert not steps(window, DETECTORS["silent_meter"](), FIRST, FIRST + 100)


def test_a_door_open_at_night_names_the_lights_behind_it(broken):
    found = steps(broken, DETECTORS["door_left_open"](), FRIDAY_EVENING, HOURS)
    assert min(found) == FRIDAY_EVENING + 1
    assert max(found) == FRIDAY_EVENING + 13
    last = found[max(found)][0]
    assert last.params["lights_meter"] == "lights"
    assert last.message_id == "alert.door_left_open_lights"
    assert last.excess.quantity == pytest.approx(12 * 13, rel=0.15)


def test_a_door_open_in_opening_hours_is_nobodys_business(clean):
    monday = 98 * DAY_H
    states = {POINT["door"]: state_series((0, 0), (monday + 8, 1), (monday + 16, 0))}
    assert not steps(replace(clean, states=states), DETECTORS["door_left_open"](), monday, HOURS)
