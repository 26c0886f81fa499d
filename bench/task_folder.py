"""One exported task, as ``shared/bench/README.md`` defines it, in the terms of the product."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from accounting.calendars import SiteCalendar
from analytics.baselines.hours import Hours
from facility.model import Closure, Name, Site

if TYPE_CHECKING:
    from pathlib import Path

    from analytics.baselines.port import Floats, HoursOfWeek

SATURDAY = 5
YEARS = range(1999, 2031)


@dataclass(frozen=True)
class TaskFolder:
    """What a model may see of a task."""

    folder: Path

    @cached_property
    def task(self) -> dict[str, Any]:
        """The content of ``task.json``."""
        found: dict[str, Any] = json.loads((self.folder / "task.json").read_text())
        return found

    @property
    def kind(self) -> str:
        """``savings``, ``operational``, ``alarms``, ``drift``, ``leaks``, ``silence`` or ``testbed``."""
        return str(self.task["kind"])

    @cached_property
    def meters(self) -> pd.DataFrame:
        """Zone, holidays and unit of each meter."""
        return pd.read_csv(self.folder / "meters.csv", index_col="meter", keep_default_na=False)

    @cached_property
    def index(self) -> pd.DatetimeIndex:
        """All hours of training and test, without a gap."""
        first, last = min(self.span("train")[0], self.span("test")[0]), max(self.span("train")[1], self.span("test")[1])
        return pd.date_range(first, last, freq="h", inclusive="left")

    def span(self, part: str) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Start and end, excluded, of ``train`` or ``test``."""
        start, end = self.task[part]
        return pd.Timestamp(start), pd.Timestamp(end)

    def rows(self, part: str) -> slice:
        """The hours of ``train`` or ``test`` in ``index``."""
        start, end = self.span(part)
        return slice(int(self.index.searchsorted(start)), int(self.index.searchsorted(end)))

    @cached_property
    def series(self) -> dict[str, pd.DataFrame]:
        """Readings by series, hours x meters."""
        return {name: self._table(name) for name in self.task["series"]}

    def _table(self, name: str) -> pd.DataFrame:
        table = pd.read_parquet(self.folder / f"{name}.parquet")
        return table if self.kind == "testbed" else table.astype(float).reindex(self.index)

    @cached_property
    def weather(self) -> dict[str, Floats]:
        """Columns of the weather station on ``index``; empty where there is none."""
        path = self.folder / "weather.parquet"
        if not path.exists():
            return {}
        table = pd.read_parquet(path).astype(float).reindex(self.index).interpolate(limit=6)
        return {name: table[name].to_numpy() for name in table}

    @cached_property
    def temp_c(self) -> Floats | None:
        """Temperature outside, (hours,)."""
        return self.weather.get("temp_c")

    @cached_property
    def _hours(self) -> dict[tuple[str, str], Hours]:
        return {}

    def hours(self, meter: str) -> Hours:
        """What the hours of a meter are, by the product's own calendar, and the weather in them."""
        key = str(self.meters.zone[meter]), str(self.meters.holidays[meter])
        if key not in self._hours:
            t_ms = self.index.to_numpy("datetime64[ms]").astype(np.int64)
            local = SiteCalendar(_site(*key)).local_hours(t_ms)
            closed = local.closed & (local.weekday < SATURDAY)
            self._hours[key] = Hours(local.hour_of_week_closed, self.temp_c, closed, self.weather.get("ghi_wm2"))
        return self._hours[key]

    def hour_of_week(self, meter: str) -> HoursOfWeek:
        """Local hour of the week, closed days as Sundays; (hours,)."""
        return self.hours(meter).hour_of_week

    @property
    def heats(self) -> bool:
        """Whether its meters count gas or heat, which follow the cold: the product knows it from a meter's utility."""
        return str(self.task.get("task", "")).startswith(("gas", "heat"))


def _site(zone: str, holidays: str) -> Site:
    """The site that a meter lies in; where stamps are local already its clocks never change."""
    country, _, part = holidays.partition("-")
    subdivision = {"ENG": "ENG", "ON": "ON"}.get(part, "")
    year_ends = tuple(Closure(date(year, 12, 24), date(year + 1, 1, 1)) for year in YEARS)
    return Site("bench", Name("Bench"), zone or "Etc/UTC", "EUR", holiday_country=country,
                holiday_subdivision=subdivision, closures=year_ends)  # fmt: skip
