"""Every way Meterhouse fails, by what somebody can do about it.

MeterhouseError
├── ConfigError        a person must change something; raised before anything connects
├── Unavailable        try again later
│   ├── DriverError      a device or its bus did not answer
│   ├── StoreUnavailable the readings or records could not be reached
│   └── NotifyError      a message could not be delivered
├── Rejected           never retry; the item goes to quarantine with the reason
└── Denied             who may not do what
"""

from __future__ import annotations

from dataclasses import dataclass


class MeterhouseError(Exception):
    """Root of all errors that Meterhouse raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to change in a document: where it is, what is wrong and what is allowed."""

    where: str
    what: str
    allowed: str = ""

    def __str__(self) -> str:
        """``site.yaml:12: unknown profile 'x' (allowed: a, b)``."""
        allowed = f" (allowed: {self.allowed})" if self.allowed else ""
        return f"{self.where}: {self.what}{allowed}"


def visible(text: str, most: int = 60) -> str:
    """A text as a message can show it: cut where it is long, with escapes for what cannot be seen."""
    shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text[:most])
    return f"{shown}…" if len(text) > most else shown


def quoted(text: str, most: int = 60) -> str:
    """The same between quotes."""
    return f"'{visible(text, most)}'"


class ConfigError(MeterhouseError):
    """A person must change something. Carries every problem found, not only the first."""

    def __init__(self, *problems: Problem | str) -> None:
        """Hold the problems; a bare string is a problem without a place."""
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class Unavailable(MeterhouseError):  # noqa: N818 - the word already says it
    """Something outside does not answer now; the same call may work later."""


class DriverError(Unavailable):
    """A device or its bus did not answer, or answered nonsense."""


class StoreUnavailable(Unavailable):
    """The readings or the records cannot be reached now. Nothing was stored."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        """``retry_after_s`` is what the store itself asked for, if it did."""
        self.retry_after_s = retry_after_s
        super().__init__(message)


class StoreDamaged(StoreUnavailable):
    """The disk has changed the readings or the records: they cannot be read before they are mended."""


class NotifyError(Unavailable):
    """A message to a person could not be delivered now."""


class Rejected(MeterhouseError):  # noqa: N818 - the word already says it
    """Input that will never be accepted as it is. ``reason`` is a slug, ``detail`` is for people."""

    def __init__(self, reason: str, detail: str = "") -> None:
        """Hold the slug (``unknown_point``) and the sentence that explains it."""
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class Denied(MeterhouseError):  # noqa: N818 - the word already says it
    """Somebody may not do something."""
