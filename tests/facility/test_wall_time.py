"""Local times that people write, and those that the clocks skip."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from facility.errors import ConfigError
from facility.wall_time import shown_instant, written_instant

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2026-07-01 10:30", 9), ("2026-07-01T10:30+08:00", 2), ("2026-03-29 00:59", 0), ("2026-03-29 02:00", 1)],
)
def test_a_written_time_is_local_unless_it_names_its_offset(text, hour):
    assert written_instant("--at", text, LONDON).astimezone(UTC).hour == hour
    assert written_instant("--at", "2026-07-01", LONDON) == datetime(2026, 6, 30, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "text", "allowed"),
    [
        ("Europe/London", "2026-03-29 01:30:40", "2026-03-29 00:59 or 2026-03-29 02:00"),
        ("Australia/Lord_Howe", "2026-10-04 02:10", "2026-10-04 01:59 or 2026-10-04 02:30"),
        ("Asia/Beirut", "2026-03-29", "2026-03-28 23:59 or 2026-03-29 01:00"),
    ],
)
def test_a_time_that_the_clocks_skip_is_refused_with_its_neighbours(zone, text, allowed):
    with pytest.raises(ConfigError) as caught:
        written_instant("--at", text, ZoneInfo(zone))
    assert "--at: 2026-" in str(caught.value)
    assert f"does not exist in {zone}: the clocks skip it (allowed: {allowed})" in str(caught.value)


@pytest.mark.parametrize("text", ["soon", "2026-02-30", "0001-01-01T00:00+08:00", "9999-12-31T23:00-08:00"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ConfigError, match=r"--at: .* is no time \(allowed: such as 2026-03-01"):
        written_instant("--at", text, LONDON)


@pytest.mark.parametrize(
    ("hour", "shown"),
    [(0, "2026-10-25 01:30+01:00"), (1, "2026-10-25 01:30+00:00"), (2, "2026-10-25 02:30")],
)
def test_a_time_of_an_hour_that_comes_twice_is_shown_so_that_it_can_be_written_again(hour, shown):
    at = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    assert shown_instant(at, LONDON) == shown
    assert written_instant("--entry", shown, LONDON) == at
