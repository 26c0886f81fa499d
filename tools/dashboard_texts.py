"""Which texts dashboards say: found by making those of the demo's estate and listening."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dashboards.build import CONSOLE, SHIPPED, sheets_of
from dashboards.kit import dashboard_json
from dashboards.parts import FLOWS, KNOWN_ENDUSES
from dashboards.words import Words
from device_profiles import load_profiles
from stores.site_file import read_site
from wording.texts import DEFAULT_LANGUAGE, Texts

if TYPE_CHECKING:
    from collections.abc import Iterator

SITE = Path(__file__).parent.parent / "demo" / "site.yaml"
WITH_FLOWS = ("estate", "building")
"""Dashboards that show each kind of flow that an estate has; the demo's has one."""


class _Listening(Texts):
    """Remembers what it is asked for."""

    asked: set[str] = set()

    def __call__(self, text_id: str, **_params: object) -> str:
        """The id itself."""
        self.asked.add(text_id)
        return text_id

    def text_or(self, text_id: str, otherwise: str) -> str:
        """An estate's own word needs no text."""
        if self.entries.get(text_id):
            self.asked.add(text_id)
        return otherwise


def dashboard_ids() -> Iterator[str]:
    """Every id that a dashboard of any estate may say."""
    estate = read_site(SITE, load_profiles())
    listening = _Listening(DEFAULT_LANGUAGE, {})
    for sheet in sheets_of(estate):
        dashboard_json(sheet, Words(DEFAULT_LANGUAGE, estate, listening), SHIPPED, CONSOLE)
    yield from listening.asked
    yield from (f"enduse.{word}" for word in KNOWN_ENDUSES)
    for key in FLOWS.values():
        yield f"column.{key}"
        yield from (f"board.{one}.{key}{part}" for one in WITH_FLOWS for part in ("", ".shows", ".normal", ".act"))
