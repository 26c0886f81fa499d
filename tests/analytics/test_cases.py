"""What each detector must tell, and what only looks like it: the folders of ``tests/cases``."""

import json
from pathlib import Path

import numpy as np
import pytest
from rigs.worlds import FIRST, HOURS, at, gauge_window, make_window, normal_levels, normal_use, use_of_servers

from analytics.detectors import DETECTORS
from analytics.models import Models

FOLDER = Path(__file__).parents[1] / "cases"
CASES = sorted(path.parent for path in FOLDER.glob("*/*/case.json"))
FROM_H = 88 * 24


def changed(case):
    use = normal_use(HOURS) | use_of_servers(HOURS)
    for change in case["changes"]:
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
    meters = {change["meter"] for change in case.get("changes", ())} or {"lights"}
    if "levels" in case:
        levels = normal_levels(HOURS)
        for change in case["levels"]:
            levels[change["gauge"]][change["hour"] : change["hour"] + change["hours"]] = change["set"]
        return gauge_window(levels)
    models = Models(are_on=case.get("models", True))
    return make_window({name: qty for name, qty in changed(case).items() if name in meters}, FIRST, models=models)


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_a_detector_tells_its_fault_and_not_what_looks_like_it(folder):
    case = json.loads((folder / "case.json").read_text())
    assert case["detector"] == folder.parent.name
    window = window_of(case)
    detector = DETECTORS[case["detector"]]()
    found = [one for hour in range(FROM_H, HOURS) for one in detector.detect(window.scene(at(hour)))]
    assert bool(found) == case["fires"]


def test_each_detector_that_has_cases_has_them_both_ways():
    fires = {}
    for folder in CASES:
        fires.setdefault(folder.parent.name, set()).add(json.loads((folder / "case.json").read_text())["fires"])
    assert {name: both for name, both in fires.items() if both != {True, False}} == {}
    assert len(fires) >= 19
