"""Random lives of a meter with everything that goes wrong, and what was truly used meanwhile."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from accounting.ledger import Stretch

SPANS = (None, 65_536.0, 2.0**32, 10_000.0, 1_000_000.0)
CLEAN = 7
"""Readings without a fault before, between and after faults: more than a wrong value may last."""

LOW = 500
"""A register that shows less than this cannot be told from zeros and other wrong values, so it is spared them."""


@dataclass
class Life:
    """Readings ``t_ms, x`` as stored, the ledger, what was truly used and how much of it no register can tell."""

    pause: int
    face: float
    span: float | None
    ratio: float = 1.0
    told_ratio: float = 1.0
    clock: int = 0
    t_ms: list = field(default_factory=list)
    x: list = field(default_factory=list)
    stretches: list = field(default_factory=list)
    true: float = 0.0
    untold: float = 0.0

    def __post_init__(self):
        self.stretches.append(Stretch(span=self.span))
        self.t_ms.append(0)
        self.x.append(self.face)

    def count(self, step):
        self.true += step
        self.face += step / self.ratio
        if self.span and self.face >= self.span:
            self.face -= self.span

    def read(self, step):
        self.clock += self.pause
        self.count(step)
        self.t_ms.append(self.clock)
        self.x.append(self.face * self.told_ratio)

    def spike(self, draw):
        for _ in range(draw(st.integers(1, 3))):
            self.read(3.0)
            self.x[-1] = 9e9

    def zero(self, draw):
        for _ in range(draw(st.integers(1, 3))):
            self.read(3.0)
            self.x[-1] = 0.0

    def stood(self, draw):
        for _ in range(draw(st.integers(1, 3))):
            self.read(2.0)
            self.x[-1] = self.x[-2]

    def reset(self, draw):
        self.face = 0.0

    def step_back(self, draw):
        lost = min(draw(st.floats(0.1, 5)), 0.004 * self.face)
        self.face -= lost
        self.untold += lost * self.ratio

    def swap(self, draw):
        self.count(draw(st.floats(0, 5)))
        closing, self.face = self.face, draw(st.sampled_from([0.0, 3.5, 900.0]))
        self.ratio = self.told_ratio = draw(st.sampled_from([1.0, 40.0]))
        at = self.clock + self.pause // 2
        self.stretches.append(Stretch(at, self.told_ratio, self.ratio, self.span, opening=self.face, closing=closing))

    def change_ratio(self, draw):
        self.ratio *= 1.5
        self.stretches.append(Stretch(self.clock, self.told_ratio, self.ratio, self.span, continues=True))

    def jump_of_the_clock(self, draw):
        shift = draw(st.sampled_from([-3, 4])) * self.pause + 7
        for _ in range(draw(st.integers(1, 3))):
            self.read(2.0)
            self.t_ms[-1] += shift

    def silence(self, draw):
        for _ in range(12):
            self.read(6.0)
        del self.t_ms[-12:], self.x[-12:]

    def suffer(self, draw, fault):
        """Let it happen, unless the register is where nobody could tell it from an ordinary value."""
        near_the_end = self.span and self.span - self.face < LOW
        if fault in {Life.spike, Life.stood, Life.swap, Life.change_ratio, Life.silence} or (
            self.face > LOW and not (near_the_end and fault in {Life.jump_of_the_clock, Life.reset})
        ):
            fault(self, draw)


FAULTS = (
    Life.spike,
    Life.zero,
    Life.stood,
    Life.reset,
    Life.step_back,
    Life.swap,
    Life.change_ratio,
    Life.jump_of_the_clock,
    Life.silence,
)


@st.composite
def lives(draw):
    """A meter's life of hours, days or weeks: ordinary readings with a fault between each seven."""
    span = draw(st.sampled_from(SPANS))
    begins = (
        st.floats(2_000, 6_000) if span is None or draw(st.booleans()) else st.floats(1, 150).map(lambda x: span - x)
    )
    life = Life(
        pause=draw(st.sampled_from([60, 900, 3_600, 3 * 3_600, 24 * 3_600])) * 1_000, face=draw(begins), span=span
    )
    faults = draw(st.lists(st.sampled_from(FAULTS), max_size=4))
    n = CLEAN * (len(faults) + 1)
    for k, step in enumerate(draw(st.lists(st.floats(0.5, 12), min_size=n, max_size=n))):
        life.read(step)
        if k % CLEAN == CLEAN - 1 and k // CLEAN < len(faults):
            life.suffer(draw, faults[k // CLEAN])
    while (np.diff(life.x[-CLEAN:]) < 0).any():
        life.read(1.0)  # what the newest readings are is known when some more have come
    return life
