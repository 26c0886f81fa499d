"""Registers that show what no use explains, and what accounting finds of them."""

import numpy as np

from accounting.spells import SpellsInMemory
from facility.model import ReadingBatch
from stores.counters import Counters
from stores.readings.memory import MemoryStore


def shown(qty, first, register):
    """What a register shows at the edges of hours (n,) from hour ``first`` on, (n + 1,), as ``register`` says."""
    x = register.get("starts_at", 50_000.0) + np.concatenate([[0.0], np.cumsum(qty)])
    for change in register["changes"]:
        begin = change["hour"] - first
        rows = slice(begin, begin + change["hours"] if "hours" in change else None)
        if "restarts_at" in change:
            x[rows] += change["restarts_at"] - x[begin]
        if change.get("backwards"):
            x[rows] = 2 * x[begin] - x[rows]
        x[rows] = change.get("set", x[rows] + change.get("add", 0.0))
        if change.get("missing"):
            x[rows] = np.nan
    return x % 10.0 ** register.get("digits", 12)


def spells_of(catalogue, point, t_ms, x):
    """What accounting finds of a register that showed ``x`` (n,) at ``t_ms`` (n,), NaN where it was not read."""
    t_ms, x = t_ms[np.isfinite(x)], x[np.isfinite(x)]
    store, book = MemoryStore(), SpellsInMemory()
    store.write(ReadingBatch([point.id], [0] * len(x), t_ms.tolist(), x.tolist(), []))
    counters = Counters(store, catalogue, book)
    return counters.total(point, counters.around(point, int(t_ms[0]), int(t_ms[-1]) + 1)).spells
