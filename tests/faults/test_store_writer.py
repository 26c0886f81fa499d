"""The store writer beside a store that does not answer: how often it asks, and what it says when it is told to stop."""

import time

import pytest
from rigs.patience import until
from rigs.store_rig import Rig

from facility.errors import StoreUnavailable
from stores.readings.sqlite.store import SqliteStore


class Deaf:
    """A store that does not answer one of its calls."""

    def __init__(self, path, call):
        self.store, self.call, self.asked, self.slow_s = SqliteStore(path), call, 0, 0.0

    def __getattr__(self, name):
        return self._refuse if name == self.call else getattr(self.store, name)

    def write_many(self, batches):
        time.sleep(self.slow_s)
        if self.call == "write_many":
            self._refuse()
        self.store.write_many(batches)

    def _refuse(self, *_):
        self.asked += 1
        raise StoreUnavailable("away")


@pytest.fixture
def deaf(tmp_path):
    rigs = []

    def make(call):
        rigs.append(Rig(tmp_path, "", store=Deaf(tmp_path / "readings.db", call)))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.close()


def check_it_is_asked_once_a_second(store):
    """Again and again, and never sooner than a second after it was asked last."""
    begun, before = time.monotonic(), store.asked
    until(lambda: store.asked >= before + 3)
    assert time.monotonic() - begun >= 2


def test_a_store_that_is_away_is_asked_once_a_second_while_there_is_nothing_to_store(deaf):
    rig = deaf("hour_counts")
    rig.take_in(500)
    rig.start()
    until(lambda: "store_unavailable" in rig.alarms)
    check_it_is_asked_once_a_second(rig.store)


def test_a_store_that_would_take_nothing_is_asked_once_a_second_before_there_is_anything(deaf):
    rig = deaf("probe")
    rig.start()
    until(lambda: rig.alarms == {"store_unavailable": "away"})
    check_it_is_asked_once_a_second(rig.store)
    rig.take_in(500)  # the journal goes on, and so does a store that takes them after all
    rig.wait_until_settled()


def test_a_store_that_is_well_again_is_so_at_once_however_much_there_is_to_store(deaf):
    rig = deaf("probe")
    rig.start()
    until(lambda: rig.alarms == {"store_unavailable": "away"})
    rig.pause()
    rig.take_in(4_000, rows=1)
    rig.store.store.call, rig.store.store.slow_s = "", 0.5
    rig.start()
    until(lambda: rig.alarms == {})
    assert rig.settled < rig.taken_in
    rig.store.store.slow_s = 0.0
    rig.wait_until_settled()


def test_a_store_that_has_just_taken_readings_is_not_asked(deaf):
    rig = deaf("probe")
    rig.take_in(500)
    rig.start()
    rig.wait_until_settled()
    time.sleep(1)
    assert (rig.store.asked, rig.alarms) == (0, {})


def test_a_group_that_cannot_be_stored_is_named_by_its_first_batch_and_their_number(deaf, logged):
    rig = deaf("write_many")
    rig.take_in(1_500)
    rig.start()
    until(lambda: "store_unavailable" in rig.alarms)
    (alarm,) = [line for line in logged if line["event"] == "alarm"]
    assert (alarm["alarm"], alarm["batch"], alarm["batches"]) == ("store_unavailable", "edge-1/e1/1", 3)


def test_an_alarm_of_the_store_stands_when_ingest_is_stopped(deaf):
    rig = deaf("write_many")
    rig.take_in(500)
    rig.start()
    until(lambda: "store_unavailable" in rig.alarms)
    rig.pause()
    assert rig.alarms["store_unavailable"] == "away"
