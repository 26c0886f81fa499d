"""Answers that are out of step with requests, or others': none is taken for what was asked, and that is told."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import replace

import pytest
from rigs.one_bus import OneBus, profile_of
from rigs.patience import until
from rigs.raw_lines import RawTcp, raw_line

from edge_agent.drivers.modbus.frames import Reply, Request
from edge_agent.drivers.modbus.steps import MOST_UNPROVED, WATCHED_FIRST_S, WATCHED_S, Steps

FRAMES = ["modbus+rtu-over-tcp", "modbus+rtu"]
APART, ALONE = (0, 100, 200), (0,)
IMPATIENT_S = 0.1


class Behind:
    """Holds ``most`` answers back, for ever: what comes is the answer to so many requests before."""

    def __init__(self, most, first=0):
        self.most, self.first, self.held, self.lock = most, first, deque(), threading.Lock()

    def __call__(self, asked, say):
        with self.lock:
            self.held.append(asked.right())
            if asked.n < self.first or len(self.held) > self.most:
                say(self.held.popleft())


def is_told(bus):
    """Nothing of the meter is read, and its bus says so."""
    return bus.poller.state().startswith(("unread: m1/", "silent: m1"))


class TestBehind:
    @pytest.mark.parametrize("scheme", FRAMES)
    @pytest.mark.parametrize(("addresses", "most"), [(APART, 1), (APART, 2), (ALONE, 1)])
    def test_answers_to_earlier_requests_are_none(self, scheme, addresses, most):
        """Those of one block as well: it is what the block held at an earlier poll."""
        with (
            raw_line(scheme, Behind(most)) as peer,
            OneBus(peer.url, profile_of(addresses), timeout_s=IMPATIENT_S).polling() as bus,
        ):
            until(lambda: is_told(bus) and len(peer.asked) > 8)
        assert bus.taken == []

    @pytest.mark.parametrize("scheme", FRAMES)
    def test_an_answer_that_gets_lost_on_the_way_shifts_no_later_one(self, scheme):
        """The gateway keeps it and gives it to the next request, and so on: each answer is the last one's."""
        with (
            raw_line(scheme, Behind(1, first=4)) as peer,
            OneBus(peer.url, profile_of(APART), timeout_s=IMPATIENT_S).polling() as bus,
        ):
            until(lambda: is_told(bus) and len(peer.asked) > 12)
        assert bus.wrong() == []

    @pytest.mark.parametrize("scheme", FRAMES)
    def test_after_noise_in_the_place_of_an_answer_the_late_answer_is_nobody_else_s(self, scheme):
        late = []

        def device(asked, say):
            if asked.n % 7 == 3:
                say(b"\0")
                late.append(threading.Timer(0.45, lambda: _said(say, asked.right())))
                late[-1].start()
            else:
                say(asked.right())

        with raw_line(scheme, device) as peer:
            with OneBus(peer.url, profile_of(APART), timeout_s=0.2).polling() as bus:
                until(lambda: min(bus.count(1, address) for address in APART) >= 6)
            for timer in late:
                timer.join()
        assert bus.wrong() == []

    def test_a_device_that_is_deaf_to_what_only_proves_is_read_all_the_same(self):
        """It loses an answer now and then, and says nothing where half a number is asked for."""

        def device(asked, say):
            if asked.count == 1 and asked.n % 10 != 5:
                say(asked.right())

        with (
            RawTcp("modbus+rtu-over-tcp", device) as peer,
            OneBus(peer.url, profile_of(APART), timeout_s=IMPATIENT_S).polling() as bus,
        ):
            until(lambda: min(bus.count(1, address) for address in APART) >= 8)
        assert bus.wrong() == []


def _said(say, frame):
    try:
        say(frame)
    except OSError:
        return  # it was hung up


class TestOthersOnTheLine:
    """A gateway that gives each answer to all its clients: MODBUS RTU frames do not say who asked."""

    @pytest.mark.parametrize("scheme", FRAMES)
    @pytest.mark.parametrize("addresses", [APART, ALONE])
    def test_what_another_master_was_answered_is_not_ours(self, scheme, addresses):
        def device(asked, say):
            if asked.n % 6 == 4:
                say(asked.right(address=1000))
            time.sleep(0.02)
            say(asked.right())

        with raw_line(scheme, device) as peer, OneBus(peer.url, profile_of(addresses)).polling() as bus:
            until(lambda: min(bus.count(1, address) for address in addresses) >= 6)
        assert bus.wrong() == []

    def test_a_meter_that_another_master_asks_all_the_time_is_told_of(self):
        def device(asked, say):
            say(asked.right(address=1000))
            time.sleep(0.02)
            say(asked.right())

        with RawTcp("modbus+rtu-over-tcp", device) as peer, OneBus(peer.url, profile_of(ALONE)).polling() as bus:
            until(lambda: bus.poller.state() == "unread: m1/voltage/a0")
            assert "one could be taken for another's" in bus.poller.unread()["m1/voltage/a0"]
        assert bus.taken == []


class TestNoNumbers:
    """A server that says 0 for the number of every request: its answers are as those of a serial line."""

    def unnumbered(self, asked):
        return asked.framed(asked.right()[7:], number=0)

    def test_its_answers_are_read(self):
        with (
            RawTcp("modbus+tcp", lambda asked, say: say(self.unnumbered(asked))) as peer,
            OneBus(peer.url, profile_of(APART)).polling() as bus,
        ):
            until(lambda: min(bus.count(1, address) for address in APART) >= 8)
            until(lambda: bus.poller.state() == "ok")
        assert bus.wrong() == []

    def test_exceptions_alone_may_lack_it(self):
        def device(asked, say):
            say(asked.framed(bytes((0x83, 2)), number=0) if asked.address == 100 else asked.right())

        with RawTcp("modbus+tcp", device) as peer, OneBus(peer.url, profile_of(APART)).polling() as bus:
            until(lambda: bus.poller.state() == "unread: m1/voltage/a100")
            until(lambda: bus.count(1, 0) >= 5 and bus.count(1, 200) >= 5)
        assert bus.wrong() == []

    @pytest.mark.parametrize("most", [1, 2])
    def test_one_that_is_behind_is_not_read(self, most):
        held = deque()

        def device(asked, say):
            held.append(self.unnumbered(asked))
            if len(held) > most:
                say(held.popleft())

        with (
            RawTcp("modbus+tcp", device) as peer,
            OneBus(peer.url, profile_of(APART), timeout_s=IMPATIENT_S).polling() as bus,
        ):
            until(lambda: is_told(bus) and len(peer.asked) > 8)
        assert bus.wrong() == []


ASKED = Request(1, 3, 10, 2)
ANSWER = Reply((1, 2), 0, b"one", 3)


class TestSteps:
    """Without a line: what was sent and heard is told to it."""

    def steps(self):
        return Steps(1.0, 0.0)

    def answered(self, steps, request, *, is_behind=False):
        steps.note_sent(request)
        steps.note_answer(request, ANSWER, is_behind=is_behind)

    def test_like_answers_are_believed_once_an_unlike_request_was_answered(self):
        steps = self.steps()
        self.answered(steps, ASKED)
        assert steps.proof() == replace(ASKED, count=1)
        self.answered(steps, steps.proof())
        assert steps.proof() is None

    def test_what_is_asked_to_prove_is_unlike_the_last_requests(self):
        steps = self.steps()
        for count in (1, 3):
            steps.note_sent(replace(ASKED, count=count))
        self.answered(steps, ASKED)
        steps.note_missing(is_behind=False)
        assert steps.proof() == replace(ASKED, count=4)

    def test_an_answer_to_an_earlier_request_before_the_right_one_casts_doubt(self):
        steps = self.steps()
        self.answered(steps, ASKED)
        self.answered(steps, steps.proof(), is_behind=True)
        assert not steps.end()
        assert steps.end()

    def test_who_is_deaf_to_it_is_asked_no_more_and_believed(self):
        steps = self.steps()
        for _ in range(MOST_UNPROVED):
            self.answered(steps, ASKED)
            assert steps.proof()
            steps.note_missing(is_behind=False)
            steps.note_proof(1)
            assert steps.end()
        self.answered(steps, ASKED)
        assert steps.proof() is None

    def test_a_poll_without_an_answer_needs_no_proof(self):
        steps = self.steps()
        self.answered(steps, ASKED)
        steps.end()
        assert steps.proof() is None

    def test_the_line_is_watched_at_first_and_for_a_day_after_it_said_what_nobody_had_asked(self):
        steps = self.steps()
        assert not steps.is_watched(0.0)  # nothing was answered in this poll
        self.answered(steps, ASKED)
        assert steps.is_watched(WATCHED_FIRST_S - 1)
        assert not steps.is_watched(WATCHED_FIRST_S)
        steps.note_stray(WATCHED_FIRST_S)
        assert steps.is_watched(WATCHED_S)
        assert not steps.is_watched(WATCHED_FIRST_S + WATCHED_S)
