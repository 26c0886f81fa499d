"""``python -m oracle.run``: random worlds against Meterhouse; a world that fails is told with as few events as can be.

``SEED=n`` plays one world; else so many from a first seed on. Exit code 1 where any fails.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from dataclasses import replace

from oracle.chance import world_of
from oracle.judge import judge


def verdict(world) -> list[str]:
    """What is wrong with a world's figures; an error is one more wrong."""
    try:
        return judge(world)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the product's fault or ours
        last = traceback.extract_tb(error.__traceback__)[-1]
        return [f"error: {type(error).__name__}: {error} in {last.filename.rsplit('/', 1)[-1]}:{last.lineno}"]


def kind_of(difference: str) -> str:
    """What a difference is about."""
    return difference.split(":", maxsplit=1)[0]


def smallest(world, differences: list[str]):
    """The world with heads and events dropped as long as the same kind of thing is wrong, and what is."""
    kind = kind_of(differences[0])
    shrinks = True
    while shrinks:
        shrinks = False
        for smaller in _smaller(world):
            found = verdict(smaller)
            if any(kind_of(one) == kind for one in found):
                world, differences, shrinks = smaller, found, True
                break
    return world, differences


def _smaller(world):
    for head in world.heads if len(world.heads) > 1 else ():
        yield replace(world, heads=tuple(one for one in world.heads if one != head))
    if world.arrival != "at_once":
        yield replace(world, arrival="at_once", closes="")
    for k, head in enumerate(world.heads):
        for event in head.events:
            less = replace(head, events=tuple(one for one in head.events if one != event))
            yield replace(world, heads=(*world.heads[:k], less, *world.heads[k + 1 :]))
    for k, head in enumerate(world.heads):
        if head.is_judged_by_edge:
            yield replace(
                world, heads=(*world.heads[:k], replace(head, is_judged_by_edge=False), *world.heads[k + 1 :])
            )


def main(words: list[str]) -> int:
    """Play, print, count."""
    parser = argparse.ArgumentParser(prog="oracle.run", description=__doc__)
    parser.add_argument("--worlds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--whole", action="store_true", help="do not look for the smallest script that fails")
    chosen = parser.parse_args(words)
    seeds = range(chosen.first, chosen.first + chosen.worlds)
    if "SEED" in os.environ:
        seeds = range(int(os.environ["SEED"]), int(os.environ["SEED"]) + 1)
    failed, begun = [], time.monotonic()
    for seed in seeds:
        world = world_of(seed)
        differences = verdict(world)
        if differences:
            failed.append(seed)
            if not chosen.whole:
                world, differences = smallest(world, differences)
            sys.stdout.write(f"SEED={seed}\n{world.words()}\n" + "".join(f"  * {one}\n" for one in differences))
            sys.stdout.flush()
    sys.stdout.write(f"{len(seeds)} worlds, {len(failed)} fail: {failed}; {time.monotonic() - begun:.1f} s\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
