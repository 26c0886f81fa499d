"""A sensor that says itself what is wrong is an alert at once, whatever it is a sensor of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rigs.worlds import CATALOGUE, START_MS
from rigs.worlds import SENSORS as PANEL

from analytics.detectors import DETECTORS
from analytics.live import Watch
from analytics.rollups.writer import RollupWriter
from facility.model import ReadingBatch
from facility.order import Skill, skill_for
from facility.quantities import Quantity
from facility.work import SENSOR_ALARMS, Severity
from stores.readings.memory import MemoryStore
from stores.records.casebook import Casebook
from stores.records.status.watched import Watches
from wording.alerts import wording_of
from wording.cases import FACTS, ONCE

SENSORS = {"water_on_floor": Quantity.LEAK} | PANEL
NOW_MS = START_MS + 86_400_000


def estate_with(quantity):
    """The hall with a sensor of that quantity in place of the one for leaks, and its point."""
    points = [replace(point, quantity=quantity) if point.meter == "floor" else point for point in CATALOGUE.points]
    return replace(CATALOGUE, points=tuple(points)), next(point.id for point in points if point.meter == "floor")


@pytest.mark.parametrize("detector", SENSORS)
def test_it_is_told_with_the_next_look_once_and_no_model_is_asked(records, detector):
    catalogue, sensor = estate_with(SENSORS[detector])
    store, casebook = MemoryStore(), Casebook(records)
    watch = Watch(store, RollupWriter(store, catalogue), casebook, catalogue, Watches(records), step_days=10)

    def say(x, at_ms):
        store.write(ReadingBatch([sensor], [0], [at_ms], [x]))
        watch.follow(at_ms + 1_000)
        watch.look(at_ms + 1_000)
        return [alert for alert in casebook.alerts() if alert.detector in SENSOR_ALARMS]

    assert say(0.0, NOW_MS) == []
    (alert,) = say(1.0, NOW_MS + 60_000)
    assert (alert.detector, alert.meter) == (detector, "floor")
    assert round(alert.since.timestamp() * 1000) == NOW_MS + 60_000
    assert alert.severity is (Severity.ACT if detector == "device_tampered" else Severity.URGENT)
    assert [again.id for again in say(1.0, NOW_MS + 120_000)] == [alert.id]
    for language in ("en", "zh-Hans"):
        said = wording_of(alert, language, catalogue)
        assert not any("alert." in text or "{" in text for text in (said.title, said.what, said.why, said.check))


def test_every_sensor_alarm_is_a_fact_of_one_time_for_somebody_with_a_skill():
    assert set(SENSORS) == SENSOR_ALARMS <= DETECTORS.keys()
    assert SENSOR_ALARMS <= FACTS & ONCE
    assert all(skill_for(detector, "") is not Skill.GENERAL for detector in SENSOR_ALARMS)
