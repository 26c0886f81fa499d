"""Which language a person at this terminal reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem
from wording.texts import LANGUAGES, choose_language

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTING = "METERHOUSE_LANGUAGE"
LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Where a terminal says its language; the first that says anything counts, as for every program."""


def language_of_terminal(environ: Mapping[str, str]) -> str:
    """``METERHOUSE_LANGUAGE``, else the terminal's locale, else English. Raises ``ConfigError`` for an unknown word."""
    if asked := environ.get(SETTING):
        return known_language(asked, SETTING)
    locale = next((value for name in LOCALE_VARIABLES if (value := environ.get(name))), "")
    return choose_language(locale.partition(".")[0].replace("_", "-"))


def known_language(asked: str, where: str) -> str:
    """The language that a person asked for. Raises ``ConfigError`` for one that is not spoken here."""
    if asked not in LANGUAGES:
        raise ConfigError(Problem(where, f"unknown language '{asked}'", ", ".join(LANGUAGES)))
    return asked
