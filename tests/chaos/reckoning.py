"""The judge: what was issued against what is stored, quarantined and tombstoned, reading by reading.

Nothing here asks the parts under test how they fared. A reading is its point, time and value; the store is keyed by
point and time, so a reading that counts twice shows as one of these, and each adds to ``dup``:

- a row with the reading's value under a second time;
- a second copy in quarantine, or one beside a stored row or a tombstone;
- more readings in ingest's ledger, which counts every sequence number, than were issued: one was played or taken in
  twice, and the store's own idempotence hides it.

No reading that is issued poisons its message. A good one that is nowhere but in a message refused whole is
``set_aside``: nothing is lost, and yet ingest did not do its work.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chaos.readings import Issued


class Aside(NamedTuple):
    """A reading in quarantine: refused for a reason of its own, or with its whole ``message``."""

    point: str
    t_ms: int
    x: float
    reason: str
    kind: str = "reading"


@dataclass(slots=True)
class Found:
    """What a run left behind.

    ``stored``: point → rows ``(t_ms, x)``; ``buried``: point and time behind each tombstone; ``ledger``: how many
    readings ingest says it has stored or refused; ``again``: point and time of readings that an agent may have sent
    under two numbers, since its outbox was put back.
    """

    stored: Mapping[str, Iterable[tuple[int, float]]]
    aside: Iterable[Aside] = ()
    buried: Iterable[tuple[str, int]] = ()
    ledger: int = 0
    again: Iterable[tuple[str, int]] = ()


@dataclass(slots=True)
class Verdict:
    """Counts of readings. ``sum_error`` is the exact sum of what was issued less all that was found."""

    generated: int = 0
    stored: int = 0
    quarantined: int = 0
    tombstoned: int = 0
    set_aside: int = 0
    lost: int = 0
    spurious: int = 0
    corrupt: int = 0
    dup: int = 0
    sum_error: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether every reading has exactly one end, with its own value, and the sums agree."""
        wrong = self.set_aside or self.lost or self.spurious or self.corrupt or self.dup or self.sum_error
        return not wrong and self.generated == self.stored + self.quarantined + self.tombstoned


class Oracle:
    """Knows what was issued. Ask once."""

    def __init__(self, issued: Iterable[Issued]) -> None:
        self.verdict = Verdict()
        self._issued: dict[str, dict[int, Issued]] = {}
        self._open: dict[str, set[int]] = {}
        self._terms: list[float] = []
        self._again: set[tuple[str, int]] = set()
        for reading in issued:
            self._issue(reading)

    def _issue(self, reading: Issued) -> None:
        known = self._issued.setdefault(reading.point, {})
        if reading.t_ms in known:
            raise ValueError(f"{reading} has the time of {known[reading.t_ms]}")
        known[reading.t_ms] = reading
        self._open.setdefault(reading.point, set()).add(reading.t_ms)
        self._terms.append(reading.x)
        self.verdict.generated += 1

    def judge(self, found: Found) -> Verdict:
        """Count every kind of wrong; what has no end by then is lost."""
        self._again = set(found.again)
        twice = len(self._again)
        for point, rows in found.stored.items():
            self._judge_rows(point, list(rows))
        for copy in found.aside:
            self._judge_aside(copy)
        for point, t_ms in found.buried:
            self._judge_buried(point, t_ms)
        self.verdict.dup += max(0, found.ledger + self.verdict.tombstoned - self.verdict.generated - twice)
        self.verdict.lost = sum(map(len, self._open.values()))
        self.verdict.sum_error = fsum(self._terms)
        return self.verdict

    def _judge_rows(self, point: str, rows: list[tuple[int, float]]) -> None:
        known = self._issued.get(point, {})
        strays, right = [], set()
        for t_ms, x in rows:
            self._terms.append(-x)
            reading = known.get(t_ms)
            if reading is None:
                strays.append(x)
            elif reading.bad:
                self.verdict.spurious += 1
            elif reading.x != x:
                self.verdict.corrupt += 1
                self._open[point].discard(t_ms)
            else:
                self.verdict.stored += 1
                self._open[point].discard(t_ms)
                right.add(x)
        if strays:
            self._judge_strays(known, strays, right)

    def _judge_strays(self, known: Mapping[int, Issued], strays: list[float], right: set[float]) -> None:
        """Rows at times that nothing was issued for: a second copy, a reading moved in time, or out of nowhere."""
        values = {reading.x for reading in known.values()}
        for x in strays:
            if x not in values:
                self.verdict.spurious += 1
            elif x in right:
                self.verdict.dup += 1
            else:
                self.verdict.corrupt += 1

    def _judge_aside(self, copy: Aside) -> None:
        point, t_ms = copy.point, copy.t_ms
        reading = self._issued.get(point, {}).get(t_ms)
        if copy.kind == "message" and (reading is None or t_ms not in self._open[point]):
            return  # a message kept for a person; the agent was told nothing and has sent it again
        if reading is not None and reading.bad and t_ms not in self._open[point] and (point, t_ms) in self._again:
            self._again.discard((point, t_ms))  # refused once more under its second number
            return
        self._terms.append(-copy.x)
        if reading is None:
            self.verdict.spurious += 1
        elif reading.x != copy.x:
            self.verdict.corrupt += 1
            self._open[point].discard(t_ms)
        elif t_ms not in self._open[point]:
            self.verdict.dup += 1
        elif copy.kind == "message" and not reading.bad:
            self.verdict.set_aside += 1
            self._open[point].discard(t_ms)
        elif copy.kind == "message" or copy.reason == reading.bad:
            self.verdict.quarantined += 1
            self._open[point].discard(t_ms)
        # else: good, and yet refused: it stays open, and so it is lost to whoever needs it

    def _judge_buried(self, point: str, t_ms: int) -> None:
        reading = self._issued.get(point, {}).get(t_ms)
        if reading is None:
            self.verdict.spurious += 1
        elif t_ms not in self._open[point]:
            self.verdict.dup += 1
        else:
            self.verdict.tombstoned += 1
            self._open[point].discard(t_ms)
            self._terms.append(-reading.x)
