"""Whether answers without numbers keep step with requests: one that comes twice or late looks like the next one's.

On a serial line, and in its frames over TCP, an answer shows unit, function and length of its request and nothing else.
A meter whose power and energy are asked apart in blocks of one length answers both alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_agent.drivers.modbus.frames import Reply, Request

FIRST_LINGER_S = 0.03
"""So long the line is listened to after answers were found to come twice; it grows where that is too short."""

FORGETS, SHORTEST_LINGER_S = 0.99, 0.005
"""With each poll in which nothing came twice or late it gets shorter, and in the end nothing."""


class Steps:
    """The requests of one poll, and what spoke against their answers."""

    def __init__(self, longest_s: float) -> None:
        """``longest_s`` is for how long the line is listened to between two requests at most."""
        self._longest_s = longest_s
        self._last: tuple[Request, Reply] | None = None
        self._addresses: dict[tuple[int, int, int], set[int]] = {}
        self.linger_s = 0.0
        """For how long the line is listened to between two requests that are answered alike."""
        self._doubts = self._heard_more = False

    def pause_s(self, request: Request) -> float:
        """How long the line must have been quiet before a request that answers to another may be taken for."""
        return self.linger_s if self._is_alike(request) else 0.0

    @property
    def last(self) -> tuple[Request, Reply] | None:
        """What was answered last, and with what."""
        return self._last

    @property
    def could_slip(self) -> bool:
        """Whether an answer of this poll could have been another's."""
        return any(len(addresses) > 1 for addresses in self._addresses.values())

    def note_answer(self, request: Request, reply: Reply) -> None:
        """An answer was taken."""
        self._addresses.setdefault(request.shape, set()).add(request.address)
        self._last = request, reply

    def note_more(self, more: list[Reply]) -> None:
        """After the last answer came more that look like it. The same once more is a double; another casts doubt."""
        if self._last is None or not more:
            return
        self._heard_more, was_listening = True, self.linger_s > 0
        is_double = all(reply.image == self._last[1].image for reply in more)
        self._doubts |= not is_double
        if not (is_double and was_listening):
            self.listen_longer()

    def note_end(self, more: list[Reply]) -> None:
        """The same at the end of a poll: a double is one only where the line was listened to all the time."""
        if more and not self.linger_s:
            self._doubts = True
        self.note_more(more)

    def end(self) -> bool:
        """The poll is over: whether its answers can be believed."""
        is_sound = not (self._doubts and self.could_slip)
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

    def _is_alike(self, request: Request) -> bool:
        """Whether what the last request was answered with could be taken for the answer to this one."""
        if self._last is None:
            return False
        last, _ = self._last
        return last.shape == request.shape and last.address != request.address
