"""A hundred worlds by chance, always the same ones: Meterhouse's figures are what the scripts say they must be."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from oracle.arrival import deliver
from oracle.by_hand import at, flat, meter, steady, step
from oracle.chance import PLACES, world_of
from oracle.judge import Notes, judge, judge_counter
from oracle.product import Meterhouse
from oracle.readings import play
from oracle.run import smallest, verdict
from oracle.truth import Truth
from oracle.worlds import FALSE, HIDDEN

from stores.readings.port import RollupSeries

SEEDS = range(100)
PORTION = 10


@pytest.mark.parametrize(
    "first", [SEEDS[0], *(pytest.param(first, marks=pytest.mark.thorough) for first in SEEDS[PORTION::PORTION])]
)
def test_figures_are_what_the_script_of_a_world_says(first):
    for seed in range(first, first + PORTION):
        world = world_of(seed)
        differences = verdict(world)
        if differences:
            world, differences = smallest(world, differences)
        said = "\n".join(f"  * {one}" for one in differences)
        assert not differences, f"SEED={seed} repeats it:\n{world.words()}\n{said}"


def test_a_seed_names_one_world_and_a_hundred_meet_every_zone_and_everything_that_lies():
    worlds = [world_of(seed) for seed in SEEDS]
    assert worlds[7] == world_of(7) != world_of(8)
    assert {world.zone for world in worlds} == {zone for zone, _ in PLACES}
    assert {world.arrival for world in worlds} == {"at_once", "one_by_one", "in_batches"}
    kinds = {event.kind for world in worlds for head in world.heads for event in head.events}
    assert kinds >= {*FALSE, *HIDDEN, "silence", "swap", "ratio", "manual", "substituted", "stuck", "jitter", "daily"}
    assert any(world.closes for world in worlds)
    heads = [head for world in worlds for head in world.heads]
    assert any(head.is_judged_by_edge for head in heads)
    assert any(head.span and head.opening < head.span < head.opening + 5_000 for head in heads)


def test_the_oracle_takes_nothing_from_accounting():
    """What judges must not count by the rules' own code; one file alone knows the product."""
    found = set()
    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            named += [node.module] if isinstance(node, ast.ImportFrom) else []
            found |= {path.name for name in named if name.partition(".")[0] in {"accounting", "analytics", "reports"}}
    assert found == {"product.py"}


ROWS = [*steady(0, 10, 5_000, 3), *flat(10, 14, 0.0), *steady(14, 30, 5_042, 3)]
STEPS = [step(0, 9.75, 29.25), step(9.75, 14, 12.75, "estimated"), step(14, 29.75, 47.25)]


@pytest.mark.parametrize(
    ("hour", "field", "figure", "said"),
    [
        (3, "qty", 3.001, "hour use"),
        (3, "qty", float("nan"), "hour known or not"),
        (11, "qty", 3.001, "hour spread"),
        (11, "completeness", 1.0, "hour time measured"),
        (11, "estimated", 0.0, "hour time estimated"),
        (40, "qty", 0.0, "hour known or not"),
    ],
)
def test_the_judge_sees_a_figure_that_is_wrong(hour, field, figure, said):
    world = meter()
    truth = Truth(world, world.heads[0], ROWS, steps=STEPS)
    with Meterhouse(world) as house:
        house.take([(truth.head.point, row) for row in ROWS])
        right, wrong = Notes(), Notes()
        judge_counter(right, house, truth)
        (series,) = house.store.read_rollup("usage_1h", {"meter": "main"}, at(3), at(4))
        row = RollupSeries(series.tags, np.array([at(hour)]), {field: np.array([figure])})
        house.store.write_rollup("usage_1h", [row])
        judge_counter(wrong, house, truth)
    assert right.all() == []
    assert any(line.startswith(said) for line in wrong.all())


def test_a_world_that_fails_is_told_with_what_matters_alone(monkeypatch):
    """Of a world's many events those go without which it fails as well."""
    world = next(
        w for w in map(world_of, range(500)) if sum(len(head.events) for head in w.heads) > 6 and len(w.heads) > 1
    )
    blamed = world.heads[-1].events[-1]

    def blames(one):
        return ["spell: it is there"] if any(blamed in head.events for head in one.heads) else []

    monkeypatch.setattr("oracle.run.verdict", blames)
    small, _ = smallest(world, blames(world))
    assert [head.events for head in small.heads] == [(blamed,)]
    assert small.arrival == "at_once"


def test_the_oracle_knows_what_was_truly_used_to_a_few_last_digits():
    for seed in SEEDS[::5]:
        world = world_of(seed)
        for head in world.heads:
            assert Truth(world, head, play(world, head)).untold() == []


def test_the_same_scripts_give_the_same_month_whatever_the_arrival():
    for seed in (3, 12):
        world = replace(world_of(seed), closes="")
        figures = []
        for arrival in ("at_once", "in_batches"):
            one = replace(world, arrival=arrival)
            with Meterhouse(one) as house:
                deliver(one, house, {head.name: play(one, head) for head in one.heads})
                figures.append([float(utility.quantity) for utility in house.bill(one.months[0]).utilities])
        assert figures[0] == figures[1]
    assert judge(replace(world, arrival="at_once")) == []
