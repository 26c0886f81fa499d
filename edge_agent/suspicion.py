"""Marks counter readings that cannot be true, such as swapped words: kept as they are, but not to be accounted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.clock import EARLIEST_MS
from facility.model import Quality
from facility.register import GLITCH_READINGS, RATE_FLOOR_MS, small_step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edge_agent.outbox.outbox import Sample

HOUR_MS = 3_600_000
OWN_FACTOR = 100.0
"""A meter read every few minutes does not grow so many times faster than it ever did."""

LEARN_MS = HOUR_MS
LEAST_SHARE = 0.0002
"""Of the greatest possible rate: an own rate below this says little."""


@dataclass(slots=True)
class Track:
    """What is believed of one counter, and what contradicts it since."""

    since_ms: int
    t_ms: int
    x: float
    own_rate: float = 0.0
    doubt: tuple[int, float] | None = None
    confirmed: int = 0


class Suspicion:
    """Judges live samples in the order in which they come. ``greatest_rates``: units an hour, by point id."""

    def __init__(self, greatest_rates: Mapping[str, float], newest: Mapping[str, tuple[int, float]]) -> None:
        """``newest`` is the last good time and value of each point, from before the agent was started."""
        self._greatest = greatest_rates
        self._tracks = {name: Track(t_ms, t_ms, x) for name, (t_ms, x) in newest.items() if name in greatest_rates}

    def judge(self, samples: Iterable[Sample]) -> Sequence[Sample]:
        """The same samples; suspect values say so in their quality."""
        return [
            (name, t_ms, x, q if self._is_plausible(name, t_ms, x) else int(Quality.SUSPECT))
            for name, t_ms, x, q in samples
        ]

    def contradicts(self, name: str, t_ms: int, x: float) -> bool:
        """Whether a value that came now would contradict what is believed of its counter; nothing is learnt of it."""
        track = self._track(name, t_ms)
        return track is not None and not _follows(track, t_ms, x, self._greatest[name])

    def _track(self, name: str, t_ms: int) -> Track | None:
        """What is believed of a counter, if anything is: before and after the clock was set are two lives."""
        track = self._tracks.get(name)
        return track if track is not None and (track.t_ms < EARLIEST_MS) == (t_ms < EARLIEST_MS) else None

    def _is_plausible(self, name: str, t_ms: int, x: float) -> bool:
        if name not in self._greatest:
            return True
        track, greatest = self._track(name, t_ms), self._greatest[name]
        if track is None:
            self._tracks[name] = Track(t_ms, t_ms, x)
            return True
        if _follows(track, t_ms, x, greatest):
            rate = max(x - track.x, 0.0) * HOUR_MS / max(t_ms - track.t_ms, RATE_FLOOR_MS)
            track.own_rate = max(track.own_rate, rate)
        elif not self._is_confirmed(track, t_ms, x, greatest):
            return False
        else:
            track.since_ms, track.own_rate = t_ms, 0.0
        track.t_ms, track.x, track.doubt = t_ms, x, None
        return True

    @staticmethod
    def _is_confirmed(track: Track, t_ms: int, x: float, greatest: float) -> bool:
        """Whether enough readings in a row agree with the first that contradicted; the rate alone counts here."""
        agrees = False
        if track.doubt is not None:
            before_ms, before = track.doubt
            agrees = _fits(x - before, before, max(t_ms - before_ms, RATE_FLOOR_MS), greatest)
        track.confirmed = track.confirmed + 1 if agrees else 0
        track.doubt = (t_ms, x)
        return track.confirmed >= GLITCH_READINGS


def _follows(track: Track, t_ms: int, x: float, greatest: float) -> bool:
    return _fits(x - track.x, track.x, max(t_ms - track.t_ms, RATE_FLOOR_MS), _rate(track, t_ms, greatest))


def _fits(step: float, before: float, elapsed_ms: int, rate: float) -> bool:
    return -small_step(before) <= step <= rate * elapsed_ms / HOUR_MS


def _rate(track: Track, t_ms: int, greatest: float) -> float:
    """Units an hour that are possible; after an outage, or before the meter is known, all that physics allows."""
    if t_ms - track.t_ms > RATE_FLOOR_MS or t_ms - track.since_ms < LEARN_MS:
        return greatest
    return min(greatest, OWN_FACTOR * max(track.own_rate, LEAST_SHARE * greatest))
