"""A flood of log lines of one kind fills no disk, and hides no line of another."""

import subprocess
import sys

import pytest
import structlog

from process.throttle import EACH_S, LONGEST_VALUE, MOST_KINDS, MOST_LINES, Throttle

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


def test_a_long_value_keeps_its_end(throttle):
    assert let_through(throttle, "a", error="x" * 10_000 + "the cause")["error"] == "…" + (
        "x" * (LONGEST_VALUE - 9) + "the cause"
    )


def test_kinds_by_the_thousand_are_few_lines(throttle):
    passed = [let_through(throttle, f"kind {i}") for i in range(10 * MOST_KINDS)]
    assert sum(one is not None for one in passed) == MOST_KINDS + MOST_LINES
