"""What each detector must tell, and what only looks like it: the folders of ``tests/cases``."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rigs.worlds import (
    CATALOGUE,
    FIRST,
    HOURS,
    PANEL,
    POINT,
    WITH_GAUGES,
    at,
    gauge_window,
    hours_ms,
    make_window,
    normal_levels,
    normal_use,
    register_window,
    state_series,
    use_of_servers,
)

from accounting.local_time import HOUR_MS
from analytics.detectors import DETECTORS
from analytics.models import Models

FOLDER = Path(__file__).parents[1] / "cases"
CASES = sorted(path.parent for path in FOLDER.glob("*/*/case.json"))
FROM_H = 88 * 24
STATE = POINT | {name: point.id for name, point in PANEL.items()}


def changed(case, site):
    use = normal_use(HOURS, site=site) | use_of_servers(HOURS)
    for change in case.get("changes", ()):
        hours = use[change["meter"]][change["hour"] : change["hour"] + change["hours"]]
        hours *= change.get("times", 1.0)
        hours += change.get("add", 0.0)
        if "set" in change:
            hours[:] = change["set"]
        if change.get("missing"):
            hours[:] = np.nan
        if "wanders" in change:
            hours += change["wanders"] * np.exp(0.8 * np.random.default_rng(3).standard_normal(len(hours)))
        if step := change.get("counts_in"):
            register = np.concatenate([[0.0], np.cumsum(use[change["meter"]])])
            use[change["meter"]] = np.diff(np.floor(register / step) * step)
    return use


def window_of(case):
    if "register" in case:
        return register_window(case["register"])
    site = replace(CATALOGUE.site, **case.get("place", {}))
    meters = {change["meter"] for change in case.get("changes", ())} or {"lights"}
    if "levels" in case:
        levels = normal_levels(HOURS)
        for change in case["levels"]:
            levels[change["gauge"]][change["hour"] : change["hour"] + change["hours"]] = change["set"]
        return gauge_window(levels)
    models = Models(are_on=case.get("models", True))
    use = {name: qty for name, qty in changed(case, site).items() if name in meters}
    seen = dict(map(last_heard, case.get("unheard", ())))
    states = {STATE[name]: state_series(*pairs) for name, pairs in case.get("states", {}).items()}
    window = make_window(use, FIRST, seen=seen, states=states, models=models, site=site)
    return replace(window, catalogue=WITH_GAUGES) if states.keys() - set(POINT.values()) else window


def last_heard(silence):
    """A meter and when it was heard last, hour by hour."""
    times = hours_ms(HOURS) + HOUR_MS - 10_000
    times[silence["hour"] : silence["hour"] + silence["hours"]] = times[silence["hour"] - 1]
    return silence["meter"], times


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_a_detector_tells_its_fault_and_not_what_looks_like_it(folder):
    case = json.loads((folder / "case.json").read_text())
    assert case["detector"] == folder.parent.name
    window = window_of(case)
    detector = DETECTORS[case["detector"]]()
    found = [one for hour in range(case.get("from", FROM_H), HOURS) for one in detector.detect(window.scene(at(hour)))]
    assert bool(found) == case["fires"]


def test_each_detector_has_cases_both_ways():
    fires = {}
    for folder in CASES:
        fires.setdefault(folder.parent.name, set()).add(json.loads((folder / "case.json").read_text())["fires"])
    assert {name: fires.get(name) for name in DETECTORS} == {name: {True, False} for name in DETECTORS}
