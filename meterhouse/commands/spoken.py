"""What goes into the audit trail with a command: why it was given, and by whom."""

from __future__ import annotations

import getpass

from facility.errors import ConfigError, Problem


def given_reason(reason: str) -> str:
    """The reason. Raises ``ConfigError`` for an empty one."""
    if not reason.strip():
        raise ConfigError(Problem("--reason", "is empty", "why this is so, in a few words"))
    return reason.strip()


def given_by(by: str) -> str:
    """The person named, else the one who is logged in."""
    return by.strip() or getpass.getuser()
