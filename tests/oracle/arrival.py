"""How readings come to Meterhouse: at once, one by one, in shuffled portions, after their month was closed."""

from __future__ import annotations

from random import Random
from zoneinfo import ZoneInfo

from oracle.worlds import HOUR, local, month_edges


def deliver(world, house, read) -> None:
    """Every reading, in the order and portions of the world; half-way its month is closed."""
    names = {head.name: head.point for head in world.heads}
    every = sorted(((names[name], row) for name, rows in read.items() for row in rows), key=lambda one: one[1].t_ms)
    if world.arrival == "at_once":
        house.take(every)
    elif world.arrival == "one_by_one":
        Random(world.seed).shuffle(every)  # noqa: S311 - as below
        for one in every:
            house.take([one])
    elif world.arrival == "late":
        _deliver_late(world, house, every)
    else:
        _deliver_in_batches(world, house, every)


def _deliver_late(world, house, every) -> None:
    """All but the nights of the month that is closed; then these."""
    start, end = month_edges(world.closes, world.zone)
    zone = ZoneInfo(world.zone)
    late = [one for one in every if start <= one[1].t_ms < end and not 8 <= local(one[1].t_ms, zone).hour < 18]
    kept = {id(one) for one in late}
    house.take([one for one in every if id(one) not in kept])
    house.close(world.closes)
    house.take(late, now_ms=month_edges(world.months[-1], world.zone)[1] - HOUR)


def _deliver_in_batches(world, house, every) -> None:
    """Stretches of readings, shuffled; some come twice, some lack what comes later."""
    rng = Random(world.seed)  # noqa: S311 - to be repeated, not to be secret
    cuts = sorted(rng.sample(range(1, len(every)), min(rng.randint(2, 7), len(every) - 1)))
    batches = [every[a:b] for a, b in zip([0, *cuts], [*cuts, len(every)], strict=True)]
    late = [one for batch in batches for one in batch if rng.random() < 0.02]
    kept = {id(one) for one in late}
    rest = [[one for one in batch if id(one) not in kept] for batch in batches]
    rng.shuffle(rest)
    come = [batch for batch in [*rest, late] if batch]
    after = month_edges(world.months[-1], world.zone)[1]
    for k, batch in enumerate(come):
        if world.closes and k == len(come) // 2:
            house.close(world.closes)
        house.take(batch, now_ms=after - HOUR if world.closes else None)
