"""What a courier is: a way out, what it takes, and what is known of a letter where it failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from facility.errors import NotifyError

CONNECT_S, ANSWER_S = 5.0, 10.0


class UndeliveredError(NotifyError):
    """An attempt failed. ``may_have_arrived``: nobody can say that it did not arrive all the same."""

    def __init__(self, why: str, *, may_have_arrived: bool) -> None:
        super().__init__(why)
        self.may_have_arrived = may_have_arrived


@dataclass(frozen=True, slots=True)
class Post:
    """What a courier takes: the letter's permanent id, where to, and its words."""

    id: str
    address: str
    subject: str
    body: str


class Courier(Protocol):
    """One way out. ``takes_address``: it reaches whomever one names, and not one place only."""

    takes_address: bool

    def deliver(self, post: Post) -> None:
        """Return once it was taken. Raises ``UndeliveredError``."""
