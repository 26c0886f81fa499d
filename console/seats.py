"""How many streams may be open at once: a stream costs work every few seconds, whoever reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 200
MOST_EACH = 12
"""Streams of one session: a browser opens at most six to one host."""


class Seats:
    """Counts open streams by session. Seats are taken and left in the event loop alone."""

    def __init__(self, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._most, self._most_each = most, most_each
        self._all = 0
        self._taken: dict[str, int] = {}

    def take(self, session: str) -> Callable[[], None] | None:
        """A seat for one more stream of the session, or None where none is free; call what is returned to leave it."""
        if self._taken.get(session, 0) >= self._most_each or self._all >= self._most:
            return None
        self._all += 1
        self._taken[session] = self._taken.get(session, 0) + 1
        return lambda: self._leave(session)

    def _leave(self, session: str) -> None:
        self._all -= 1
        self._taken[session] -= 1
        if not self._taken[session]:
            del self._taken[session]
