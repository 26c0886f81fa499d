"""How suspicious each meter was, hour by hour, as the watch wrote it."""

from datetime import timedelta

import numpy as np
from rigs.worlds import CATALOGUE, FIRST, FRIDAY_EVENING, HOURS, at, faulty, make_window

from analytics.scores import scored
from facility.work import Severity
from stores.readings.memory import MemoryStore

HOUR_MS = 3_600_000
FROM = FRIDAY_EVENING - 24


class Looking:
    """Finds that the lights burn in one hour, and else nothing."""

    def __init__(self, hour):
        self.at = at(hour)

    def look(self, scene, *, notify):
        del notify
        if scene.now != self.at:
            return []
        shown = [scene.evidence("door")]
        return [
            scene.finding("d", point.id, scene.now_ms, *shown, severity=severity, confidence=0.9)
            for severity in (Severity.ACT, Severity.WATCH)
            for point in CATALOGUE.points
            if point.meter in {"lights", "door"}
        ]


def written(store, meter):
    found = store.read_rollup("score_1m", {"meter": meter}, 0, 2**52)
    return {t: (s, v) for rows in found for t, s, v in zip(
        rows.t_ms.tolist(), rows.fields["score"].tolist(), rows.fields["severity"].tolist(), strict=True)}  # fmt: skip


def test_each_look_has_the_score_of_its_hour_and_the_highest_severity_told():
    use, seen, states = faulty()
    window, store = make_window(use, FIRST, seen=seen, states=states), MemoryStore()
    span = (int(window.edges_ms[FROM]), int(window.edges_ms[HOURS - 5]))
    looks = list(scored(store, window, Looking(FRIDAY_EVENING + 20), *span, notify_from_ms=None))
    lights, water, door = (written(store, meter) for meter in ("lights", "water", "door"))
    assert list(lights) == list(water) == looks
    spoken = round(at(FRIDAY_EVENING + 20).timestamp() * 1000)
    assert {t_ms for t_ms, (_, severity) in lights.items() if severity} == {spoken}
    assert lights[spoken][1] == Severity.ACT
    assert [(t_ms, v) for t_ms, (_, v) in door.items()] == [(spoken, Severity.ACT)]
    assert np.isnan(door[spoken][0])
    evening = round(at(FRIDAY_EVENING).timestamp() * 1000)
    before = [score for t_ms, (score, _) in lights.items() if t_ms <= evening]
    after = [score for t_ms, (score, _) in lights.items() if evening + 6 * HOUR_MS < t_ms <= evening + 48 * HOUR_MS]
    assert max(before) < 1 < min(after)
    week = evening + round(timedelta(days=2).total_seconds()) * 1000
    assert water[week][0] > 1 > water[evening][0]
    (tags,) = [rows.tags for rows in store.read_rollup("score_1m", {"meter": "water"}, 0, 2**52)]
    assert tags == {"site": "town", "building": "hall", "utility": "water", "meter": "water"}
