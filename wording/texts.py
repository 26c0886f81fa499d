"""The words of the console in one language: gettext catalogues read from .po text at start."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCALE_FOLDER = Path(__file__).parent / "locale"
DOMAINS = ("messages", "alerts", "quarantine")

LANGUAGES: dict[str, str] = {"en": "en", "zh-Hans": "zh_Hans"}
"""Language tag of pages and people → folder of its catalogues."""

DEFAULT_LANGUAGE = "en"
ABSENT = "–"


class _Lenient(dict[str, Any]):
    """Fills a place whose parameter is missing with a dash: a text must never fail to render."""

    def __missing__(self, key: str) -> str:
        return ABSENT


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts by id in one language. Calling it fills a text's named places."""

    language: str
    entries: Mapping[str, str]

    def __call__(self, text_id: str, **params: object) -> str:
        """The text, or its id where the catalogue lacks it (the catalogue check finds those)."""
        text = self.entries.get(text_id, text_id)
        return text.format_map(_Lenient(params)) if params else text

    def get(self, text_id: str, otherwise: str) -> str:
        """The text, or ``otherwise`` for ids that come from an estate's own words."""
        return self.entries.get(text_id, otherwise)

    def has(self, text_id: str) -> bool:
        """Whether the catalogue holds the id."""
        return text_id in self.entries


def read_catalogue(language: str, domain: str) -> dict[str, str]:
    """Text by id of one .po file; an absent file and untranslated ids give nothing."""
    path = LOCALE_FOLDER / LANGUAGES[language] / "LC_MESSAGES" / f"{domain}.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        entries = read_po(file, locale=LANGUAGES[language])
    return {str(entry.id): str(entry.string) for entry in entries if entry.id and entry.string and not entry.fuzzy}


@cache
def load_texts(language: str) -> Texts:
    """Everything the console can say in ``en`` or ``zh-Hans``."""
    entries: dict[str, str] = {}
    for domain in DOMAINS:
        entries |= read_catalogue(language, domain)
    return Texts(language, entries)


def choose_language(*wishes: str) -> str:
    """The first wish that we speak. A wish is a tag (``zh-CN``) or a whole Accept-Language header."""
    for wish in wishes:
        for tag in wish.split(","):
            primary = tag.partition(";")[0].strip().lower().partition("-")[0]
            for language in LANGUAGES:
                if primary and language.partition("-")[0] == primary:
                    return language
    return DEFAULT_LANGUAGE
