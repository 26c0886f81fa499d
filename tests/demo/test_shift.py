"""The shift of local wall time."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pytest

from demo.axis import BANK_HOLIDAYS, make_axis
from demo.recording import HOUR_MS, load_recording
from demo.shift import choose_shift, open_shift, read_shift
from facility.errors import ConfigError

LONDON = ZoneInfo("Europe/London")


def ms(*parts: int, zone=UTC, fold=0) -> np.ndarray:
    return np.array([round(datetime(*parts, tzinfo=zone, fold=fold).timestamp() * 1000)], dtype=np.int64)


@pytest.mark.parametrize("day", range(14))
def test_today_becomes_the_same_weekday_of_the_week_of_28_november(day):
    as_of = date(2027, 3, 22) + timedelta(days=day)
    shift = choose_shift(as_of)
    recorded = as_of - timedelta(days=shift.days)
    assert shift.days % 7 == 0
    assert recorded.weekday() == as_of.weekday()
    assert date(2022, 11, 28) <= recorded <= date(2022, 12, 4)


def test_local_wall_time_is_kept_in_summer_and_winter():
    shift = choose_shift(date(2026, 11, 25))
    for month, hour in ((1, 9), (7, 9), (12, 0)):
        shown = ms(2026, month, 12, hour, 30, zone=LONDON)
        recorded = datetime.fromtimestamp(shift.to_recorded(shown)[0] / 1000, LONDON)
        expected = datetime(2026, month, 12, hour, 30, tzinfo=LONDON) - timedelta(days=shift.days)
        assert recorded.replace(tzinfo=None) == expected.replace(tzinfo=None)


@pytest.mark.parametrize("as_of", [date(2026, 11, 25), date(2027, 3, 30), date(2024, 6, 1), date(2028, 11, 1)])
def test_recorded_hours_never_go_backwards_across_both_clock_changes(as_of):
    recording = load_recording()
    axis = make_axis(choose_shift(as_of), recording.start_ms, recording.hours)
    steps = np.diff(axis.recorded)
    assert steps.min() >= 0
    assert steps.max() <= 2
    assert np.count_nonzero(steps != 1) <= 8
    assert axis.recorded[0] == 0
    assert axis.recorded[-1] == recording.hours - 1


@pytest.mark.parametrize(
    ("as_of", "autumn", "gap_h"),
    [(date(2028, 11, 1), date(2028, 10, 29), 0), (date(2026, 11, 25), date(2026, 10, 25), 1)],
)
def test_an_hour_that_comes_twice_shows_one_recorded_hour_twice_unless_that_came_twice_too(as_of, autumn, gap_h):
    shift = choose_shift(as_of)
    assert (autumn - timedelta(days=shift.days) == date(2022, 10, 30)) is bool(gap_h)
    first, second = (ms(autumn.year, 10, autumn.day, hour, 30) for hour in (0, 1))
    assert shift.to_recorded(second)[0] - shift.to_recorded(first)[0] == gap_h * HOUR_MS


def test_an_hour_that_the_recorded_spring_lacks_shows_the_hour_after_it():
    shift = choose_shift(date(2027, 11, 24))
    lacking = date(2022, 3, 27) + timedelta(days=shift.days)
    instant = ms(lacking.year, lacking.month, lacking.day, 1, 30, zone=LONDON)
    recorded = datetime.fromtimestamp(shift.to_recorded(instant)[0] / 1000, UTC)
    assert recorded == datetime(2022, 3, 27, 1, 30, tzinfo=UTC)


def test_the_shift_is_frozen_at_the_first_start(tmp_path):
    first = open_shift(tmp_path, datetime(2026, 11, 25, 12, tzinfo=UTC))
    later = open_shift(tmp_path, datetime(2026, 12, 5, 12, tzinfo=UTC))
    assert later == first == read_shift(tmp_path)
    frozen = json.loads((tmp_path / "demo.json").read_text())
    assert frozen == {"shift_days": 1456, "as_of": "2026-11-25", "seed": 1}


def test_as_of_chooses_another_day_and_cannot_change_it_later(tmp_path):
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert open_shift(tmp_path, now, date(2026, 11, 11)).as_of == date(2026, 11, 11)
    with pytest.raises(ConfigError, match="started as of 2026-11-11; use a new folder"):
        open_shift(tmp_path, now, date(2026, 11, 12))


def test_one_clear_sentence_says_when_the_recorded_data_ends(tmp_path):
    shift = open_shift(tmp_path, datetime(2026, 11, 25, 12, tzinfo=UTC))
    assert shift.last_day == date(2026, 12, 26)
    with pytest.raises(ConfigError, match=r"cannot show 2026-12-27: its data ends on 2026-12-26"):
        open_shift(tmp_path, datetime(2026, 12, 27, 12, tzinfo=UTC))


def test_a_damaged_or_unwritable_folder_is_one_clear_sentence(tmp_path):
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    (tmp_path / "demo.json").write_text("{")
    with pytest.raises(ConfigError, match=r"demo.json is damaged"):
        open_shift(tmp_path, now)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        open_shift(tmp_path / "file" / "below", now)


def test_bank_holidays_are_those_of_england():
    official = holidays.country_holidays("GB", subdiv="ENG", years=[2021, 2022])
    observed = {day for day in official if date(2021, 10, 1) <= day and day.weekday() < 5}
    assert set(BANK_HOLIDAYS) <= set(official)
    assert observed <= set(BANK_HOLIDAYS)
