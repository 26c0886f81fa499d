"""What a person may be called: names stand in the audit trail, on pages and in the lines of a terminal."""

from __future__ import annotations

import unicodedata

from facility.errors import ConfigError, Problem, quoted

MOST_CHARS = 60
ALLOWED = f"1 to {MOST_CHARS} letters, digits, spaces and signs that can be seen"


def person_name(text: str) -> str:
    """The name as it is kept: without spaces around it, each letter written in one way (Unicode NFC).

    Raises ``ConfigError`` for none, for one that is long, and for one with characters that cannot be seen or that turn
    the direction of others (control characters, Unicode's Cc, Cf and Zl): such a name could pass for another.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise ConfigError(Problem("the name of a person", "is empty", ALLOWED))
    if len(name) > MOST_CHARS:
        raise ConfigError(Problem("the name of a person", f"has {len(name)} characters", ALLOWED))
    if not name.isprintable():
        raise ConfigError(Problem("the name of a person", f"{quoted(name)} has hidden characters", ALLOWED))
    if not any(one.isalnum() for one in name):
        raise ConfigError(Problem("the name of a person", f"{quoted(name)} has no letter and no digit", ALLOWED))
    return name
