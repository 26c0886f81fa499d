"""Indicators of a building's days: use per area over twelve months, rating, degree days, minimum night flow.

Each is NaN where it cannot be known for all of the time that it speaks of, never a part of it and never 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from accounting.arrays import Bools, Floats
    from accounting.local_time import Times

HEATING_BASE_C, COOLING_BASE_C = 18.0, 26.0
"""HDD18 and CDD26, the pair of China's code for thermal design of buildings (GB 50176-2016; the section is not
confirmed). 18 °C is Statistics Netherlands' base too (cbs.nl, "Heating degree days")."""

NIGHT_HOURS = (1, 2, 3, 4)
"""Local hours in which flow is least: water networks look from 01:00 or 02:00 to 04:00 or 05:00."""

REFERENCE_NIGHTS, FEWEST_NIGHTS = 28, 7
REFERENCE_SHARE = 0.2
"""The 20 % quantile of nights: the estimator of night flow in UKWIR 99/WM/08/21, there over 7 days, here over 28, so
that a week of leaking does not become what is expected."""


def degree_days(mean_c: Floats) -> tuple[Floats, Floats]:
    """Heating and cooling degree days (K d) of days with these mean outdoor temperatures (n,), °C."""
    return np.maximum(HEATING_BASE_C - mean_c, 0.0), np.maximum(mean_c - COOLING_BASE_C, 0.0)


def year_sums(days: Times, qty: Floats, known: Bools) -> Floats:
    """Use in the twelve months that end with each day, (n,); NaN where one of their days is not wholly ``known``.

    ``days`` are rising numbers since 1970-01-01. Twelve months before 29 February begin on 1 March.
    """
    running = np.concatenate(([0.0], np.cumsum(np.where(known, qty, 0.0))))
    count = np.concatenate(([0], np.cumsum(known)))
    before = year_before(days)
    first, end = np.searchsorted(days, before, side="right"), np.arange(1, len(days) + 1)
    whole = count[end] - count[first] == days - before
    return np.where(whole, running[end] - running[first], np.nan)


def year_before(days: Times) -> Times:
    """The same day of the year before each of these, (n,) numbers since 1970-01-01; of 29 February the 28th."""
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    of_month = days - months.astype("datetime64[D]").astype(np.int64)
    earlier = months - 12
    last = (earlier + 1).astype("datetime64[D]").astype(np.int64) - 1
    same: Times = np.minimum(earlier.astype("datetime64[D]").astype(np.int64) + of_month, last)
    return same


def rating(intensity: Floats, typical: float) -> Floats:
    """Points (n,): 100 is typical, less is better, as the operational rating of CIBSE TM46:2008 (there of CO2)."""
    return 100.0 * intensity / typical


def night_minimum(flow: Floats, is_night: Bools, starts: Times) -> Floats:
    """The least of the flows (n,) of the hours of each day's night; days begin at rows ``starts`` (d,).

    NaN where one of the hours is not known, or the day has no night.
    """
    least: Floats = np.minimum.reduceat(np.where(is_night, flow, np.inf), starts)
    return np.where(np.isinf(least), np.nan, least)


def night_reference(days: Times, minimum: Floats) -> Floats:
    """The night flow that each day's 28 nights before lead to expect, (n,); NaN where fewer than 7 are known.

    ``days`` are rising numbers since 1970-01-01, ``minimum`` (n,) the night flows of these days.
    """
    reference = np.full(len(days), np.nan)
    first = np.searchsorted(days, days - REFERENCE_NIGHTS)
    for row, start in enumerate(first.tolist()):
        nights = np.sort(minimum[start:row])  # what is not known comes last
        known = len(nights) - int(np.isnan(nights).sum())
        if known >= FEWEST_NIGHTS:
            place = REFERENCE_SHARE * (known - 1)
            below = int(place)
            reference[row] = nights[below] + (nights[below + 1] - nights[below]) * (place - below)
    return reference
