"""The rollup contract (DESIGN 11): which measurements exist, their tags and their fields.

No figure is a tag, so writing an hour again overwrites it; where the registry changes a tag, a recompute moves the
rows. Times are UTC; a day is stamped at its local midnight. Figures in the utility's unit (kWh, m³), money in the
site's currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.errors import Rejected
from facility.tariff import PERIODS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stores.readings.port import RollupSeries


@dataclass(frozen=True, slots=True)
class Rollup:
    """One measurement: the tags that name a series and the fields a row may hold."""

    tags: tuple[str, ...]
    fields: tuple[str, ...]


_METER_TAGS = ("site", "building", "utility", "meter", "role", "enduse", "quantity")
_BUILDING_TAGS = ("site", "building", "utility")
_PERIOD_FIELDS = tuple(f"{what}_{period}" for what in ("qty", "cost") for period in PERIODS)
_USE_FIELDS = ("qty", "est_qty", "complete", "cost", "peak_kw", "completeness", "occ", *_PERIOD_FIELDS)
_BAND_FIELDS = ("expected", "lo", "hi", "excess_cost", "base_qty", "t_out")

ROLLUPS: dict[str, Rollup] = {
    "usage_1h": Rollup(_METER_TAGS, _USE_FIELDS),
    "usage_1d": Rollup(_METER_TAGS, _USE_FIELDS),
    "building_1h": Rollup(_BUILDING_TAGS, _USE_FIELDS + _BAND_FIELDS),
    "building_1d": Rollup(_BUILDING_TAGS, _USE_FIELDS + _BAND_FIELDS),
    "baseline_1h": Rollup(_METER_TAGS, ("expected", "lo", "hi", "model")),
}
"""Measurement by name. ``complete`` is 0 or 1, ``completeness`` 0–1, ``occ`` a code of ``accounting.calendars``."""


def rollup_called(name: str) -> Rollup:
    """The rollup of that name; raises ``Rejected`` naming those that exist."""
    try:
        return ROLLUPS[name]
    except KeyError:
        raise Rejected("unknown_rollup", f"'{name}' is not one of {', '.join(ROLLUPS)}") from None


def check_series(name: str, series: RollupSeries) -> None:
    """Raise ``Rejected`` where a series does not fit the rollup or its columns differ in length."""
    check_tags(name, series.tags, every=True)
    check_fields(name, series.fields)
    for field, column in series.fields.items():
        if len(column) != len(series.t_ms):
            raise Rejected("unequal_columns", f"{name}: {field} has {len(column)} rows, t_ms {len(series.t_ms)}")


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
    known = rollup_called(name).fields
    if unknown := set(fields) - set(known):
        raise Rejected("unknown_field", f"{name} has no field {_listed(unknown)}; its fields are {', '.join(known)}")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))
