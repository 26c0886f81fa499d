"""Reading one counter costs the same in an estate of a hundred counters as in one of ten thousand."""

import json
from contextlib import contextmanager

import numpy as np
import pytest

from facility.errors import StoreUnavailable
from stores.readings.port import RollupSeries
from stores.readings.sqlite import rollup_index
from stores.readings.sqlite.file import SqliteFile
from stores.readings.sqlite.store import SqliteStore


def hour(meter, qty, building="b0"):
    tags = {
        "site": "s", "building": building, "utility": "electricity", "meter": meter, "role": "sub", "enduse": "total",
        "quantity": "energy_import",
    }  # fmt: skip
    return RollupSeries(tags, np.array([0]), {"qty": np.array([qty])})


def read(store, meter):
    return [one.fields["qty"].tolist() for one in store.read_rollup("usage_1h", {"meter": meter}, 0, 10, ["qty"])]


@pytest.fixture
def looked(monkeypatch):
    """Counts the series whose tags are decoded."""
    counts, decode = {"decoded": 0}, json.loads

    def loads(text):
        counts["decoded"] += 1
        return decode(text)

    monkeypatch.setattr(rollup_index.json, "loads", loads)
    return counts


def test_tags_are_decoded_once_whatever_is_asked(tmp_path, looked):
    store = SqliteStore(tmp_path / "readings.db")
    store.write_rollup("usage_1h", [hour(f"m{k}", float(k), f"b{k % 7}") for k in range(500)])
    assert read(store, "m3") == [[3.0]]
    looked["decoded"] = 0
    for k in range(100):
        assert read(store, f"m{k}") == [[float(k)]]
    assert looked["decoded"] == 0
    assert len(store.read_rollup("usage_1h", {"building": "b3"}, 0, 10)) == len(range(3, 500, 7))
    store.close()


def test_what_another_process_adds_is_found(tmp_path, looked):
    store, other = SqliteStore(tmp_path / "readings.db"), SqliteStore(tmp_path / "readings.db")
    store.write_rollup("usage_1h", [hour("m0", 1.0)])
    assert read(store, "m0") == [[1.0]]
    other.write_rollup("usage_1h", [hour("m1", 2.0)])
    looked["decoded"] = 0
    assert read(store, "m1") == [[2.0]]
    assert looked["decoded"] == 1
    store.close()
    other.close()


def test_a_series_of_a_write_that_was_undone_is_not_taken_for_another(tmp_path, monkeypatch):
    store = SqliteStore(tmp_path / "readings.db")
    store.write_rollup("usage_1h", [hour("m0", 1.0)])
    assert read(store, "m0") == [[1.0]]
    numbered = SqliteFile.writing

    @contextmanager
    def breaks(self):
        with numbered(self) as connection:
            yield connection
            raise StoreUnavailable("broken off before it was on disk")

    monkeypatch.setattr(SqliteFile, "writing", breaks)
    with pytest.raises(StoreUnavailable):
        store.write_rollup("usage_1h", [hour("m1", 2.0)])
    monkeypatch.undo()
    store.write_rollup("usage_1h", [hour("m2", 3.0)])
    assert (read(store, "m1"), read(store, "m2")) == ([], [[3.0]])
    store.close()
