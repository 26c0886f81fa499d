"""What the clock says of a reading, and where readings without a time are put."""

from __future__ import annotations

import pytest

from edge_agent.clock import BOOT_MS, EARLIEST_MS, SETTLE_MS, ReadingClock, Trust, placed
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.room import Room
from facility.model import Quality

NOW_MS = EARLIEST_MS + 10**9


class Clocks:
    def __init__(self, trust=Trust.AUTO):
        self.wall_ms, self.steady_ms, self.is_kept = NOW_MS, 1000, True
        self.clock = ReadingClock(lambda: self.wall_ms, lambda: self.steady_ms, trust, lambda: self.is_kept)

    def after(self, ms, step=0):
        self.steady_ms += ms
        self.wall_ms += ms + step
        return self.clock.stamp()


def test_a_step_is_followed_after_a_minute_and_small_corrections_at_once():
    clocks = Clocks()
    assert clocks.clock.stamp() == (NOW_MS, Quality.GOOD)
    assert clocks.after(1000, step=300) == (NOW_MS + 1300, Quality.GOOD)
    assert clocks.after(1000, step=3_600_000) == (NOW_MS + 2300, Quality.TIME_ESTIMATED)
    assert clocks.clock.state().off_ms == 3_600_000
    assert clocks.after(SETTLE_MS - 1) == (NOW_MS + SETTLE_MS + 2299, Quality.TIME_ESTIMATED)
    assert clocks.after(1) == (NOW_MS + SETTLE_MS + 3_602_300, Quality.GOOD)


def test_a_step_that_goes_on_stepping_is_not_followed_and_a_trusted_clock_always_is():
    clocks = Clocks()
    clocks.clock.stamp()
    for _ in range(10):
        assert clocks.after(SETTLE_MS // 2, step=10_000)[1] is Quality.TIME_ESTIMATED
    trusted = Clocks(Trust.TRUSTED)
    trusted.clock.stamp()
    assert trusted.after(0, step=3_600_000) == (NOW_MS + 3_600_000, Quality.GOOD)


def test_after_a_boot_a_clock_that_no_time_service_keeps_is_believed_after_two_minutes():
    clocks = Clocks()
    clocks.is_kept = False
    assert clocks.clock.stamp() == (1000, Quality.GOOD)  # a time since boot: held until the time is known
    assert clocks.after(BOOT_MS - 1001) == (BOOT_MS - 1, Quality.GOOD)
    assert clocks.after(1) == (NOW_MS + BOOT_MS - 1000, Quality.GOOD)


def test_hours_behind_after_a_boot_nothing_is_dated_before_the_time_service_has_come():
    clocks = Clocks()
    clocks.wall_ms, clocks.is_kept = NOW_MS - 3 * 3_600_000, False
    assert clocks.after(20_000) == (21_000, Quality.GOOD)
    clocks.is_kept = True
    assert clocks.after(1000, step=3 * 3_600_000) == (NOW_MS + 21_000, Quality.GOOD)
    clocks.is_kept = False
    assert clocks.after(1000) == (NOW_MS + 22_000, Quality.GOOD)  # once known it goes on


def test_a_clock_that_falls_to_1970_while_the_agent_runs_is_not_followed():
    clocks = Clocks()
    clocks.clock.stamp()
    for _ in range(3):
        assert clocks.after(SETTLE_MS, step=-NOW_MS)[1] is Quality.TIME_ESTIMATED
    assert clocks.clock.now_ms() == NOW_MS + 3 * SETTLE_MS


def test_boots_without_a_time_end_where_the_next_begins_and_are_squeezed_into_too_little_room():
    (a1, b1), (a2, b2) = placed([(100, 200), (50, 150)], 0, 10_000)
    assert (b1, b2) == (1.0, 1.0)
    assert (a2 + 150, a2 + 50, a1 + 200, a1 + 100) == (9999, 9899, 9898, 9798)
    (a1, b1), (a2, b2) = placed([(0, 1000), (0, 1000)], 5000, 5101)
    times = [a1, a1 + 1000 * b1, a2, a2 + 1000 * b2]
    assert times == sorted(times)
    assert 5000 <= times[0] <= times[-1] < 5101
    assert placed([], 0, 10) == []


def test_readings_that_wait_for_the_clock_for_ever_are_bounded_and_leave_a_tombstone(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0, room=Room(unstored_rows=1000, ballast_bytes=0))
    outbox.commit([("p", NOW_MS, 1.0, 0)])
    for k in range(3):
        outbox.hold("boot", [("p", 1000 * k + i, float(i), 0) for i in range(500)])
    outbox.tidy(0.0)
    assert (outbox.reader.undated(), outbox.newest, outbox.dropped) == (1000, 501, 500)
    assert outbox.reader.tombstones() == [(2, 501, "clock_unset")]
    while outbox.release("boot", NOW_MS, NOW_MS):
        pass
    assert (outbox.reader.undated(), outbox.newest, outbox.reader.held()) == (0, 1501, 1001)
    outbox.close()


def test_of_readings_that_wait_for_the_clock_telemetry_is_dropped_before_an_alarm(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0, kept=["smoke"], room=Room(unstored_rows=1000, ballast_bytes=0))
    outbox.hold("boot", [("smoke", 0, 1.0, 0), *(("p", i, float(i), 0) for i in range(1, 1500))])
    outbox.tidy(0.0)
    while outbox.release("boot", NOW_MS, NOW_MS):
        pass
    assert [outbox.name(row[2]) for row in outbox.rows(501, 502, 2)] == ["smoke", "p"]
    outbox.close()


def test_a_held_row_that_the_disk_changed_gets_a_number_a_tombstone_and_a_copy_for_a_person(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", 0, room=Room(ballast_bytes=0))
    outbox.hold("boot", [("p", i, float(i), 2 if i == 3 else 0) for i in range(5)])
    outbox._db.execute("UPDATE held SET x = 9 WHERE uptime_ms = 1")
    assert outbox.release("boot", NOW_MS, NOW_MS + 10)
    assert [(row[3] - NOW_MS, row[4], row[5]) for row in outbox.rows(1, 9, 9)] == [
        (0, 0.0, 1), (2, 2.0, 1), (3, 3.0, 2), (4, 4.0, 1)
    ]  # fmt: skip
    assert (outbox.newest, outbox.reader.tombstones()) == (5, [(5, 5, "crc_mismatch")])
    assert outbox.reader._all("SELECT seq, t_ms, x FROM spoilt") == [(5, 1, 9.0)]
    outbox.close()


@pytest.mark.parametrize("spoilt", ["uptime_ms = 1000000000000000", "uptime_ms = -1", "boot = 'bo?t'", "boot = x'00'"])
def test_what_the_disk_changed_of_a_held_row_moves_no_other(tmp_path, spoilt):
    outbox = Outbox(tmp_path / "outbox.db", 0, room=Room(ballast_bytes=0))
    outbox.commit([("p", NOW_MS, 1.0, 0)])
    outbox.hold("before", [("p", 1000 * i, float(i), 0) for i in range(10)])
    outbox._db.execute(f"UPDATE held SET {spoilt} WHERE uptime_ms = 9000")  # noqa: S608 - our own words
    while outbox.release("now", NOW_MS + 60_000, NOW_MS + 60_010):
        pass
    assert [row[3] - NOW_MS for row in outbox.rows(2, 10, 9)] == [51_999 + 1000 * i for i in range(9)]
    assert (outbox.newest, outbox.reader.tombstones()) == (11, [(11, 11, "crc_mismatch")])
    outbox.close()
