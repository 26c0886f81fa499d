"""The text of docs/rollups.md: how figures are reckoned, and every rollup with its tags and fields."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from accounting.local_time import DAY_MS, HOUR_MS, MINUTE_MS
from stores.readings.rollups import ROLLUPS, TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stores.readings.rollups import Rollup

DEFINITIONS = Path(__file__).parent / "rollup_definitions.md"
_STEPS = {MINUTE_MS: "minute", HOUR_MS: "hour", DAY_MS: "local day"}


def rollup_reference_text() -> str:
    """The page."""
    return DEFINITIONS.read_text(encoding="utf-8") + "".join(_tags()) + "".join(map(_section, ROLLUPS))


def _tags() -> Iterator[str]:
    yield "\n## Tags\n\n| tag | meaning |\n|---|---|\n"
    yield from (f"| `{tag}` | {meaning} |\n" for tag, meaning in TAGS.items())


def _section(name: str) -> str:
    rollup = ROLLUPS[name]
    return f"\n## {name}\n\n{_head(rollup)}\n\n| field | unit | meaning |\n|---|---|---|\n" + "".join(_rows(rollup))


def _head(rollup: Rollup) -> str:
    tags = ", ".join(f"`{tag}`" for tag in rollup.tags)
    apart = f"apart by a {_STEPS[rollup.step_ms]}"
    return f"A row for each {rollup.each}; kept as `{rollup.retention}`, {apart}. Tags: {tags}."


def _rows(rollup: Rollup) -> Iterator[str]:
    yield from (f"| `{field}` | {one.unit} | {one.meaning} |\n" for field, one in rollup.said.items())
