"""A flood of log lines of one kind fills no disk, and hides no line of another."""

import logging
import subprocess
import sys

import pytest
import structlog

from process.throttle import EACH_S, LONGEST_VALUE, MOST_KINDS, MOST_LINES, MOST_OF_LIBRARIES, Throttle, shorten

FLOODS = """
import logging, structlog
from process.logging import set_up_logging
set_up_logging("info")
log = structlog.get_logger()
for i in range(2_000):
    log.warning("refused", sender=f"stranger-{i}")
    logging.getLogger("library").error("socket %s is gone", i)
    try:
        raise ValueError("x" * 100)
    except ValueError:
        log.exception("broken")
log.info("well")
"""


def test_a_flood_is_a_few_lines_and_others_are_heard():
    said = subprocess.run([sys.executable, "-c", FLOODS], capture_output=True, text=True, check=True).stderr
    assert len(said) < 200_000
    for kind in ("event=refused", "is gone", "event=broken"):
        assert said.count(kind) == MOST_LINES
    assert "event=well" in said
    assert "ValueError" in said


class Clock:
    def __init__(self):
        self.s = 0.0


def let_through(throttle, event, **more):
    try:
        return throttle.step(None, "warning", {"event": event, **more})
    except structlog.DropEvent:
        return None


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def throttle(clock):
    return Throttle(lambda: clock.s)


def test_the_next_line_tells_how_many_were_left_out(throttle, clock):
    assert [let_through(throttle, "a") for _ in range(MOST_LINES + 5)].count(None) == 5
    clock.s = EACH_S
    assert let_through(throttle, "a") == {"event": "a", "left_out": 5}
    assert let_through(throttle, "a") == {"event": "a"}


def test_a_long_value_keeps_its_end_whatever_it_is():
    class Long:
        def __str__(self):
            return "x" * 10_000 + "the cause"

    for value in (str(Long()), Long(), [str(Long())]):
        (said,) = shorten(None, "", {"error": value}).values()
        assert len(said) == LONGEST_VALUE + 1
        assert "the cause" in said[-12:]


def test_no_value_ends_a_line_or_steers_a_terminal():
    said = shorten(None, "", {"error": "a\x1b[2Jb\rc\u2028d\u202ee\tf\x00", "n": 1.5, "is": True, "不": "漏水"})
    assert said == {"error": r"a\x1b[2Jb\rc\u2028d\u202ee\tf\x00", "n": 1.5, "is": True, "不": "漏水"}


def test_of_two_alarms_neither_hides_the_other(throttle):
    for _ in range(MOST_LINES):
        let_through(throttle, "alarm", alarm="disk")
    assert let_through(throttle, "alarm", alarm="disk") is None
    assert let_through(throttle, "alarm", alarm="database") is not None


@pytest.fixture
def library(throttle):
    """Whether a line of a library is let through."""
    return lambda words, name="asyncio": throttle.filter(logging.LogRecord(name, 40, "", 0, words, None, None))


def test_numbers_and_addresses_make_no_kind_of_their_own(library):
    said = [library(f"accept failed\nsocket: <fd={i}, 0x{i:x}>") for i in range(1_000)]
    said += [library(f"no room for fd={i} at 0x{i:x}") for i in range(1_000)]
    assert said.count(True) == 2 * MOST_LINES


def test_libraries_together_have_a_bound_whatever_their_words(library, throttle):
    words = [chr(ord("a") + i % 26) + chr(ord("a") + i // 26) for i in range(26 * 26)]
    assert sum(library(word) for word in words for _ in range(3)) == MOST_OF_LIBRARIES
    assert let_through(throttle, "well") is not None


def test_kinds_by_the_thousand_are_few_lines(throttle):
    passed = [let_through(throttle, f"kind {i}") for i in range(10 * MOST_KINDS)]
    assert sum(one is not None for one in passed) == MOST_KINDS + MOST_LINES
