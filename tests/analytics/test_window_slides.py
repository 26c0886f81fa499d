"""A window that slides on from the one before is what one read from the beginning would be, and takes no more room."""

import numpy as np
import pytest
from rigs.worlds import CATALOGUE, POINT, hours_ms, normal_use

from accounting.local_time import DAY_MS, HOUR_MS
from analytics.fits import FitPool
from analytics.model_file import FILE, KeptModels
from analytics.models import Models
from analytics.rollups.writer import RollupWriter
from analytics.window import read_window
from facility.model import ReadingBatch
from stores.readings.memory import MemoryStore
from stores.readings.sqlite.store import SqliteStore

HOURS = 80 * 24
START_MS = int(hours_ms(1)[0])
AHEAD_MS = 2 * DAY_MS
MONDAY_H = 70 * 24  # a Monday again: 00:00 UTC


def registers(use, hours):
    """Hourly registers of the meters for some hours (first, end), and the weather."""
    rows = slice(hours[0], hours[1])
    columns = {POINT[name]: (100 + np.concatenate([[0.0], np.cumsum(qty)]))[rows] for name, qty in use.items()}
    columns[POINT["outdoor"]] = (10 + 5 * np.sin(np.arange(HOURS + 1) / 24 * 2 * np.pi))[rows]
    t_ms = (START_MS + HOUR_MS * np.arange(*hours, dtype=np.int64)).tolist()
    for point, x in columns.items():
        yield ReadingBatch([point], [0] * len(t_ms), t_ms, x.tolist())


class Watched:
    """A store whose rollups are kept, and windows read of it hour by hour."""

    def __init__(self, store=None):
        self.store, self.models, self.window = store or MemoryStore(), Models(), None
        self.rollups, self.cursor = RollupWriter(self.store, CATALOGUE), 0

    def write(self, batches):
        self.store.write_many(list(batches))
        changes = self.store.changes(self.cursor)
        self.cursor = changes.cursor
        self.rollups.update(changes.ranges)

    def read(self, hour, models=None, before=None, changed=None, learning=None):
        hour_ms = START_MS + hour * HOUR_MS
        return read_window(
            self.store, CATALOGUE, models or self.models, hour_ms - 10 * DAY_MS, hour_ms + AHEAD_MS,
            before=before, changed_ms=changed, known_ms=hour_ms, learning=learning,
        )  # fmt: skip

    def slide(self, hour):
        self.window = self.read(hour, before=self.window, changed=self.rollups.take_changed())
        return self.window


def assert_equal(one, other, *, heard=True):
    np.testing.assert_array_equal(one.edges_ms, other.edges_ms)
    assert one.uses.keys() == other.uses.keys()
    for point, use in one.uses.items():
        for name in ("t_ms", "qty", "expected", "lo", "hi", "price", "unoccupied"):
            np.testing.assert_array_equal(getattr(use, name), getattr(other.uses[point], name), err_msg=name)
    for meter, times in one.seen_ms.items() if heard else ():
        np.testing.assert_array_equal(times[-100:], other.seen_ms[meter][-100:])


@pytest.fixture(scope="module")
def use():
    return normal_use(HOURS)


def test_hour_by_hour_it_is_as_if_it_were_read_anew_also_over_a_monday(use):
    watched = Watched()
    begin = MONDAY_H - 3
    watched.write(registers(use, (0, begin + 1)))
    watched.slide(begin)
    for hour in range(begin + 1, MONDAY_H + 4):
        watched.write(registers(use, (hour, hour + 1)))
        assert_equal(watched.slide(hour), watched.read(hour, Models()))
    assert np.isfinite(watched.window.uses[POINT["main"]].expected[-60:]).all()


def test_what_comes_late_is_seen_and_learned_from(use):
    watched = Watched()
    begin, gap = MONDAY_H + 30, (MONDAY_H - 60, MONDAY_H - 20)
    for hours in ((0, gap[0]), (gap[1], begin + 1)):
        watched.write(registers(use, hours))
    lacking = watched.slide(begin).uses[POINT["main"]]
    watched.write(registers(use, gap))
    watched.write(registers(use, (begin + 1, begin + 2)))
    found = watched.slide(begin + 1)
    assert np.isnan(lacking.qty[lacking.t_ms == START_MS + (gap[0] + 5) * HOUR_MS]).all()
    assert_equal(found, watched.read(begin + 1, Models()), heard=False)


def test_a_model_of_little_is_fitted_once_a_week_also_at_weekends(use):
    watched, begin = Watched(), MONDAY_H - 60
    watched.write(registers(use, (0, begin + 1)))
    watched.slide(begin)
    learned = watched.models.learned
    for hour in range(begin + 1, MONDAY_H):
        watched.write(registers(use, (hour, hour + 1)))
        watched.slide(hour)
    assert watched.models.learned == learned
    watched.write(registers(use, (MONDAY_H, MONDAY_H + 1)))
    watched.slide(MONDAY_H)
    assert watched.models.learned == learned + len(watched.window.uses)


def test_models_of_processes_and_of_the_run_before_expect_the_same(use, tmp_path, monkeypatch):
    monkeypatch.setattr("analytics.fits.FEW", 1)
    path = tmp_path / "readings.db"
    watched = Watched(SqliteStore(path))
    watched.write(registers(use, (0, MONDAY_H + 11)))
    here = watched.read(MONDAY_H + 10, Models())
    pool = FitPool(watched.store, f"sqlite://{path}")
    models = KeptModels(tmp_path, "town")
    assert_equal(watched.read(MONDAY_H + 10, models, learning=pool), here)
    models.forget_before(0)

    def nobody_learns(*_):
        raise AssertionError("a model was fitted that was kept")

    again = KeptModels(tmp_path, "town")
    assert again.refused == models.refused
    assert_equal(watched.read(MONDAY_H + 10, again, learning=nobody_learns), here)
    assert KeptModels(tmp_path, "another town").learned == 0
    (tmp_path / FILE).write_bytes(b"\x93 broken")
    assert KeptModels(tmp_path, "town").learned == 0
    watched.store.close()


def test_a_counter_takes_as_many_bytes_as_detectors_look_at(use):
    """10,000 points have some 2,000 counters with a model: 600 MiB hold them and all else."""
    watched = Watched()
    watched.write(registers(use, (0, MONDAY_H)))
    window = watched.read(MONDAY_H - 1, Models())
    mine = window.uses[POINT["main"]]
    own = sum(getattr(mine, name).nbytes for name in ("qty", "expected", "lo", "hi"))
    assert own < 60_000
    shared = [getattr(mine, name) for name in ("price", "unoccupied", "t_ms")]
    lights = window.uses[POINT["lights"]]
    assert all(
        np.shares_memory(one, getattr(lights, name))
        for one, name in zip(shared, ("price", "unoccupied", "t_ms"), strict=True)
    )
    assert sum(len(times) for times in window.seen_ms.values()) < len(window.seen_ms) * 24 * 45
