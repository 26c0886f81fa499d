"""The written history: complete, in order, resumable, and small."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest
from rigs.patience import within

from demo.faults import SILENT, STUCK
from demo.history import ROWS_A_LINE, covered_until_ms, write_history
from demo.recording import HOUR_MS
from facility.errors import ConfigError


def read(folder):
    """Point id → times and values, in the order of the files; and all times as they come."""
    columns, order = {}, []
    for file in sorted(folder.glob("*.readings")):
        lines = file.read_text().splitlines()
        head = json.loads(lines[0])
        rows = 0
        for line in map(json.loads, lines[1:]):
            assert len(line["p"]) == len(line["t"]) == len(line["x"]) <= ROWS_A_LINE
            rows += len(line["p"])
            order += line["t"]
            for p, t, x in zip(line["p"], line["t"], line["x"], strict=True):
                columns.setdefault(head["points"][p], []).append((t, x))
        assert rows == head["rows"]
    return columns, order


@pytest.fixture(scope="module")
def history(world, now_ms, tmp_path_factory):
    folder = tmp_path_factory.mktemp("history")
    with within(6):
        written = write_history(folder, world, now_ms)
    return folder, written, *read(folder)


def test_every_point_has_its_history_and_all_rows_are_counted_in_time_order(history, world, now_ms):
    _, written, columns, order = history
    assert set(columns) == {point.id for point in world.catalogue.points}
    assert written.rows == len(order) == sum(map(len, columns.values()))
    assert 100_000 < written.rows <= 350_000
    assert order == sorted(order)
    assert order[-1] == now_ms == written.until_ms


def test_real_counters_go_back_to_the_first_recorded_day(history, world):
    _, _, columns, _ = history
    hours = (history[1].until_ms - world.axis.start_ms) // HOUR_MS
    for meter in ("b35-electricity/energy_import", "b77-gas/gas_volume", "outdoor/temperature"):
        assert columns[f"{meter}/total"][0][0] == world.axis.start_ms
        assert len(columns[f"{meter}/total"]) >= hours - 2


def test_the_last_reading_of_each_point_is_what_its_device_shows_at_the_start(history, world, now_ms):
    _, _, columns, _ = history
    for point in world.catalogue.points:
        t, x = columns[point.id][-1]
        assert t == now_ms
        assert x == world.values(point, np.array([now_ms]))[0]


def test_silent_hours_have_no_readings_and_a_stuck_register_has(history, shift):
    _, _, columns, _ = history
    start, end = SILENT.span_ms(shift)
    silent = [t for t, _ in columns[f"{SILENT.meter}/energy_import/total"] if start <= t < end]
    assert not silent
    start, end = STUCK.span_ms(shift)
    stuck = {x for t, x in columns[f"{STUCK.meter}/energy_import/total"] if start <= t < end}
    assert len(stuck) == 1


def test_a_second_start_writes_only_what_came_since(world, now_ms, tmp_path):
    first = write_history(tmp_path, world, now_ms - 5 * HOUR_MS)
    assert covered_until_ms(tmp_path) == first.until_ms
    second = write_history(tmp_path, world, now_ms)
    assert second.file.name > first.file.name
    assert second.rows < 1000
    columns, order = read(tmp_path)
    assert order == sorted(order)
    point = "b35-electricity/energy_import/total"
    assert len({t for t, _ in columns[point]}) == len(columns[point])
    assert [x for _, x in columns[point]] == sorted(x for _, x in columns[point])


def test_what_was_polled_live_before_is_not_told_again(world, now_ms, tmp_path):
    write_history(tmp_path, world, now_ms - 50 * HOUR_MS)
    written = write_history(tmp_path, world, now_ms, lived_until_ms=now_ms - 2 * HOUR_MS)
    columns = [json.loads(line) for line in written.file.read_text().splitlines()[1:]]
    assert min(min(block["t"]) for block in columns) > now_ms - 2 * HOUR_MS


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(world, now_ms, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_history(tmp_path / "file", world, now_ms)


def test_licence_and_attribution_are_shipped_with_the_data():
    data = files("demo") / "data"
    assert "University of Cambridge" in (data / "LICENSE").read_text()
    readme = (data / "README.md").read_text()
    assert "Met Office" in readme
    assert "Contains public sector information licensed under the Open Government Licence" in readme
    assert "10.5281/zenodo.10955332" in readme
    assert len((data / "estate_2022.npz").read_bytes()) < 300_000
