"""The rollup contract (DESIGN 11): which measurements exist, their tags, their fields, and how long they are kept.

No figure is a tag, so writing an hour again overwrites it; where the registry changes a tag, a recompute moves the
rows. Times are UTC; a day is stamped at its local midnight. Figures in the utility's unit (kWh, m³), money in the
site's currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING

from accounting.local_time import DAY_MS, HOUR_MS
from facility.errors import Rejected
from facility.tariff import PERIODS
from stores.readings.rollup_columns import FieldType, check_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stores.readings.port import RollupSeries


@unique
class RetentionClass(StrEnum):
    """Rows of one class are kept for one and the same time, which whoever runs the store chooses."""

    HOURLY = "hourly"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class Rollup:
    """One measurement: the tags that name a series, its fields by name, how far apart rows are, how long they are kept.

    Of hours and days ``step_ms`` is that of ordinary ones. ``total`` names the rollup in which the rows of a
    building's head meters are summed; it is empty where none is.
    """

    tags: tuple[str, ...]
    types: Mapping[str, FieldType]
    step_ms: int
    retention: RetentionClass
    total: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields a row may hold."""
        return tuple(self.types)


def _floats(*fields: str) -> Mapping[str, FieldType]:
    """Fields that are figures."""
    return dict.fromkeys(fields, FieldType.FLOAT)


_METER_TAGS = ("site", "building", "utility", "meter", "role", "enduse", "quantity")
_BUILDING_TAGS = ("site", "building", "utility")
_PERIOD_FIELDS = tuple(f"{what}_{period}" for what in ("qty", "cost") for period in PERIODS)
_USE = _floats("qty", "est_qty", "complete", "cost", "peak_kw", "completeness", "estimated", "occ", *_PERIOD_FIELDS)
_HOUR = _floats("peak_minute")
_TOTAL = {**_USE, **_floats("expected", "lo", "hi", "excess_cost", "base_qty", "t_out")}

ROLLUPS: dict[str, Rollup] = {
    "usage_1h": Rollup(_METER_TAGS, {**_USE, **_HOUR}, HOUR_MS, RetentionClass.HOURLY, total="building_1h"),
    "usage_1d": Rollup(_METER_TAGS, _USE, DAY_MS, RetentionClass.DAILY, total="building_1d"),
    "building_1h": Rollup(_BUILDING_TAGS, {**_TOTAL, **_HOUR}, HOUR_MS, RetentionClass.HOURLY),
    "building_1d": Rollup(_BUILDING_TAGS, _TOTAL, DAY_MS, RetentionClass.DAILY),
    "baseline_1h": Rollup(_METER_TAGS, _floats("expected", "lo", "hi", "model"), HOUR_MS, RetentionClass.HOURLY),
}
"""Measurement by name. ``complete`` is 0 or 1, ``occ`` a code of ``accounting.calendars``; ``completeness`` and
``estimated`` are shares of the row's time (0–1), and what is left of it is missing; ``peak_minute`` is the minute of
the hour at which the quarter of ``peak_kw`` begins."""


def rollup_called(name: str) -> Rollup:
    """The rollup of that name; raises ``Rejected`` naming those that exist."""
    try:
        return ROLLUPS[name]
    except KeyError:
        raise Rejected("unknown_rollup", f"'{name}' is not one of {', '.join(ROLLUPS)}") from None


def check_series(name: str, series: RollupSeries) -> None:
    """Raise ``Rejected`` where a series does not fit the rollup or its columns differ in length or type."""
    check_tags(name, series.tags, every=True)
    check_fields(name, series.fields)
    types = rollup_called(name).types
    for field, column in series.fields.items():
        if column.shape != series.t_ms.shape:
            raise Rejected("unequal_columns", f"{name}: {field} is {column.shape}, t_ms {series.t_ms.shape}")
        check_column(f"{name}: {field}", types[field], column)


def check_tags(name: str, tags: Iterable[str], *, every: bool) -> None:
    """Raise ``Rejected`` for a tag the rollup does not have and, where ``every`` is asked, for a missing one."""
    known = rollup_called(name).tags
    given = set(tags)
    if unknown := given - set(known):
        raise Rejected("unknown_tag", f"{name} has no tag {_listed(unknown)}; its tags are {', '.join(known)}")
    if every and (missing := set(known) - given):
        raise Rejected("missing_tag", f"{name} needs the tag {_listed(missing)}")


def check_fields(name: str, fields: Iterable[str]) -> None:
    """Raise ``Rejected`` for a field the rollup does not have."""
    known = rollup_called(name).types
    if unknown := set(fields) - known.keys():
        raise Rejected("unknown_field", f"{name} has no field {_listed(unknown)}; its fields are {', '.join(known)}")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))
