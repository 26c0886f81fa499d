"""The rollup contract (DESIGN 11): which measurements exist, their tags, their fields, and how long they are kept.

No figure is a tag, so writing an hour again overwrites it; where the registry changes a tag, a recompute moves the
rows. Times are UTC; a day is stamped at its local midnight. ``stores.readings.rollup_fields`` says what each field is.
"""

from __future__ import annotations

import dataclasses
from enum import StrEnum, unique
from typing import TYPE_CHECKING

from accounting.local_time import DAY_MS, HOUR_MS, MINUTE_MS
from facility.errors import Rejected
from stores.readings import rollup_fields as of
from stores.readings.rollup_columns import check_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stores.readings.port import RollupSeries
    from stores.readings.rollup_columns import FieldType
    from stores.readings.rollup_fields import RollupField


@unique
class RetentionClass(StrEnum):
    """Rows of one class are kept for one and the same time, which whoever runs the store chooses."""

    RAW = "raw"  # for as long as readings
    HOURLY = "hourly"
    DAILY = "daily"


@dataclasses.dataclass(frozen=True, slots=True)
class Rollup:
    """One measurement: the tags that name a series, its fields by name, how far apart rows are, how long they are kept.

    ``each`` says what has a row. Of hours and days ``step_ms`` is that of ordinary ones. ``total`` names the rollup in
    which the rows of a building's head meters are summed; it is empty where none is.
    """

    each: str
    tags: tuple[str, ...]
    said: Mapping[str, RollupField]
    step_ms: int
    retention: RetentionClass
    total: str = ""
    types: Mapping[str, FieldType] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        """Stores ask for the types of fields, again and again."""
        object.__setattr__(self, "types", {name: one.type for name, one in self.said.items()})

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields a row may hold."""
        return tuple(self.said)


TAGS: Mapping[str, str] = {
    "site": "the estate",
    "building": "the building; none: of the whole estate",
    "utility": "electricity, water, gas, heat, cooling; none: of no utility",
    "meter": "the meter; none: of no single one",
    "role": "head, sub, check, virtual: how the meter enters its building's total",
    "enduse": "what the use is for",
    "quantity": "what is read: a word of facility.quantities",
    "channel": "which of several like quantities of a meter",
    "kind": "alert, holiday, swap, config",
    "type": "of alerts what is wrong: the detector's name",
    "gateway": "the agent",
    "device": "a bus of the agent, or a meter that tells its battery or signal; none: the agent itself",
    "process": "ingest, analytics, console",
    "period": "month, year: the calendar's, by local days",
}
"""What tags mean. Their values come from the registry and the vocabularies alone."""

_METER = ("site", "building", "utility", "meter", "role", "enduse", "quantity")
_POINT = ("site", "building", "utility", "meter", "role", "quantity", "channel")
_BUILDING = ("site", "building", "utility")
_EVENT = ("site", "building", "meter", "kind", "type")
_RAW, _HOURLY, _DAILY = RetentionClass

ROLLUPS: dict[str, Rollup] = {
    "usage_1h": Rollup(
        "counter and hour", _METER, {**of.USE, **of.HOUR, **of.QUALITY}, HOUR_MS, _HOURLY, total="building_1h"
    ),
    "usage_1d": Rollup("counter and local day", _METER, of.USE, DAY_MS, _DAILY, total="building_1d"),
    "building_1h": Rollup("building, utility and hour", _BUILDING, {**of.USE, **of.TOTAL, **of.HOUR}, HOUR_MS, _HOURLY),
    "building_1d": Rollup(
        "building, utility and local day", _BUILDING, {**of.USE, **of.TOTAL, **of.DAY}, DAY_MS, _DAILY
    ),
    "baseline_1h": Rollup("counter and hour", _METER, of.BAND, HOUR_MS, _HOURLY),
    "profile_day": Rollup("building, utility and local day, stamped at its end", _BUILDING, of.PROFILE, DAY_MS, _DAILY),
    "live": Rollup("gauge and minute", _POINT, of.LIVE, MINUTE_MS, _RAW),
    "events": Rollup("event, stamped apart from those of its series", _EVENT, of.EVENT, HOUR_MS, _DAILY),
    "device_health": Rollup(
        "agent, bus and radio device, and minute", ("site", "gateway", "device"), of.HEALTH, MINUTE_MS, _RAW
    ),
    "platform_1m": Rollup("kind of process and minute", ("site", "process"), of.PLATFORM, MINUTE_MS, _RAW),
    "score_1m": Rollup(
        "meter and hour, stamped at the minute at which that hour had ended",
        ("site", "building", "utility", "meter"),
        of.SCORE,
        MINUTE_MS,
        _HOURLY,
    ),
    "quota": Rollup(
        "building, utility, period and local day; without a utility of all energy as standard coal",
        ("site", "building", "utility", "period"),
        of.QUOTA,
        DAY_MS,
        _DAILY,
    ),
    "alert_1d": Rollup(
        "building, kind of alert and local day", ("site", "building", "type"), of.ALERTS, DAY_MS, _DAILY
    ),
}
"""Measurement by name."""


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
