"""The fields of rollups: in which unit each is told and what it means. Queries, panels and pages are held to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING

from facility.tariff import PERIODS
from stores.readings.rollup_columns import FieldType

if TYPE_CHECKING:
    from collections.abc import Mapping

PROFILE_HOURS = tuple(f"{hour:02}" for hour in range(24))
"""Hours of the local clock, as the fields of ``profile_day`` end."""


@unique
class FieldUnit(StrEnum):
    """In what a field is told. The first four are as the row's tags or the site have it."""

    USE = "kWh or m3"  # of the row's utility
    LIMITED = "kWh, m3 or kgce"  # of the row's utility; of none standard coal
    READING = "the quantity's own"  # of the row's quantity
    MONEY = "the site's currency"
    KILOWATT = "kW"
    CO2 = "kg CO2"
    INTENSITY = "kWh/m2"  # of twelve months
    FLOW = "L/h"
    TEMPERATURE = "degC"
    DEGREE_DAYS = "K d"
    RATING = "points"  # 100 is typical, less is better
    SHARE = "1"  # 0 to 1
    YES = "0 or 1"
    NUMBER = "number"
    CODE = "code"
    MINUTE = "min"
    SECONDS = "s"
    PER_MINUTE = "1/min"
    PERCENT = "%"
    SIGNAL = "dBm"
    INSTANT = "ms since 1970 UTC"
    TEXT = "text"


_TYPES = {FieldUnit.INSTANT: FieldType.INTEGER, FieldUnit.TEXT: FieldType.TEXT}


@dataclass(frozen=True, slots=True)
class RollupField:
    """One field. Where it cannot be known it is absent, never 0."""

    meaning: str
    unit: FieldUnit

    @property
    def type(self) -> FieldType:
        """What stores keep of it."""
        return _TYPES.get(self.unit, FieldType.FLOAT)


Fields = dict[str, RollupField]


def _fields(**named: tuple[str, FieldUnit]) -> Fields:
    return {name: RollupField(*said) for name, said in named.items()}


def _of_periods(what: str, meaning: str, unit: FieldUnit) -> Fields:
    return {f"{what}_{period}": RollupField(f"{meaning} in the tariff period {period}", unit) for period in PERIODS}


USE: Mapping[str, RollupField] = {
    **_fields(
        qty=("use, measured or estimated", FieldUnit.USE),
        est_qty=("estimated part of the use", FieldUnit.USE),
        complete=("every moment was measured", FieldUnit.YES),
        cost=("what the use costs by the tariff in force", FieldUnit.MONEY),
        co2=("what the use emits, by the factor in force", FieldUnit.CO2),
        peak_kw=("the highest quarter-hour, where all of it was measured", FieldUnit.KILOWATT),
        completeness=("share of the time that was measured, of several heads that of the worst", FieldUnit.SHARE),
        estimated=("share of the time that was estimated, of the same head; what is left is missing", FieldUnit.SHARE),
        occ=("what the time is for the building: a code of accounting.calendars.Occupancy", FieldUnit.CODE),
    ),
    **_of_periods("qty", "use", FieldUnit.USE),
    **_of_periods("cost", "cost of the use", FieldUnit.MONEY),
}
"""Of a counter, or of a building's head meters together, in an hour or a local day."""

HOUR: Mapping[str, RollupField] = _fields(
    peak_minute=("minute of the hour at which the quarter of peak_kw begins", FieldUnit.MINUTE)
)

TOTAL: Mapping[str, RollupField] = _fields(
    expected=("what a normal time would have used; absent where an hour of it has none", FieldUnit.USE),
    lo=("lower edge of the band", FieldUnit.USE),
    hi=("upper edge of the band", FieldUnit.USE),
    excess_cost=("what was used above expected, at the price in force", FieldUnit.MONEY),
    base_qty=("use at the base load: the 5 % quantile of the day's hours", FieldUnit.USE),
    t_out=("mean outdoor temperature", FieldUnit.TEMPERATURE),
    heads=("head meters that the figures are summed of", FieldUnit.NUMBER),
    heads_known=("head meters whose use is known for all of the time", FieldUnit.NUMBER),
)

DAY: Mapping[str, RollupField] = _fields(
    eui12=("use per floor area in the twelve months that end with the day", FieldUnit.INTENSITY),
    rating=("eui12 against what is typical for such a building", FieldUnit.RATING),
    hdd=("heating degree days of the day", FieldUnit.DEGREE_DAYS),
    cdd=("cooling degree days of the day", FieldUnit.DEGREE_DAYS),
    mnf_lph=("least flow of a whole hour from 01:00 to 05:00: the minimum night flow", FieldUnit.FLOW),
    mnf_ref_lph=("the minimum night flow that the 28 nights before lead to expect", FieldUnit.FLOW),
    unaccounted=("use of the head meters that no sub-meter below them has", FieldUnit.USE),
    persons=("who use the utility, as stated for the day", FieldUnit.NUMBER),
)

QUOTA: Mapping[str, RollupField] = _fields(
    quota=("what the building may use in all of the month or year", FieldUnit.LIMITED),
    due=("what of that falls to the time up to the end of the day", FieldUnit.LIMITED),
    used=("what was used up to the end of the day", FieldUnit.LIMITED),
    projected=("what all of the month or year comes to at this pace", FieldUnit.LIMITED),
)

BAND: Mapping[str, RollupField] = _fields(
    expected=("what a normal hour would have used", FieldUnit.USE),
    lo=("lower edge of the band", FieldUnit.USE),
    hi=("upper edge of the band", FieldUnit.USE),
    model=("number of the model in force", FieldUnit.CODE),
)

PROFILE: Mapping[str, RollupField] = {
    **{f"qty_{hour}": RollupField(f"use from {hour}:00 on, local time", FieldUnit.USE) for hour in PROFILE_HOURS},
    **{
        f"ratio_{hour}": RollupField(f"use over expected from {hour}:00 on", FieldUnit.NUMBER) for hour in PROFILE_HOURS
    },
}

LIVE: Mapping[str, RollupField] = _fields(
    value=("newest reading of the minute", FieldUnit.READING),
    n=("readings of the minute", FieldUnit.NUMBER),
)

EVENT: Mapping[str, RollupField] = _fields(
    title_en=("what happened, English", FieldUnit.TEXT),
    title_zh=("what happened, Chinese", FieldUnit.TEXT),
    text_en=("more about it, English", FieldUnit.TEXT),
    text_zh=("more about it, Chinese", FieldUnit.TEXT),
    end_ms=("when it ended; of what lasts when it was last seen, of an instant its stamp", FieldUnit.INSTANT),
    severity=("how soon somebody should look: 1 to 4 of facility.work.Severity", FieldUnit.CODE),
    event_id=("its id: of an alert the alert's", FieldUnit.TEXT),
    path=("its page in the console, below the console's address", FieldUnit.TEXT),
)

SCORE: Mapping[str, RollupField] = _fields(
    score=("how far its use strays in a shape of trouble; from 1 on a person is told", FieldUnit.NUMBER),
    severity=(
        "how soon somebody should look by what was told of it then: 1 to 4 of facility.work.Severity, 0 nothing",
        FieldUnit.CODE,
    ),
)
"""How suspicious a meter was when an hour had ended, as it was known then."""

QUALITY: Mapping[str, RollupField] = _fields(
    heard=("share of the hour's time that lies between readings at most two hours apart", FieldUnit.SHARE),
    gaps=("silences of more than two hours that began in the hour", FieldUnit.NUMBER),
    flat=("the register did not move in the hour, though it was read twice or more", FieldUnit.YES),
    spikes=("readings that were marked suspect", FieldUnit.NUMBER),
    negative=("steps back of the register", FieldUnit.NUMBER),
)
"""How an accounted counter was heard, of raw readings alone: absent of others, and until the hour has ended."""

HEALTH: Mapping[str, RollupField] = _fields(
    age_s=("for how long it has not been heard", FieldUnit.SECONDS),
    state=("1 it speaks, 0 it does not", FieldUnit.YES),
    queue=("readings that wait on it for the server", FieldUnit.NUMBER),
    lost=("readings it could not keep, since it was started", FieldUnit.NUMBER),
    unread=("points that their devices refuse or do not answer for", FieldUnit.NUMBER),
    alarms=("system alarms of it", FieldUnit.NUMBER),
    battery=("battery charge left", FieldUnit.PERCENT),
    rssi=("radio signal strength", FieldUnit.SIGNAL),
)

PLATFORM: Mapping[str, RollupField] = _fields(
    running=("processes of the kind that tell", FieldUnit.NUMBER),
    age_s=("for how long the most silent of them has told nothing", FieldUnit.SECONDS),
    alarms=("system alarms of them", FieldUnit.NUMBER),
    store_errors=("of them: those that cannot reach the store", FieldUnit.NUMBER),
    received_rate=("readings that came in", FieldUnit.PER_MINUTE),
    stored_rate=("readings that were stored", FieldUnit.PER_MINUTE),
    quarantined_rate=("readings that were put into quarantine", FieldUnit.PER_MINUTE),
    queue=("messages that wait to be taken in", FieldUnit.NUMBER),
    latency_p95_s=(
        "from a reading's time to its place in the store, of 95 in 100 live ones at most",
        FieldUnit.SECONDS,
    ),
    series_used=("series that the estate makes in the store", FieldUnit.NUMBER),
    series_budget=("series that are allowed", FieldUnit.NUMBER),
    rollups_behind_s=("for how long what was stored has waited for its rollups", FieldUnit.SECONDS),
    hours_behind_s=("for how long ended hours have waited for detectors", FieldUnit.SECONDS),
)

ALERTS: Mapping[str, RollupField] = _fields(
    raised=("cases that began on the day", FieldUnit.NUMBER),
    settled=("cases whose cause went away, or that got a verdict, on the day", FieldUnit.NUMBER),
    open=("cases that stood open at the end of the day, or stand open now", FieldUnit.NUMBER),
    excess_cost=("what the cases that began on the day have cost so far", FieldUnit.MONEY),
)
