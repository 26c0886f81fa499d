"""How many things there are, as a sentence says it: nothing ever says "1 agents"."""

from __future__ import annotations


def so_many(n: int, thing: str) -> str:
    """``1 reading``, ``1,200 readings``: a count and its thing, which is named as of one."""
    return f"{n:,} {thing if n == 1 else _several(thing)}"


def _several(thing: str) -> str:
    return f"{thing[:-1]}ies" if thing.endswith("y") and thing[-2:-1] not in "aeou" else f"{thing}s"
