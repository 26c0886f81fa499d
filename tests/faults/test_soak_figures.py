"""A soak that cannot see a leak proves nothing: its slopes, on what was seen of a process."""

import numpy as np
import pytest

from bench.soak import ALLOWED, growth, is_growing

SECONDS = np.arange(0.0, 1800.0, 10.0)
RNG = np.random.default_rng(7)


def seen(an_hour=0.0, wander=0.0, noise=0.5):
    """Half an hour of looks, each as the one before and a little else."""
    steps = np.cumsum(RNG.normal(0, wander, SECONDS.size))
    column = 50 + SECONDS / 3600 * an_hour + steps + RNG.normal(0, noise, SECONDS.size)
    return growth(np.column_stack([SECONDS, *[column] * len(ALLOWED)]))


@pytest.mark.parametrize("an_hour", [0.0, 20.0, -20.0])
def test_a_slope_is_found_with_its_uncertainty(an_hour):
    figures = seen(an_hour)["memory_mib"]
    assert abs(figures["an_hour"] - an_hour) <= 2 * figures["plus_minus"] < 4


def test_a_leak_is_seen_and_what_only_wanders_is_none():
    assert is_growing(seen(30.0)["memory_mib"], "memory_mib")
    assert not is_growing(seen(5.0)["memory_mib"], "memory_mib")
    assert not is_growing(seen(wander=0.3)["memory_mib"], "memory_mib")


def test_one_descriptor_a_minute_is_a_leak():
    column = 50 + np.floor(SECONDS / 60)
    assert is_growing(growth(np.column_stack([SECONDS, *[column] * len(ALLOWED)]))["descriptors"], "descriptors")
