"""The recorded year: real hourly use and outdoor temperature of 1 October 2021 to 31 December 2022, as shipped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

HOUR_MS = 3_600_000
WEEK_H = 168
FILE = "estate_2022.npz"
GAS_KWH_PER_M3 = 11.2  # the source states gas in kWh; meters count m³ (about 39.5 MJ/m³, UK average)


@dataclass(frozen=True)
class Recording:
    """Hourly columns that share one time axis; hour *i* begins at ``start_ms + i`` hours (UTC).

    ``series`` holds kWh in the hour (electricity), m³ in the hour (gas) and °C at the hour (temperature);
    a missing hour is NaN.
    """

    start_ms: int
    series: Mapping[str, NDArray[np.float64]]

    @cached_property
    def hours(self) -> int:
        """Length of the time axis."""
        return len(self.series["temperature"])

    def filled(self, name: str) -> NDArray[np.float64]:
        """The series (hours,) with each missing hour replaced by the mean of the same hour in neighbouring weeks.

        Only registers use it: they have gone on while their meter did not answer.
        """
        hourly = self.series[name].copy()
        for i in np.flatnonzero(np.isnan(hourly)):
            near = [i + week * WEEK_H for week in (-2, -1, 1, 2) if 0 <= i + week * WEEK_H < len(hourly)]
            hourly[i] = np.nanmean(self.series[name][near])
        return hourly


def load_recording() -> Recording:
    """Read the shipped file: tenths of kWh or °C as whole numbers, -1 for a missing hour of use."""
    with as_file(files("demo") / "data" / FILE) as path, np.load(path, allow_pickle=False) as columns:
        start = datetime.fromisoformat(str(columns["start"]))
        series = {name: _column(name, columns[name]) for name in columns.files if name != "start"}
    return Recording(round(start.timestamp() * 1000), series)


def _column(name: str, tenths: NDArray[np.int16]) -> NDArray[np.float64]:
    if name == "temperature":
        return tenths / 10.0
    use = np.where(tenths < 0, np.nan, tenths / 10.0)
    return use / GAS_KWH_PER_M3 if name.endswith("_gas") else use
