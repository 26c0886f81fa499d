"""Whom to ask: qualified, near, not loaded; the same question always has the same answer."""

import random
from datetime import timedelta

import pytest

from analytics.dispatch.choosing import Task, choose
from facility.order import CHAINS, Skill
from facility.work import Severity
from stores.records.roster.worker import Candidate, Rank, Worker

ACT = CHAINS[Severity.ACT]


def task(severity=Severity.ACT, age=timedelta(0), asked=(), skill=Skill.WATER):
    return Task("lib", skill, severity, age, frozenset(asked))


def one(name, skills=(Skill.WATER,), rank=Rank.WORKER, places=(), on=True, **load):
    return Candidate(Worker(name, frozenset(skills), frozenset(places), rank, 3), on, **load)


def asked(people, **of):
    found = choose(task(**of), people)
    return found.worker.name if found else None


@pytest.mark.parametrize(
    ("people", "name"),
    [
        ([one("far"), one("near", places=["lib"])], "near"),
        ([one("near", places=["lib"]), one("here", is_at=frozenset({"lib"}), places=["lib"])], "here"),
        ([one("busy", places=["lib"], in_hand=3), one("idle")], "idle"),
        ([one("a", today=2), one("b", today=1)], "b"),
        ([one("b"), one("a")], "a"),
        ([one("plumber", on=False), one("electrician", [Skill.ELECTRICITY])], None),
        ([one("elsewhere", places=["lab"])], None),
        ([one("tired", today=3)], None),
        ([one("lead", [], Rank.LEAD), one("manager", [], Rank.MANAGER)], "lead"),
        ([], None),
    ],
)
def test_the_nearest_least_loaded_who_knows_how_is_asked(people, name):
    assert asked(people) == name


def test_everybody_can_do_what_is_general():
    assert asked([one("e", [Skill.ELECTRICITY])], skill=Skill.GENERAL) == "e"


def test_nobody_is_asked_twice_and_then_those_above_are():
    people = [one("a"), one("b"), one("lead", [], Rank.LEAD), one("manager", [], Rank.MANAGER)]
    order, was = [], set()
    while name := asked(people, asked=was):
        order.append(name)
        was.add(name)
    assert order == ["a", "b", "lead", "manager"]


def test_it_goes_up_with_time_though_workers_are_left():
    people = [one("a"), one("lead", [], Rank.LEAD), one("manager", [], Rank.MANAGER)]
    assert asked(people, age=ACT.lead) == "lead"
    assert asked(people, age=ACT.manager) == "manager"
    assert asked(people, age=ACT.lead, asked=["lead", "manager"]) == "a"


def test_what_is_urgent_reaches_leads_at_any_hour_and_passes_over_the_cap():
    away = [one("lead", [], Rank.LEAD, on=False)]
    assert asked(away) is None
    assert asked(away, severity=Severity.URGENT) == "lead"
    assert asked([one("tired", today=3)], severity=Severity.URGENT) == "tired"
    assert asked([one("asleep", on=False)], severity=Severity.URGENT) is None


def test_the_order_in_which_people_stand_changes_nothing():
    chance = random.Random(7)  # noqa: S311 - a test may be repeated
    people = [one(f"p{n}", in_hand=n % 3, today=n % 3, places=["lib"] if n % 2 else []) for n in range(12)]
    found = {asked(chance.sample(people, len(people))) for _ in range(50)}
    assert len(found) == 1
