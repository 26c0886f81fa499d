"""Spoilt frames and messages of every protocol: ``make bench`` tries a hundred thousand of each."""

from __future__ import annotations

import random

from bench.fuzz import spoilt, tries
from facility.protocols import PROTOCOLS

TRIES = 300


def test_whatever_a_device_says_is_a_finite_number_or_a_reason():
    done = tries(TRIES, seed=11)
    assert done == {**dict.fromkeys(PROTOCOLS, TRIES), "modbus frames": TRIES}


def test_hardly_anything_is_left_as_it_was():
    chance, right = random.Random(3), bytes(range(40))  # noqa: S311 - chance that can be repeated
    assert sum(spoilt(chance, right) == right for _ in range(1000)) < 20
