"""When a device is asked next: near the full minute, whatever happened before."""

from __future__ import annotations

import pytest

from edge_agent.drivers.base import BusDownError, BusSeat
from edge_agent.pace import MOST_OFFSET_S, next_due, offset_of
from edge_agent.poller import BUS_LAST_DELAY_S, LEAST_OF_DELAY, Poller
from facility.catalogue import Bus

MINUTE_MS = 1_790_000_040_000
"""A full minute by the wall clock, at which the monotonic one says 1000."""


def due_after(begun, over, *, poll_s=60.0, offset_s=3.0, was_due=None):
    """Seconds after the full minute at which a round is due; it began and was over so many seconds after it."""
    wall_ms = MINUTE_MS + round(1000 * over)
    was_due = 1000 + (begun if was_due is None else was_due)
    return next_due(was_due, 1000 + begun, 1000 + over, poll_s=poll_s, wall_ms=wall_ms, offset_s=offset_s) - 1000


@pytest.mark.parametrize(
    ("begun", "over", "due"),
    [
        (3.0, 3.4, 63),  # in time
        (20.0, 21.0, 63),  # the first round, at whatever moment the agent was started
        (50.0, 50.5, 63),
        (2.9, 2.95, 63),  # the clock was put back a little: that was the point of the grid
        (3.0, 70.0, 123),  # a slow line: one round is left out, and the next is in time again
        (63.2, 64.0, 123),
    ],
)
def test_a_slow_pace_is_on_the_grid_of_the_wall_clock(begun, over, due):
    assert due_after(begun, over) == pytest.approx(due, abs=0.01)


def test_a_quarter_of_an_hour_begins_at_the_full_one():
    quarter = due_after(3.0, 3.4, poll_s=900.0)
    assert (MINUTE_MS / 1000 + quarter) % 900 == pytest.approx(3)


def test_a_clock_that_is_put_forward_moves_the_grid_with_it():
    due = next_due(1003, 1003, 1003.4, poll_s=60.0, wall_ms=MINUTE_MS + 33_400, offset_s=3.0)
    assert due == pytest.approx(1033)


def test_without_a_known_time_or_at_a_quick_pace_the_grid_is_our_own():
    assert next_due(1000, 1002, 1003, poll_s=60.0, wall_ms=5_000, offset_s=3.0) == 1060
    assert due_after(0.5, 0.6, poll_s=1.0, was_due=0.25) == pytest.approx(1.25)
    assert due_after(9.0, 9.1, poll_s=1.0, was_due=0.25) == pytest.approx(10)


def test_a_bus_is_always_later_by_the_same_and_buses_differ():
    offsets = [offset_of(f"line-{i}") for i in range(50)]
    assert offsets == [offset_of(f"line-{i}") for i in range(50)]
    assert len({*offsets}) > 40
    assert all(0 <= offset < MOST_OFFSET_S for offset in offsets)


def test_buses_that_go_down_together_are_not_opened_again_in_one_moment():
    waits = []
    for i in range(20):
        poller = Poller(None, BusSeat(Bus(f"b{i}", "modbus+tcp://h"), (), print, lambda: (0, 0), lambda: 100.0))
        for _ in range(9):
            poller._note_bus_down(BusDownError("no way"))
        waits.append(poller._bus_free_at - 100.0)
    assert all(BUS_LAST_DELAY_S * LEAST_OF_DELAY <= wait_s <= BUS_LAST_DELAY_S for wait_s in waits)
    assert len(set(waits)) > 10
