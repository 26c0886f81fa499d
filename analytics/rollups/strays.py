"""Takes rollup rows away that stand where no hour or day of the site begins.

They are left where the site's time zone was corrected, and by versions that counted hours from where a range began.
Beside the rows computed anew they would be counted twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import DAY_MS, rows_among
from stores.readings.port import RollupSeries
from stores.readings.rollup_columns import absent
from stores.readings.rollups import ROLLUPS

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from accounting.calendars import SiteCalendar
    from stores.readings.port import ReadingStore

ENDS_LATE_MS = {"profile_day": 1}
"""Stamped at the end of its day, so that an instant this much earlier lies in it."""


def drop_strays(
    store: ReadingStore, calendar: SiteCalendar, name: str, tags: Mapping[str, str], start_ms: int, end_ms: int,
    closed: Container[tuple[str, str]],
) -> None:  # fmt: skip
    """Delete rows of a rollup under some tags at which no hour (or day) of the site begins, in months that are open.

    What was computed anew stands already, so nothing is lost by a crash in between.
    """
    edges = calendar.day_edges if ROLLUPS[name].step_ms == DAY_MS else calendar.hour_edges
    late_ms = ENDS_LATE_MS.get(name, 0)
    for rows in store.read_rollup(name, tags, start_ms + late_ms, end_ms + late_ms, ROLLUPS[name].fields[:1]):
        _, known = rows_among(edges(start_ms, end_ms + DAY_MS), rows.t_ms)
        strays = rows.t_ms[~known]
        for t_ms, month in zip(strays.tolist(), calendar.local_months(strays - late_ms).tolist(), strict=True):
            if (rows.tags["building"], month) not in closed:
                store.delete_rollup(name, rows.tags, t_ms, t_ms + 1)


def tidy(
    store: ReadingStore, calendar: SiteCalendar, names: Iterable[str], tags: Mapping[str, str], start_ms: int,
    end_ms: int, closed: Container[tuple[str, str]], unstated: Iterable[str],
) -> None:  # fmt: skip
    """Drop strays of several rollups, and in months that are open the fields that the site states nothing for."""
    for name in names:
        drop_strays(store, calendar, name, tags, start_ms, end_ms, closed)
        for field in [field for field in unstated if field in ROLLUPS[name].types]:
            for rows in store.read_rollup(name, tags, start_ms, end_ms, [field]):
                months = calendar.local_months(rows.t_ms).tolist()
                is_open = np.array([(rows.tags["building"], month) not in closed for month in months], np.bool_)
                if len(t_ms := rows.t_ms[~absent(rows.fields[field]) & is_open]):
                    store.write_rollup(name, [RollupSeries(rows.tags, t_ms, {field: np.full(len(t_ms), np.nan)})])
