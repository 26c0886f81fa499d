"""The watch begins with the estate, and begins again where its beginning fails."""

import time
from datetime import UTC, datetime
from threading import Event, Thread

import pytest
from rigs.patience import PATIENCE_S, until, within
from rigs.worlds import CATALOGUE, POINT

from accounting.spells import Outcome, Spell
from analytics.estate_watch import EstateWatch
from analytics.metrics import Rounds
from analytics.settings import AnalyticsSettings
from facility.errors import ConfigError
from facility.model import ReadingBatch
from process.pulse import Pulse
from stores.readings.memory import MemoryStore
from stores.records.accounting.spells import Spells
from stores.records.casebook import Casebook
from stores.records.registry import Registry


def test_a_wrong_broker_is_told_before_there_is_an_estate(records, tmp_path):
    settings = AnalyticsSettings(data=tmp_path, store="unused", records="unused", broker="http://127.0.0.1")
    with pytest.raises(ConfigError, match="METERHOUSE_BROKER: is no broker URL"):
        EstateWatch(settings, MemoryStore(), records, Pulse(tmp_path, "analytics", time.monotonic))


@pytest.fixture
def watch(records, tmp_path):
    settings = AnalyticsSettings(data=tmp_path, store="unused", records="unused", tick_s=0.02)
    watch, stop = EstateWatch(settings, MemoryStore(), records, Pulse(tmp_path, "analytics", time.monotonic)), Event()
    running = Thread(target=watch.run, args=(Rounds(time.monotonic), stop))
    running.start()
    yield watch
    stop.set()
    running.join()


def test_a_beginning_that_fails_is_told_and_made_again(watch, records, tmp_path):
    (tmp_path / "analytics.json").mkdir()  # what an older version kept cannot be taken over
    Registry(records).apply(CATALOGUE, by="a test", at=datetime.now(UTC))
    until(lambda: "analytics_fails" in watch.status().alarms)
    (tmp_path / "analytics.json").rmdir()
    until(lambda: watch.status().state == "live")
    until(lambda: watch.status().alarms == {})


def test_registers_that_wait_for_a_person_are_an_alarm_until_somebody_decides(watch, records):
    Registry(records).apply(CATALOGUE, by="a test", at=datetime.now(UTC))
    until(lambda: watch.status().state == "live")
    spells, now_ms = Spells(records), time.time_ns() // 1_000_000
    moment = Spell(now_ms - 70_000, now_ms - 60_000, None, 900.0, 0.0, Outcome.IN_DOUBT)
    spells.replace("just-now/energy_import/total", 0, 2**62, [moment])
    for k in range(5):
        long = Spell(now_ms - 8_000_000, now_ms - 7_900_000, None, 900.0, 0.0, Outcome.IN_DOUBT)
        spells.replace(f"m{k}/energy_import/total", 0, 2**62, [long])
    until(lambda: watch.status().alarms == {"registers_in_doubt": "5: m0, m1, m2 …"})
    decision = {"accepted": True, "by": "li", "at": datetime.now(UTC), "reason": "r"}
    for one in spells.asked():
        spells.decide(one.number, **decision, based_on=one.changes)
    until(lambda: watch.status().alarms == {})


@pytest.mark.parametrize("slow", ["analytics.rollups.writer.RollupWriter.update", "analytics.live.read_window"])
def test_water_on_the_floor_is_told_while_rollups_or_the_hours_take_for_ever(slow, monkeypatch, records, tmp_path):
    go_on, is_in = Event(), Event()

    def hang(*_, **__):
        is_in.set()
        go_on.wait(PATIENCE_S)
        raise RuntimeError("over")

    monkeypatch.setattr(slow, hang)
    store, estate_watch = MemoryStore(), None
    Registry(records).apply(CATALOGUE, by="a test", at=datetime.now(UTC))
    settings = AnalyticsSettings(data=tmp_path, store="unused", records="unused", tick_s=0.1)
    estate_watch = EstateWatch(settings, store, records, Pulse(tmp_path, "analytics", time.monotonic))
    stop = Event()
    running = Thread(target=estate_watch.run, args=(Rounds(time.monotonic), stop))
    now_ms = time.time_ns() // 1_000_000
    store.write(ReadingBatch([POINT["main"]], [0], [now_ms - 1000], [5.0]))
    running.start()
    try:
        assert is_in.wait(PATIENCE_S)
        store.write(ReadingBatch([POINT["floor"]], [0], [now_ms], [1.0]))
        with within(5):
            until(lambda: [alert.detector for alert in Casebook(records).alerts()] == ["water_on_floor"])
        assert estate_watch.status().alarms == {}
    finally:
        go_on.set()
        stop.set()
        running.join()


def test_the_budget_is_told_as_alerts_a_week_and_that_models_are_off(watch, records, tmp_path):
    Registry(records).apply(CATALOGUE, by="a test", at=datetime.now(UTC))
    until(lambda: watch.status().state == "live")
    assert watch.status().facts["budget"] == "normal: about 0.14 alerts a week on this estate"
    off = AnalyticsSettings(data=tmp_path, store="unused", records="unused", models="off")
    other = EstateWatch(off, MemoryStore(), records, Pulse(tmp_path, "analytics", time.monotonic))
    other._look()
    assert other.status().facts["budget"] == "models are off: rules alone tell"
