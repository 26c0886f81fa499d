"""Chance that is the same at every start: uniform numbers from a name, a seed and a slot of time."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def uniform(name: str, seed: int, slot: NDArray[np.int64]) -> NDArray[np.float64]:
    """Numbers in [0, 1), one for each slot (n,): SplitMix64 (Steele, Lea and Flood, 2014) of slot, name and seed."""
    salt = np.uint64((zlib.crc32(name.encode()) << 32) | (seed & 0xFFFFFFFF))
    z = (slot.astype(np.uint64) + salt) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def wobble(name: str, seed: int, slot: NDArray[np.int64]) -> NDArray[np.float64]:
    """Numbers in [-1, 1), one for each slot (n,)."""
    return 2.0 * uniform(name, seed, slot) - 1.0
