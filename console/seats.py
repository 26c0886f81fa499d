"""How many streams may be open at once: a stream costs work every few seconds, whoever reads it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 200
MOST_EACH = 12
"""Streams of one session: a browser opens at most six to one host."""


class Seats:
    """Counts open streams by session. Seats are taken and left in the event loop alone."""

    def __init__(self, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._most, self._most_each = most, most_each
        self._all = 0
        self._taken: dict[str, int] = {}

    def are_free(self, session: str) -> bool:
        """Whether the session may open one more stream.

        A seat is taken only when the stream begins, so two that ask at once may both come in.
        """
        return self._taken.get(session, 0) < self._most_each and self._all < self._most

    @contextmanager
    def taken(self, session: str) -> Iterator[None]:
        """Hold a seat until the block ends."""
        self._all += 1
        self._taken[session] = self._taken.get(session, 0) + 1
        try:
            yield
        finally:
            self._all -= 1
            self._taken[session] -= 1
            if not self._taken[session]:
                del self._taken[session]
