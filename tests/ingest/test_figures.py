"""What ingest says of itself in its file, from one run to the next."""

import json

import pytest

from ingest.figures import Figures

OLD, NEW = "/srv/readings.db", "http://db:8086, database meterhouse"


@pytest.fixture
def run(tmp_path):
    """One run of ingest: it began with so many readings stored ever, stores some more, and tells."""

    def one(store, begun, ended):
        figures = Figures(tmp_path / "ingest.json", lambda: 0.0)
        figures.count({"stored": begun, "quarantined": 0})
        figures.note_store(store)
        figures.count({"stored": ended, "quarantined": 0})
        figures.write_now(0)
        return json.loads((tmp_path / "ingest.json").read_text())["confirmed"]

    return one


def test_what_another_store_has_confirmed_is_no_promise_of_this_one(run):
    assert run(OLD, 0, 100) == {"store": OLD, "readings": 100}
    assert run(OLD, 100, 150) == {"store": OLD, "readings": 150}
    assert run(NEW, 150, 170) == {"store": NEW, "readings": 20}
    assert run(NEW, 175, 180) == {"store": NEW, "readings": 30}
    assert run(OLD, 180, 180) == {"store": OLD, "readings": 0}


def test_totals_that_began_anew_are_all_of_this_store(run):
    run(OLD, 0, 100)
    run(NEW, 100, 110)
    assert run(NEW, 0, 7) == {"store": NEW, "readings": 7}


@pytest.mark.parametrize("before", ["", "{", '{"stored": 100}'])
def test_of_readings_before_stores_were_named_nothing_is_known(run, tmp_path, before):
    (tmp_path / "ingest.json").write_text(before)
    assert run(NEW, 100, 105) == {"store": NEW, "readings": 5}
