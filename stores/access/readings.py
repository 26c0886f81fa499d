"""The readings and rollups that a reader may see; a point, meter or building beyond that has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.quantities import Utility
from stores.readings.columns import empty_series
from stores.readings.rollups import rollup_called

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stores.access.reader import Reader
    from stores.readings.port import Latest, ReadingStore, RollupSeries, Series


class VisibleReadings:
    """A reading store as one reader sees it. Ranges and times are those of ``ReadingStore``."""

    def __init__(self, store: ReadingStore, reader: Reader) -> None:
        self._store, self._sight, self._reads = store, reader.sight, reader.reads

    def read(self, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
        """Readings of each point in the range; a point without readings, or out of sight, has an empty series."""
        self._reads.note("readings", points)
        seen = self._store.read(self._seen(points), start_ms, end_ms)
        return {point: seen[point] if point in seen else empty_series() for point in points}

    def read_before(self, points: Sequence[str], t_ms: int) -> dict[str, Latest]:
        """The newest reading at or before a time of each point that shows."""
        self._reads.note("readings before", points)
        return self._store.read_before(self._seen(points), t_ms)

    def latest(self, points: Sequence[str] | None = None) -> dict[str, Latest]:
        """The newest reading of each point (of all that show if None)."""
        if points is None and not self._sight.is_whole:
            points = list(self._sight.catalogue.point)
        self._reads.note("newest readings", self._sight.important if points is None else points)
        return self._store.latest(None if points is None else self._seen(points))

    def rollup(
        self, name: str, tags: Mapping[str, str], start_ms: int, end_ms: int, fields: Sequence[str] | None = None
    ) -> list[RollupSeries]:
        """Series of a rollup whose tags include ``tags``, cut to the range; one question for each thing that shows."""
        asked = self._narrowed(name, tags)
        found = (series for one in asked for series in self._store.read_rollup(name, one, start_ms, end_ms, fields))
        shown = [series for series in found if self._shows(series.tags)]
        if self._reads.is_needed:
            self._reads.note(name, {point for series in shown for point in self._points_behind(series.tags)})
        return shown

    def _seen(self, points: Sequence[str]) -> list[str]:
        return list(points) if self._sight.is_whole else [p for p in points if p in self._sight.catalogue.point]

    def _narrowed(self, name: str, tags: Mapping[str, str]) -> list[Mapping[str, str]]:
        """The tags to ask with: as they are, or once for each meter or building that shows and that they allow.

        Where every building shows, what is graded too high is left out of the answer, as ``_shows`` does: one question
        is far cheaper than one for each. So it is for a building that shows whole: its meters may be thousands.
        """
        if self._sight.is_whole or (self._sight.buildings is None and "meter" not in tags):
            return [tags]
        catalogue = self._sight.catalogue
        shows_whole = self._sight.points is None and tags.get("building", "") in catalogue.building
        if "meter" not in rollup_called(name).tags or (shows_whole and "meter" not in tags):
            return [{**tags, "building": b} for b in catalogue.building if tags.get("building", b) == b]
        asked = [tags["meter"]] if "meter" in tags else catalogue.meter
        return [{**tags, "meter": meter} for meter in asked if meter in catalogue.meter]

    def _points_behind(self, tags: Mapping[str, str]) -> Iterator[str]:
        """The counter whose figures a series is, or all that a building's figures sum."""
        catalogue, quantity = self._sight.catalogue, tags.get("quantity")
        if "meter" in tags:
            yield from (p.id for p in catalogue.points_of(tags["meter"]) if quantity in {None, p.quantity.word})
        else:
            for utility in _summed(tags):
                yield from (p.id for p in catalogue.head_counters(tags.get("building", ""), utility))

    def _shows(self, tags: Mapping[str, str]) -> bool:
        """Whether a series is of what shows, and its figures are graded low enough.

        A counter's figures are graded as that counter, a building's as all that they sum.
        """
        if "meter" in tags and not self._sight.is_whole and tags["meter"] not in self._sight.catalogue.meter:
            return False
        if self._sight.sums is None:
            return True
        if "meter" not in tags:
            return all((tags.get("building", ""), one.value) in self._sight.sums for one in _summed(tags))
        return any(p.quantity.word == tags["quantity"] for p in self._sight.catalogue.points_of(tags["meter"]))


def _summed(tags: Mapping[str, str]) -> list[Utility]:
    """Of which utilities a figure of a building is made: of its own, or of all where it names none."""
    return [Utility(tags["utility"])] if tags.get("utility") else list(Utility)
