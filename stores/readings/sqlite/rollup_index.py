"""Which rollup series a SQLite file has, by tag: nobody looks through those of a whole estate for one counter."""

from __future__ import annotations

import json
from collections import defaultdict
from threading import Lock
from typing import TYPE_CHECKING

from facility.errors import StoreDamaged
from stores.readings.sqlite.seal import name_seal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

Tags = dict[str, str]


class RollupIndex:
    """Series are added and never taken away, whoever writes, so what was read stays true; each look reads the new ones.

    Only what is committed is kept: looks come from connections that write nothing. Threads may share it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._newest = 0
        self._tags: dict[int, Tags] = {}
        self._of_rollup: dict[str, list[int]] = defaultdict(list)
        self._with_tag: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self._numbers: dict[tuple[str, frozenset[tuple[str, str]]], int] = {}

    def number(self, rollup: str, tags: Mapping[str, str]) -> int | None:
        """The number of the series with just these tags, as far as it has been read."""
        with self._lock:
            return self._numbers.get((rollup, frozenset(tags.items())))

    def matching(
        self, connection: sqlite3.Connection, rollup: str, some: Sequence[Mapping[str, str]]
    ) -> list[tuple[int, Tags]]:
        """Number and tags of each series whose tags include one of ``some``, oldest first."""
        with self._lock:
            self._look(connection)
            numbers = {number for tags in some for number in self._including(rollup, tags)}
            return [(number, dict(self._tags[number])) for number in sorted(numbers)]

    def _including(self, rollup: str, tags: Mapping[str, str]) -> Iterable[int]:
        """The shortest list that any of the tags has, and of it those that have the others too."""
        if not tags:
            return self._of_rollup.get(rollup, ())
        lists = (self._with_tag.get((rollup, tag, value), []) for tag, value in tags.items())
        return (number for number in min(lists, key=len) if tags.items() <= self._tags[number].items())

    def _look(self, connection: sqlite3.Connection) -> None:
        query = "SELECT id, rollup, tags, seal FROM rollup_series WHERE id > ? ORDER BY id"
        for number, rollup, text, seal in connection.execute(query, (self._newest,)):
            if seal != name_seal(number, str(rollup), str(text)):
                raise StoreDamaged(f"the disk has changed the tags of rollup series {number}")
            tags = json.loads(text)
            self._newest, self._tags[number] = number, tags
            self._of_rollup[rollup].append(number)
            self._numbers[rollup, frozenset(tags.items())] = number
            for tag, value in tags.items():
                self._with_tag[rollup, tag, value].append(number)
