"""A copy of the figures that show at one data level, in a database of its own: all that Grafana can read there.

Nothing above the level is ever written to it, so no query, however it is worded, crosses. Readings are not in it.
Whoever writes figures writes both; a copy that is away stops them, and they are written again. Where a level changes,
what shows no more is deleted from the copy first, and what shows from now on is brought.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, cast

from accounting.local_time import DAY_MS
from stores.access.scope import Scope, sight_of
from stores.readings.rollups import ROLLUPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from facility.catalogue import Catalogue
    from facility.levels import Level
    from stores.readings.port import ReadingStore, RollupSeries
    from stores.records.registry import Registry

FIRST_MS, END_MS = -9_223_372_036_854, 9_223_372_036_854
"""All that an InfluxDB can hold."""

SPAN_MS = 92 * DAY_MS
"""So much of a rollup is brought at once."""

OF_ALL = frozenset({"platform_1m"})
"""Rollups that say nothing of any point."""


class ShownSeries:
    """Which series of rollups show at a level: what is derived shows where all that it rests on does."""

    def __init__(self, catalogue: Catalogue, level: Level) -> None:
        sight = sight_of(catalogue, {Scope(level=level)})
        self._agents, self._sums = sight.agents or frozenset(), sight.sums or frozenset()
        hidden = [one for one in catalogue.points if one.level is None or one.level > level]
        self._points = {one.id for one in catalogue.points} - {one.id for one in hidden}
        self._known = {one.id for one in catalogue.points}
        self._mixed = {catalogue.meter[one.meter].building for one in hidden}
        self._meters = {one.id for one in catalogue.meters} - {one.meter for one in hidden}
        self._buildings = {one.id for one in catalogue.buildings} - self._mixed
        self.said = json.dumps([level.word, sorted(self._points), sorted(self._agents), sorted(self._sums)])

    def shows(self, name: str, tags: Mapping[str, str]) -> bool:
        """Whether a series does; one that nobody knows does not."""
        if name in OF_ALL:
            return True
        if "gateway" in tags:
            return tags["gateway"] in self._agents
        if meter := tags.get("meter", ""):
            return self._shows_meter(meter, tags)
        if utility := tags.get("utility", ""):
            return (tags.get("building", ""), utility) in self._sums
        building = tags.get("building", "")
        return building in self._buildings if building else not self._mixed

    def _shows_meter(self, meter: str, tags: Mapping[str, str]) -> bool:
        if "quantity" not in tags:
            return meter in self._meters
        begins = f"{meter}/{tags['quantity']}/"
        if "channel" in tags:
            return f"{begins}{tags['channel']}" in self._points
        known = {one for one in self._known if one.startswith(begins)}
        return bool(known) and known <= self._points


class ShownCopy:
    """A store whose figures are written to the copy as well. Everything else is the store's own."""

    def __init__(
        self,
        store: ReadingStore,
        copy: ReadingStore,
        registry: Registry,
        level: Level,
        note: Path,
    ) -> None:
        """``note`` is the file that says what the copy holds."""
        self._store, self._copy, self._registry, self._level, self._note = store, copy, registry, level, note
        self._version = 0
        self._shown: ShownSeries | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write_rollup(self, name: str, series: Iterable[RollupSeries]) -> None:
        """Store rows of a rollup, and those that show in the copy."""
        self.write_rollups([(name, list(series))])

    def write_rollups(self, rollups: Sequence[tuple[str, Sequence[RollupSeries]]]) -> None:
        """The same of several; nothing is called written that the copy lacks."""
        shown = self._look()
        self._store.write_rollups(rollups)
        kept = [(name, [one for one in series if shown.shows(name, one.tags)]) for name, series in rollups]
        if some := [(name, series) for name, series in kept if series]:
            self._copy.write_rollups(some)

    def delete_rollup(self, name: str, tags: Mapping[str, str], start_ms: int, end_ms: int) -> None:
        """Delete rows in both."""
        self._look()
        self._copy.delete_rollup(name, tags, start_ms, end_ms)
        self._store.delete_rollup(name, tags, start_ms, end_ms)

    def close(self) -> None:
        """Release both."""
        self._copy.close()
        self._store.close()

    def _look(self) -> ShownSeries:
        """What shows now; the copy is made so first, where that has changed. Raises ``StoreUnavailable``."""
        if self._shown is None or self._registry.version() != self._version:
            found = self._registry.revision()
            shown = ShownSeries(found.catalogue, self._level)
            if not self._note.exists() or self._note.read_text(encoding="utf-8") != shown.said:
                self._note.unlink(missing_ok=True)  # half a copy is none
                self._make_anew(shown)
                _write_whole(self._note, shown.said)
            self._shown, self._version = shown, found.version
        return self._shown

    def _make_anew(self, shown: ShownSeries) -> None:
        """What shows no more is gone before anything else is brought."""
        for name in ROLLUPS:
            if self._copy.rollup_stretch(name) is not None:
                self._copy.delete_rollup(name, {}, FIRST_MS, END_MS)
        for name in ROLLUPS:
            for series in _all_of(self._store, name):
                if shown.shows(name, series.tags):
                    self._copy.write_rollup(name, [series])


def with_copy(
    store: ReadingStore,
    copy: ReadingStore,
    registry: Registry,
    level: Level,
    note: Path,
) -> ReadingStore:
    """The store, whose figures up to a level are kept in ``copy`` as well."""
    return cast("ReadingStore", ShownCopy(store, copy, registry, level, note))


def _all_of(store: ReadingStore, name: str) -> Iterator[RollupSeries]:
    stretch = store.rollup_stretch(name)
    if stretch is None:
        return
    for start_ms in range(stretch[0], stretch[1] + 1, SPAN_MS):
        yield from store.read_rollup(name, {}, start_ms, min(start_ms + SPAN_MS, stretch[1] + 1))


def _write_whole(file: Path, text: str) -> None:
    new = file.with_name(f"{file.name}.new")
    with new.open("w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(file)
