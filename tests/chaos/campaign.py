"""One run: strike after strike while readings flow, then quiet, then one fresh reading that proves life."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chaos.faults import FAULTS, bad_link, spoil_newest
from chaos.flipped_bit import Flipped, are_mended, flip_a_bit
from chaos.older_copy import Lost, copy_of, put_back
from chaos.parts import RigError
from chaos.probes import Progress, look
from chaos.readings import take_away, write_recording
from chaos.schedule import HOLDS_BACK

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaos.readings import Issue
    from chaos.schedule import Beside, Strike, Victim
    from chaos.topology import Topology

POLL_S = 0.02
PROGRESS_TIMEOUT_S = 90.0
A_BATCH_BYTES = 2_000

COPY_PORTIONS = 3
"""Readings before the copy is taken, after it, and while it is read on offline."""

QUIET_POLL_S = 0.5
QUIET_POLLS = 5
PATIENCE_S = 40.0
"""The agent sends again after at most 30 s of silence: only then is what has no end lost."""


@dataclass
class Campaign:
    """Strikes at a topology. ``say`` prints one line; ``spoilt``: rows that the rig damaged on disk.

    ``recovery_s``: the longest time from the end of a strike until fresh readings were taken in, or from the last one
    until all was still.
    """

    topology: Topology
    issue: Issue
    say: Callable[[str], None]
    has_small_disk: bool
    faults: Counter[str] = field(default_factory=Counter)
    spoilt: dict[int, tuple[str, int]] = field(default_factory=dict)
    flipped: Flipped = field(default_factory=dict)
    gone: Lost = field(default_factory=lambda: Lost([], set()))
    recovery_s: float = 0.0
    _portions: int = 1
    _numbers_reused: int = 0
    _now: Progress = field(default_factory=Progress)
    _at_start: dict[Victim, Progress] = field(default_factory=dict)
    _struck: tuple[float, Progress] | None = None

    def run(self, strikes: list[Strike]) -> None:
        """Every strike with its own portion of the readings; the last portion flows without harm."""
        self._portions = COPY_PORTIONS + len(strikes) + 1
        if self.topology.ack_mode == "application":  # the known-bad design is known by what kills cost it
            self._put_older_copy_back()
        for i, strike in enumerate(strikes):
            self._wait_for(lambda victim=strike.victim: self._has_moved(victim), f"{strike.victim} makes no progress")
            self.say(f"kill {i + 1}/{len(strikes)} {strike.victim:6} beside {strike.beside:11} {self._how_far()}")
            self._strike(strike, lambda i=i: self._release(COPY_PORTIONS + i))
        struck_at = time.monotonic()
        self._release(self._portions - 1)
        self._settle(self.issue.count - self._numbers_reused)
        self._note_recovery(struck_at)
        if self.flipped:
            self._wait_for(lambda: are_mended(self.topology.readings, self.flipped), "a flipped bit is not mended")
        self._prove_life()

    def _strike(self, strike: Strike, release: Callable[[], int]) -> None:
        victim = self.topology.parts[strike.victim]
        beside = strike.beside if self._can(strike.beside) else "nothing"
        self.faults[beside] += 1
        with ExitStack() as fault:
            fault.enter_context(FAULTS[beside](self.topology))
            before = self._look()
            newest = before.newest + release() // 2
            self._wait_for(lambda: self._now.newest >= newest, "the edge does not play its recordings")
            time.sleep(strike.wait_s)
            if beside in HOLDS_BACK:
                fault.close()
                self._wait_for(lambda: self._now.taken_in > before.taken_in, "nothing arrives after a network fault")
            victim.kill()
            if (strike.victim, beside) == ("edge", "rst"):
                self.spoilt |= spoil_newest(self.topology.outbox, after=before.newest)
            if beside == "flipped_bit":
                self.flipped |= flip_a_bit(self.topology.readings)
            time.sleep(strike.down_s)
        self._at_start[strike.victim] = look(self.topology, self._now)
        victim.start()
        if self._struck is None:  # else an earlier strike is not over yet, and its time runs on
            self._struck = time.monotonic(), self._at_start[strike.victim]

    def _can(self, beside: Beside) -> bool:
        """Whether this machine allows a fault, and the store is one that has it."""
        if beside == "disk_full":
            return self.has_small_disk
        return beside != "flipped_bit" or self.topology.influxd is None

    def _put_older_copy_back(self) -> None:
        """What was read since the copy is stored, and then its numbers are given a second time, to other readings."""
        edge, outbox = self.topology.parts["edge"], self.topology.outbox
        self._settle(self._release(0))
        copy, before = copy_of(outbox), self._now.newest
        self.topology.gateway.is_open = True
        released = self._release(1)
        self._settle(before + released)
        self._numbers_reused = released
        edge.kill()
        self.gone = put_back(outbox, copy)
        take_away(self.topology.recordings, "00001")  # else the same readings would take the same numbers
        self.faults["older_copy"] += 1
        self._now = replace(self._now, newest=before, freed=before)
        with bad_link(self.topology.link, "rst"):
            released = self._release(2)
            edge.start()
            self.topology.gateway.is_open = True
            self._wait_for(lambda: before + released <= self._now.newest, "the copy is not read on")
        self._at_start["edge"] = look(self.topology, self._now)
        self._struck = time.monotonic(), self._at_start["edge"]
        self.say(f"an older copy of the outbox was put back {self._how_far()}")

    def _release(self, i: int) -> int:
        readings = self.issue.portion(i, self._portions)
        write_recording(self.topology.recordings, f"{i:05}", readings)
        return len(readings)

    def _has_moved(self, victim: Victim) -> bool:
        """Whether a portion has been taken in since a part was started, or all that the edge held.

        Every reading taken in has gone through edge, broker and ingest; that the broker is the one of now, its bytes
        prove, and that the store is, what the edge could free.
        """
        now, then = self._now, self._at_start.get(victim, Progress())
        enough = self.issue.count // self._portions
        waiting = now.newest - now.freed
        is_new = now.taken_in - then.taken_in > (enough if waiting > enough else 0)
        if victim == "store":
            return is_new and now.freed > then.freed
        return is_new and (victim != "broker" or now.carried - then.carried > A_BATCH_BYTES)

    def _settle(self, least: int) -> None:
        """No harm: wait until nothing moves and the edge holds nothing that was not freed, of so many at the least."""
        self.topology.gateway.is_open = False
        quiet, moved_at = 0, time.monotonic()
        while quiet < QUIET_POLLS and time.monotonic() - moved_at < PATIENCE_S:
            time.sleep(QUIET_POLL_S)
            before, now = self._now, self._look()
            is_still = (before.newest, before.freed, before.taken_in) == (now.newest, now.freed, now.taken_in)
            quiet = quiet + 1 if is_still and now.newest == now.freed >= least else 0
            if not is_still:
                moved_at = time.monotonic()
                self.say(f"draining {self._how_far()}")

    def _prove_life(self) -> None:
        """One fresh reading goes all the way."""
        before = self._look().taken_in
        self.topology.gateway.is_open = True
        self._wait_for(lambda: self._now.taken_in > before, "no fresh reading arrives when all is over")
        self.say(f"a fresh reading has arrived {self._how_far()}")
        self._settle(self.issue.count - self._numbers_reused)

    def _wait_for(self, truth: Callable[[], bool], failure: str) -> None:
        until = time.monotonic() + PROGRESS_TIMEOUT_S
        self._look()
        while not truth():
            if time.monotonic() > until:
                self.topology.tell_where()
                raise RigError(f"{failure} for {PROGRESS_TIMEOUT_S:.0f} s")
            time.sleep(POLL_S)
            self._look()

    def _look(self) -> Progress:
        self.topology.check()
        self._now = look(self.topology, self._now)
        if self._struck and self._now.newest > self._struck[1].newest and self._now.taken_in > self._struck[1].taken_in:
            self._note_recovery(self._struck[0])
            self._struck = None
        return self._now

    def _note_recovery(self, since_s: float) -> None:
        self.recovery_s = max(self.recovery_s, time.monotonic() - since_s)

    def _how_far(self) -> str:
        now = self._now
        return f"outbox {now.newest:>9,}  freed {now.freed:>9,}  taken in {now.taken_in:>9,}"
