"""Whether answers without numbers keep step with requests: one that comes twice or late looks like the next one's.

On a serial line, and in its frames over TCP, an answer shows unit, function and length of its request and nothing else.
A meter whose power and energy are asked apart in blocks of one length answers both alike; and a gateway may pass on
what another master was answered.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.drivers.modbus.frames import Reply, Request

FIRST_LINGER_S = 0.03
"""So long the line is listened to after answers were found to come twice; it grows where that is too short."""

FORGETS, SHORTEST_LINGER_S = 0.99, 0.005
"""With each poll in which nothing came twice or late it gets shorter, and in the end nothing."""

MOST_BEHIND = 3
"""A request that is unlike so many before it cannot be answered by an answer to one of them."""

MOST_UNPROVED = 3
"""A device that says nothing to requests which only prove, so often in a row, is not asked them any more."""

WATCHED_FIRST_S, WATCHED_S = 600.0, 86_400.0
"""Every poll is listened to at its end for so long: since the line is used, and since it said what nobody had asked."""


class Steps:
    """The requests of one poll, and what spoke against their answers."""

    def __init__(self, longest_s: float, now_s: float) -> None:
        """``longest_s`` is for how long the line is listened to between two requests at most."""
        self._longest_s, self._watched_until_s = longest_s, now_s + WATCHED_FIRST_S
        self._last: tuple[Request, Reply] | None = None
        self._sent: deque[Request] = deque(maxlen=MOST_BEHIND)
        self._addresses: dict[tuple[int, int, int], set[int]] = {}
        self.linger_s = 0.0
        """For how long the line is listened to between two requests that are answered alike."""
        self._doubts = self._heard_more = self._is_told_apart = self._keeps_step = False
        self._unproved: Counter[int] = Counter()

    def pause_s(self, request: Request) -> float:
        """How long the line must have been quiet before a request that answers to another may be taken for."""
        return self.linger_s if self._last and self._last[0].shape == request.shape else 0.0

    @property
    def last(self) -> tuple[Request, Reply] | None:
        """What was answered last, and with what."""
        return self._last

    @property
    def could_slip(self) -> bool:
        """Whether an answer of this poll could have been another's."""
        return any(len(addresses) > 1 for addresses in self._addresses.values())

    def is_watched(self, now_s: float) -> bool:
        """Whether an answer of this poll could have been one to somebody else who asks on the line."""
        return bool(self._addresses) and now_s < self._watched_until_s

    def unlike(self, request: Request) -> Sequence[Request]:
        """The requests before this one that are answered otherwise, while it is not known whether answers keep step."""
        return () if self._keeps_step else [one for one in self._sent if one.shape != request.shape]

    def proof(self) -> Request | None:
        """What is asked to learn whether answers keep step; None where that is known, or cannot be learnt."""
        if self._keeps_step or self._last is None or not self._addresses:
            return None
        request, _ = self._last
        if self._unproved[request.unit] >= MOST_UNPROVED:
            return None
        counts = (*range(request.count - 1, 0, -1), *range(request.count + 1, request.count + 2 + MOST_BEHIND))
        asked = (replace(request, count=count) for count in counts)
        return next((one for one in asked if one.shape not in {sent.shape for sent in self._sent}), None)

    def note_sent(self, request: Request) -> None:
        """It is asked; whatever was asked before the line was ours may still be answered."""
        self._is_told_apart = bool(self._sent) and all(one.shape != request.shape for one in self._sent)
        self._sent.append(request)

    def note_answer(self, request: Request, reply: Reply, *, is_behind: bool) -> None:
        """An answer was taken; ``is_behind``: one to an earlier request, which is not owed, came before it."""
        self._addresses.setdefault(request.shape, set()).add(request.address)
        self._last = request, reply
        self._keeps_step |= self._is_told_apart and not is_behind
        self._doubts |= self._is_told_apart and is_behind

    def note_missing(self, *, is_behind: bool) -> None:
        """No answer came, or only another's: the one that is missing may come in the place of a later one."""
        self._keeps_step = False
        self._doubts |= self._is_told_apart and is_behind

    def note_proof(self, unit: int) -> None:
        """A unit was asked to learn it, and may have taught nothing."""
        self._unproved[unit] = 0 if self._keeps_step or self._doubts else self._unproved[unit] + 1

    def note_stray(self, now_s: float) -> None:
        """Something sound came that was not asked for."""
        self._watched_until_s = now_s + WATCHED_S

    def note_more(self, more: list[Reply]) -> None:
        """After the last answer came more that look like it. The same once more is a double; another casts doubt."""
        if self._last is None or not more:
            return
        self._heard_more, was_listening = True, self.linger_s > 0
        is_double = all(reply.image == self._last[1].image for reply in more)
        self._doubts |= bool(self._addresses) and not is_double  # else it was before the poll, and is dropped
        if not (is_double and was_listening):
            self.listen_longer()

    def note_two(self) -> None:
        """Two that differ came for one request, and neither was taken: one is another's, if not that of an earlier."""
        self._heard_more = True
        self._doubts |= bool(self._addresses)
        self.listen_longer()

    def note_end(self, more: list[Reply]) -> None:
        """The same at the end of a poll: a double is one only where the line was listened to all the time."""
        if more and not self.linger_s and self.could_slip:
            self._doubts = True
        self.note_more(more)

    def end(self) -> bool:
        """The poll is over: whether its answers can be believed."""
        is_sound = not self._doubts
        if not self._heard_more:
            self.linger_s = self.linger_s * FORGETS if self.linger_s > SHORTEST_LINGER_S else 0.0
        self._doubts = self._heard_more = False
        self._addresses.clear()
        return is_sound

    def forget_last(self) -> None:
        """The connection is another one: what was late on the last one does not come here."""
        self._last = None

    def listen_longer(self) -> None:
        """Answers come twice or late."""
        self.linger_s = min(max(FIRST_LINGER_S, 2 * self.linger_s), self._longest_s)
