"""Every text of Meterhouse in one language: gettext catalogues, read from .po text when they are first needed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

from wording.spacing import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOCALE_FOLDER = Path(__file__).parent / "locale"

DOMAINS = (
    "messages",
    "alerts",
    "quarantine",
    "commands",
    "bills",
    "remarks",
    "spells",
    "doctor",
    "people",
    "letters",
    "orders",
    "dashboards",
    "indicators",
    "imports",
)
"""Files of the catalogue: pages and the words they share with all others, then what each further part says."""

LANGUAGES: dict[str, str] = {"en": "en", "zh-Hans": "zh_Hans"}
"""Language tag of pages and people → folder of its catalogues."""

DEFAULT_LANGUAGE = "en"
ABSENT = "–"


class _Lenient(dict[str, Any]):
    """Fills a place whose parameter is missing with a dash: a text must never fail to render."""

    def __missing__(self, key: str) -> str:
        return ABSENT


def _pieces(text: str, params: Mapping[str, object]) -> Iterator[str]:
    """The words of a text and what fills its places, in turn."""
    for words, place, spec, _ in Formatter().parse(text):
        yield words
        if place is not None:
            yield format(params.get(place, ABSENT), spec or "")


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts by id in one language. Calling it fills a text's named places."""

    language: str
    entries: Mapping[str, str]

    def __call__(self, text_id: str, **params: object) -> str:
        """The text, or its id where the catalogue lacks it (the catalogue check finds those)."""
        text = self.entries.get(text_id, text_id)
        if not params:
            return text
        return joined(_pieces(text, params)) if self.language == "zh-Hans" else text.format_map(_Lenient(params))

    def counted(self, text_id: str, n: int, **params: object) -> str:
        """The text for ``n`` things: where the catalogue has ``<id>.one``, that is said of a single one."""
        one = f"{text_id}.one"
        return self(one if n == 1 and one in self.entries else text_id, n=f"{n:,}", **params)

    def text_or(self, text_id: str, otherwise: str) -> str:
        """The text, or ``otherwise`` for ids that come from an estate's own words."""
        return self.entries.get(text_id, otherwise)


_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ENTRY = re.compile(rf"^msgid ((?:{_QUOTED}\s*)+)^msgstr ((?:{_QUOTED}\s*)+)", re.MULTILINE)
_STRING = re.compile(_QUOTED)


def read_catalogue(language: str, domain: str) -> dict[str, str]:
    """Text by id of one .po file; untranslated ids give nothing."""
    return {text_id: text for text_id, text in read_entries(language, domain) if text_id and text}


def read_entries(language: str, domain: str) -> list[tuple[str, str]]:
    """Id and text of every entry of one .po file, as it stands there.

    Our files hold pairs of msgid and msgstr alone. Reading them here takes a twentieth of the time that a library for
    all of gettext takes to be imported, and a command is started anew each time; a test holds this to that library.
    """
    path = LOCALE_FOLDER / LANGUAGES[language] / "LC_MESSAGES" / f"{domain}.po"
    return [(_joined(found[1]), _joined(found[2])) for found in _ENTRY.finditer(path.read_text(encoding="utf-8"))]


def _joined(quoted: str) -> str:
    """The strings of an entry, one or many, as the text they are."""
    return "".join(json.loads(one) if "\\" in one else one[1:-1] for one in _STRING.findall(quoted))


@cache
def load_texts(language: str) -> Texts:
    """Everything that can be said in ``en`` or ``zh-Hans``."""
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
