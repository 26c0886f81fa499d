"""When the storing side of ingest last came round: waiting for a store that is away moves it, hanging does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Motion:
    """Told by whoever works in the store writer's thread; asked by any thread."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.moved_s = monotonic()

    def move(self) -> None:
        """There is progress."""
        self.moved_s = self._monotonic()

    def still_s(self) -> float:
        """For how long there has been none."""
        return self._monotonic() - self.moved_s
