"""What happened, as annotations show it in both languages: alerts, days off, swaps, changes of the estate."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from accounting.local_time import SECOND_MS, day_number, day_of_number, midnight_ms
from facility.ledger.installation import BEGINNING
from facility.work import over_at
from stores.readings.port import RollupSeries
from stores.readings.rollup_columns import column_of
from stores.readings.rollups import ROLLUPS
from wording.alerts import wording_of
from wording.names import Names
from wording.texts import LANGUAGES, load_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from accounting.calendars import SiteCalendar
    from facility.catalogue import Catalogue
    from facility.work import Alert
    from stores.readings.port import ReadingStore

YEARS_AROUND = 1
_SUFFIX = {"en": "en", "zh-Hans": "zh"}


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a series (``tags``); its stamp is the second at which it began and a place of its own in that."""

    tags: tuple[str, str, str, str]
    """Building, meter, kind and type."""

    id: str
    begun_ms: int
    titles: tuple[str, str]
    texts: tuple[str, str] = ("", "")
    end_ms: int | None = None
    severity: float | None = None
    path: str = ""

    @property
    def t_ms(self) -> int:
        """Two events of one series and second do not overwrite each other."""
        return self.begun_ms // SECOND_MS * SECOND_MS + crc32(self.id.encode()) % SECOND_MS

    @property
    def fields(self) -> dict[str, object]:
        """As the rollup has it."""
        said = {f"{what}_{_SUFFIX[language]}": texts[k] for k, language in enumerate(LANGUAGES)
                for what, texts in (("title", self.titles), ("text", self.texts))}  # fmt: skip
        end_ms = max(self.t_ms, self.end_ms or 0)  # never before its stamp
        return {**said, "end_ms": end_ms, "severity": self.severity, "event_id": self.id, "path": self.path}


def of_alert(alert: Alert, catalogue: Catalogue) -> Event:
    """A case from its first abnormal instant until its cause went away, a person closed it, or it was last seen.

    What is put right has not ended while it is being checked.
    """
    said = [wording_of(alert, language, catalogue) for language in LANGUAGES]
    return Event(
        (alert.building, alert.meter, "alert", alert.detector),
        str(alert.id),
        _ms(alert.since),
        (said[0].title, said[1].title),
        (said[0].what, said[1].what),
        _ms(over_at(alert) or alert.last_seen_at),
        float(alert.severity),
        f"/alerts/{alert.id}",
    )


def of_estate(catalogue: Catalogue, calendar: SiteCalendar, now_ms: int) -> Iterator[Event]:
    """Days off from a year before to a year after, and every swap of a device that the ledgers have."""
    yield from _days_off(catalogue, calendar, now_ms)
    for installation in catalogue.installations:
        if installation.since <= BEGINNING or installation.continues or installation.meter not in catalogue.meter:
            continue
        meter, names = catalogue.meter[installation.meter], [Names(catalogue, one) for one in LANGUAGES]
        serial = installation.serial or "–"
        named = [(load_texts(one.language), one.meter(meter.id)) for one in names]
        titles = [texts("annotation.swap", meter=name, serial=serial) for texts, name in named]
        at_ms = _ms(installation.since)
        yield Event((meter.building, meter.id, "swap", ""), f"{meter.id} from {at_ms}", at_ms, (titles[0], titles[1]))


def of_revisions(revisions: Iterable[tuple[int, datetime]]) -> Iterator[Event]:
    """Changes of the estate: version and instant."""
    for version, at in revisions:
        titles = [load_texts(language)("annotation.config", version=version) for language in LANGUAGES]
        yield Event(("", "", "config", ""), f"revision {version}", _ms(at), (titles[0], titles[1]))


class EventRows:
    """The events of one site in a store: what is no event any more is taken away, what has changed is written again."""

    def __init__(self, store: ReadingStore, site: str) -> None:
        self._store, self._site = store, site
        self._stored: dict[tuple[tuple[str, str, str, str], int], dict[str, object]] | None = None

    def keep(self, events: Iterable[Event]) -> None:
        """Write these, of which some are new or have changed."""
        stored = self._known()
        changed: dict[tuple[str, str, str, str], list[Event]] = {}
        for event in events:
            if stored.get((event.tags, event.t_ms)) != event.fields:
                changed.setdefault(event.tags, []).append(event)
                stored[event.tags, event.t_ms] = event.fields
        if changed:
            self._store.write_rollup("events", [_rows(self._site, some) for some in changed.values()])

    def drop_others(self, events: Iterable[Event], since_ms: int) -> None:
        """Delete what is stored from an instant on and is none of these."""
        wanted, stored = {(event.tags, event.t_ms) for event in events}, self._known()
        for tags, t_ms in [key for key in stored if key not in wanted and key[1] >= since_ms]:
            self._store.delete_rollup("events", _tags(self._site, tags), t_ms, t_ms + 1)
            del stored[tags, t_ms]

    def _known(self) -> dict[tuple[tuple[str, str, str, str], int], dict[str, object]]:
        if self._stored is None:
            self._stored = {}
            for rows in self._store.read_rollup("events", {"site": self._site}, 0, 2**52):
                place = (rows.tags["building"], rows.tags["meter"], rows.tags["kind"], rows.tags["type"])
                columns = {name: [_plain(one) for one in column.tolist()] for name, column in rows.fields.items()}
                for k, t_ms in enumerate(rows.t_ms.tolist()):
                    self._stored[place, t_ms] = {name: column[k] for name, column in columns.items()}
        return self._stored


def _days_off(catalogue: Catalogue, calendar: SiteCalendar, now_ms: int) -> Iterator[Event]:
    """Each run of days off, from its first instant to the end of its last day; a closure by its name."""
    year = calendar.local_date(now_ms).year
    closed = calendar.closed_days(range(year - YEARS_AROUND, year + YEARS_AROUND + 1))
    numbers = sorted(map(day_number, closed))
    for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        days = [number for _, number in run]
        name = _closure(catalogue, days)
        titles = [name or load_texts(language)("annotation.holiday") for language in LANGUAGES]
        begun, end = midnight_ms(days[0], calendar.zone), midnight_ms(days[-1] + 1, calendar.zone)
        first = day_of_number(days[0]).isoformat()
        yield Event(("", "", "holiday", ""), first, begun, (titles[0], titles[1]), end_ms=end)


def _closure(catalogue: Catalogue, days: Sequence[int]) -> str:
    """The name of a closure that holds all of these days."""
    first, last = day_of_number(days[0]), day_of_number(days[-1])
    names = (one.name for one in catalogue.site.closures if one.first <= first and last <= one.last)
    return next(names, "")


def _tags(site: str, tags: tuple[str, str, str, str]) -> dict[str, str]:
    return dict(zip(ROLLUPS["events"].tags, (site, *tags), strict=True))


def _rows(site: str, events: Sequence[Event]) -> RollupSeries:
    t_ms = np.array([event.t_ms for event in events], np.int64)
    said, types = [event.fields for event in events], ROLLUPS["events"].types
    fields = {name: column_of(kind, [one[name] for one in said]) for name, kind in types.items()}
    return RollupSeries(_tags(site, events[0].tags), t_ms, fields)


def _plain(value: object) -> object:
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - NaN differs from itself


def _ms(at: datetime) -> int:
    return round(at.timestamp() * SECOND_MS)
