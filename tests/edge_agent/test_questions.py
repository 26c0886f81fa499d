"""What a device is asked next, as it answers, refuses, fails or says nothing: with a clock that the test holds."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import pytest

from edge_agent.drivers.base import Answer, Ask
from edge_agent.questions import LAST_PAUSE_S, LAST_RETRY_S, PATIENCE, PUT_OFFS, Questions

POINTS = "abcd"
DAY_S = 86_400.0


class Blocks:
    """Plans one ask for all that is wished."""

    def plan(self, device, points):
        return [Ask(device, tuple(points))] if points else []


@pytest.fixture
def questions():
    return Questions(Blocks(), SimpleNamespace(places=dict.fromkeys(POINTS)), 0.0)


def a_round(questions, now_s, answer, *, most=40):
    """Play one round; what was asked, in order. ``answer`` gives None where nothing comes."""
    asked = []
    questions.begin(now_s)
    while not questions.is_round_over and len(asked) < most:
        points = questions.take().points
        asked.append("".join(points))
        said = answer(points)
        if said is None:
            questions.note_silence("no answer")
        else:
            questions.note_answer(said)
    questions.end(now_s, is_silent=False)
    questions.note_round()
    return asked


def refusing(*bad, may_pass=False):
    """A device that refuses what has one of these in it."""

    def answer(points):
        if set(points) & set(bad):
            return Answer(unread=dict.fromkeys(points, "refused"), may_pass=may_pass)
        return Answer(dict.fromkeys(points, 1.0))

    return answer


def asked_again(questions, answer, until_s, step_s=30.0):
    """When everything was asked anew."""
    times, now_s = [], 0.0
    while (now_s := now_s + step_s) <= until_s:
        if POINTS in a_round(questions, now_s, answer):
            times.append(now_s)
    return times


def test_what_exists_beside_a_refused_point_is_asked_in_halves_at_once(questions):
    assert a_round(questions, 0, refusing("b")) == ["abcd", "ab", "a", "b", "cd"]
    assert a_round(questions, 1, refusing("b")) == ["a", "cd"]
    assert questions.unread() == {"b": "refused"}


def test_a_point_that_the_device_lacks_is_asked_ever_more_rarely(questions):
    a_round(questions, 0, refusing("b"))
    times = asked_again(questions, refusing("b"), 3 * DAY_S)
    assert times[:4] == [60, 180, 420, 900]
    assert max(b - a for a, b in pairwise(times)) <= LAST_RETRY_S + 30


@pytest.mark.parametrize("bad", [POINTS, "b"])
def test_where_all_is_refused_or_the_device_failed_it_is_asked_again_in_five_minutes_at_most(questions, bad):
    answer = refusing(*bad, may_pass=bad != POINTS)
    for now_s in range(PUT_OFFS):
        a_round(questions, now_s, answer)
    times = asked_again(questions, answer, DAY_S)
    assert max(b - a for a, b in pairwise(times)) <= LAST_PAUSE_S + 30


def test_a_failure_that_passes_costs_one_reading_and_is_not_told(questions):
    a_round(questions, 0, refusing("b", may_pass=True))
    assert questions.unread() == {}
    assert "b" in "".join(a_round(questions, 1, refusing()))


def test_a_point_at_which_the_device_fails_again_and_again_is_told_and_left_alone(questions):
    for now_s in range(PUT_OFFS):
        assert "b" in "".join(a_round(questions, now_s, refusing("b", may_pass=True)))
    assert questions.unread() == {"b": "refused"}
    assert "b" not in "".join(a_round(questions, PUT_OFFS, refusing("b", may_pass=True)))


def test_a_block_that_is_never_answered_is_told_while_it_is_found_out_what_is(questions):
    """After three times in halves, and what is still not answered is halved with each round."""

    def deaf(points):
        return Answer(dict.fromkeys(points, 1.0)) if len(points) == 1 else None

    for now_s in range(PATIENCE):
        assert questions.unread() == {}
        a_round(questions, now_s, deaf)
    assert questions.unread() == dict.fromkeys(POINTS, "no answer")
    a_round(questions, PATIENCE, deaf)
    assert set(a_round(questions, PATIENCE + 1, deaf)) == set(POINTS)
    assert questions.unread() == {}
