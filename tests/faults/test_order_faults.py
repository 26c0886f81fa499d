"""Fault I5: messages late, malformed, again, in any order and cut, while ingest dies and its disk and store fail."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import accumulate, pairwise

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.ingest_rig import CATALOGUE, ENERGY, FOREIGN, LEVELLESS, NOW_MS, POWER, batch, meter
from rigs.intake_in_memory import inbound
from rigs.mortal_ingest import Died, MortalIngest
from rigs.trials import FULL

from facility import wire
from facility.catalogue import Agent
from facility.levels import Level
from facility.model import Point
from facility.quantities import Quantity

EPOCH, UNREGISTERED = "e1", "m9/co2/total"
AT_FIRST = CATALOGUE
MENDED = replace(
    CATALOGUE,
    agents=(*CATALOGUE.agents, Agent("edge-3", ())),
    meters=(*CATALOGUE.meters, meter("m9", "edge-1"), meter("m3", "edge-3")),
    points=(
        *(point if point.id != LEVELLESS else replace(point, level=Level.INTERNAL) for point in CATALOGUE.points),
        Point("m9", Quantity.CO2, level=Level.INTERNAL),
        Point("m3", Quantity.ACTIVE_POWER, level=Level.INTERNAL, low=0, high=10_000),
    ),
)
"""The estate after somebody gave a level, a meter and an agent that were missing."""

POINTS = {
    "edge-1": [POWER, ENERGY, UNREGISTERED, FOREIGN, LEVELLESS],
    "edge-3": ["m3/active_power/total"],
}
LATE_MS = 10**9
MOST_DEATHS = 2
NAN = float("nan")

# point, value, and milliseconds since the reading before
READING = st.tuples(st.integers(0, 4), st.sampled_from([1.0, 2.5, 7.0, 2e4, NAN]), st.integers(1, 4_000_000))
KINDS = ["good", "good", "late", "malformed", "damaged", "tomb", "stranger"]
SAYING = st.tuples(
    st.sampled_from(KINDS), st.sampled_from(["live", "backlog"]), st.lists(READING, min_size=1, max_size=5)
)
WHOLE = {"good", "late"}
STEPS = ["say", "say", "say", "write", "write", "crash", "die", "full", "away", "mend", "replay", "lose", "reconcile"]
STEP = st.tuples(st.sampled_from(STEPS), st.integers(0, 255))


def spoken(sayings):
    """The messages of all agents: each number belongs to one reading, whatever message brings it."""
    messages, whole, first, t_ms = [], [], {"edge-1": 1, "edge-3": 1}, NOW_MS - 5 * 10**8
    for kind, lane, readings in sayings:
        agent, n = "edge-3" if kind == "stranger" else "edge-1", len(readings)
        t = list(accumulate((ms for *_, ms in readings), initial=t_ms))[1:]
        t_ms = t[-1]
        said = _saying(kind, lane, agent, first[agent], readings, t)
        messages.append(inbound(said, crc="00000000") if kind == "damaged" else inbound(said))
        if kind == "damaged":  # the same comes again, sound
            messages.append(inbound(said))
        whole.append(said if kind in WHOLE else None)
        first[agent] += n
    recut = [inbound(_joined(a, b)) for a, b in pairwise(whole) if a and b]
    strange = [inbound(b"{not json"), inbound(batch(1, 3, dev="edge-2"), agent="edge-1")]
    hello = wire.Hello(v=1, dev="edge-1", ep=EPOCH, oldest=1, newest=first["edge-1"] - 1, pending=[])
    return [*messages, *recut, *strange, inbound(hello, "hello")], sum(first.values()) - 2


def _saying(kind, lane, agent, first, readings, t):
    n = len(readings)
    if kind == "tomb":
        return wire.Tombstones(1, agent, EPOCH, [wire.Tombstone(first, first + n - 1, "outbox_full")])
    if kind == "late":
        t = [t_ms - LATE_MS for t_ms in t]
    if kind == "malformed":
        t = [2**63] * n
    points = POINTS[agent]
    p, x = [point % len(points) for point, *_ in readings], [value for _, value, _ in readings]
    return batch(first, n, points=points, p=p, t=t, x=x, lane=lane, dev=agent)


def _joined(a, b):
    """The same readings in one message, as an agent with another window would send them."""
    n = len(a.x) + len(b.x)
    return batch(a.first, n, points=a.points, p=a.p + b.p, t=a.t + b.t, x=a.x + b.x, lane="backlog")


class Trouble:
    """Does to an ingest what the steps say; ``k`` is any number, which each step reads in its own way."""

    def __init__(self, ingest, messages):
        self.ingest, self.messages, self._deaths = ingest, messages, 0

    def meet(self, step, k):
        try:
            getattr(self, step)(k)
        except Died:
            self.ingest.crash()

    def say(self, k):
        """Up to eight messages from anywhere in the list, some of them perhaps twice."""
        chosen = [self.messages[(k * 7 + i * (k % 5 + 1)) % len(self.messages)] for i in range(k % 8 + 1)]
        self.ingest.broker.waiting += chosen
        self.ingest.take_in()

    def write(self, _k):
        self.ingest.write()

    def crash(self, k):
        self.ingest.crash(torn_bytes=k % 40)

    def die(self, k):
        """Somewhere in what follows."""
        if self._may_die():
            self.ingest.life.left = k % 12 + 1

    def full(self, k):
        self.ingest.broker.waiting.append(self.messages[k % len(self.messages)])
        self.ingest.take_in_on_a_full_disk(is_freed=k % 2 == 0)

    def _may_die(self):
        """A message that is in hand at three deaths is set aside: that is fault I3."""
        self._deaths += 1
        return self._deaths <= MOST_DEATHS

    def away(self, _k):
        self.ingest.write_without_store()

    def mend(self, _k):
        self.ingest.mend()

    def replay(self, k):
        if items := self.ingest.records.items():
            self.ingest.records.ask("replay", items[k % len(items)].id)
        self.ingest.run_errands()
        self.ingest.take_in()

    def lose(self, k):
        """All of it, or a third."""
        self.ingest.lose(lambda t_ms: k % 2 and t_ms // 1000 % 3 != k % 3)

    def reconcile(self, _k):
        self.ingest.records.ask("reconcile")
        self.ingest.run_errands()
        self.ingest.write()
        self.ingest.take_in()


@pytest.fixture(scope="module")
def quiet():
    """Each trial would tell a page of what it did."""
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(wrapper_class=before)


@settings(max_examples=10_000 if FULL else 1_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(SAYING, min_size=2, max_size=6), st.lists(STEP, min_size=5, max_size=12))
def test_I5_any_order_any_repetition_and_any_crash_come_to_the_same_end(quiet, sayings, steps):
    messages, numbers = spoken(sayings)
    buried = sum(len(readings) for kind, _, readings in sayings if kind == "tomb")
    with MortalIngest(AT_FIRST, MENDED) as steady:
        steady.say_all(messages)
        expected = steady.dump()
        assert steady.counted() == numbers - buried
    with MortalIngest(AT_FIRST, MENDED) as ingest:
        trouble = Trouble(ingest, messages)
        for step, k in steps:
            trouble.meet(step, k)
        ingest.finish(messages)
        assert ingest.dump() == expected
        assert ingest.counted() == numbers - buried
