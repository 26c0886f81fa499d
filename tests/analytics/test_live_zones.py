"""The watch over estates whose hours do not begin with those of UTC, or change by half of one."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from rigs.worlds import CATALOGUE, POINT

from accounting.calendars import Occupancy, SiteCalendar
from accounting.local_time import DAY_MS, HOUR_MS, MINUTE_MS
from analytics.live import Watch
from analytics.models import Models
from analytics.rollups.writer import RollupWriter
from analytics.window import blind_window, read_window
from facility.model import ReadingBatch
from stores.readings.memory import MemoryStore
from stores.records.casebook import Casebook
from stores.records.database import open_records
from stores.records.status.watched import Watches

CHANGE_MS = round(datetime(2026, 4, 4, 15, tzinfo=UTC).timestamp()) * 1000
"""When the clocks of Lord Howe go back by half an hour: there is one from 1:30 to 2:00 beside the hour before."""

START_MS, END_MS = CHANGE_MS - 70 * DAY_MS, CHANGE_MS + 7 * DAY_MS
LEAK_MS = CHANGE_MS - DAY_MS
QUARTER = 15 * MINUTE_MS
ZONES = ["Australia/Lord_Howe", "Asia/Kathmandu", "Asia/Kolkata"]


def town(zone):
    return replace(CATALOGUE, site=replace(CATALOGUE.site, timezone=zone))


def registers(catalogue):
    """Quarter-hourly registers of an office that works from 8 to 18 on its own clocks, and of water that runs away."""
    t_ms = np.arange(START_MS, END_MS + 1, QUARTER)
    calendar, rng = SiteCalendar(catalogue.site), np.random.default_rng(5)
    work = calendar.local_hours(t_ms[:-1], catalogue.buildings[0]).occ == Occupancy.WORK
    noise = lambda: 1 + 0.05 * rng.standard_normal(len(work))  # noqa: E731
    lights = np.where(work, 12.0, 0.6) * noise()
    rates = {
        "main": np.where(work, 60.0, 25.0) * noise() + lights,
        "lights": lights,
        "water": np.where(work, 0.4 * noise(), 0.0) + np.where(t_ms[:-1] >= LEAK_MS, 0.25, 0.0),
    }
    for name, per_hour in rates.items():
        x = 100 + np.concatenate(([0.0], np.cumsum(per_hour / 4)))
        yield ReadingBatch([POINT[name]], [0] * len(t_ms), t_ms.tolist(), x.tolist())


@pytest.fixture
def engine(migrated, tmp_path):
    shutil.copy(migrated, tmp_path / "records.db")
    engine = open_records(f"sqlite:///{tmp_path}/records.db")
    yield engine
    engine.dispose()


@pytest.mark.parametrize("zone", ZONES)
def test_what_was_expected_stands_beside_what_was_used_hour_by_hour_over_a_change(zone, engine):
    catalogue, store, casebook = town(zone), MemoryStore(), Casebook(engine)
    store.write_many(list(registers(catalogue)))
    rollups, watches = RollupWriter(store, catalogue), Watches(engine)
    watch = Watch(store, rollups, casebook, catalogue, watches, step_days=14)
    for now_ms in (END_MS - 2 * HOUR_MS + 120_000, END_MS + 120_000):
        watch.tick(now_ms)
    calendar = SiteCalendar(catalogue.site)
    for name, tags in (("building_1h", {"utility": "electricity"}), ("baseline_1h", {"meter": "main"})):
        (rows,) = store.read_rollup(name, tags, CHANGE_MS - 5 * DAY_MS, END_MS)
        edges = calendar.hour_edges(CHANGE_MS - 5 * DAY_MS, END_MS)[:-1]
        assert rows.t_ms.tolist() == edges[edges >= CHANGE_MS - 5 * DAY_MS].tolist()
        assert np.isfinite(rows.fields["expected"]).all()
    (rows,) = store.read_rollup("building_1h", {"utility": "electricity"}, CHANGE_MS - 5 * DAY_MS, END_MS)
    lengths = (calendar.hour_ends(rows.t_ms) - rows.t_ms) / HOUR_MS
    assert (lengths == 0.5).sum() == (1 if zone == "Australia/Lord_Howe" else 0)
    whole = rows.fields["complete"] == 1  # the last began before readings end
    assert (~whole).sum() <= 1
    qty, expected = (rows.fields[name][whole] / lengths[whole] for name in ("qty", "expected"))
    assert [qty.min(), expected.min()] == pytest.approx([25.6] * 2, rel=0.15)
    assert (
        np.quantile(np.abs(qty / expected - 1), 0.98) < 0.15
    )  # a step aside, mornings and evenings are twice as far off
    found = {alert.detector: alert for alert in casebook.alerts()}
    found.pop("silent_agent", None)  # all was written before: between the two looks nothing is heard
    assert set(found) == {"continuous_flow"}
    leak = found["continuous_flow"]
    assert abs(leak.since.timestamp() * 1000 - LEAK_MS) <= 9 * HOUR_MS  # found where nothing else ran


@pytest.mark.parametrize("zone", ZONES)
def test_a_building_opens_and_closes_by_its_own_clocks_on_either_side_of_a_change(zone):
    catalogue = town(zone)
    calendar, hall = SiteCalendar(catalogue.site), catalogue.buildings[0]
    hour_ms = int(calendar.hour_edges(END_MS, END_MS)[0])
    read = read_window(MemoryStore(), catalogue, Models(), hour_ms - 20 * DAY_MS, hour_ms)
    for window in (read, blind_window(catalogue, hour_ms)):
        scene = window.scene(datetime.fromtimestamp(hour_ms / 1000, UTC))
        for t_ms in range(hour_ms - 18 * DAY_MS, hour_ms, QUARTER):
            is_open = calendar.local_hours(np.array([t_ms]), hall).occ[0] == Occupancy.WORK
            assert scene.is_open(hall, t_ms) == is_open
    night = hour_ms - 5 * MINUTE_MS
    shut = read.scene(datetime.fromtimestamp(night / 1000, UTC)).closed_since(hall, 240)
    local = datetime.fromtimestamp(shut / 1000, calendar.zone)
    assert (local.hour, local.minute) == (18, 0)
