"""What a person should know and nothing is stopped by: a closed vocabulary, worded for each reader at last."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any


@unique
class RemarkKind(StrEnum):
    """What there is to know; ``remark.<kind>`` is its text in every catalogue."""

    AGENT_MUST_KNOW = "agent_must_know"
    UNLOCKED_BUS = "unlocked_bus"
    YEAR_WITHOUT_NOTICE = "year_without_notice"
    NO_HEAD_METER = "no_head_meter"
    COUNTER_NOT_READ = "counter_not_read"
    DEVICE_WITHOUT_DATE = "device_without_date"
    MONTH_NOT_BEGUN = "month_not_begun"
    MONTH_NOT_OVER = "month_not_over"
    MONTHLY_CHARGES_WHOLE = "monthly_charges_whole"
    NOTHING_KNOWN = "nothing_known"
    TO_BE_COMPUTED_AGAIN = "to_be_computed_again"
    REGISTERS_DIFFER = "registers_differ"
    SPELL_ASKED = "spell_asked"
    STEP_ASKED = "step_asked"
    REGISTER_STOOD_STILL = "register_stood_still"
    HOURS_MISSING = "hours_missing"
    METER_HOURS_MISSING = "meter_hours_missing"
    DEMAND_UNMEASURED = "demand_unmeasured"
    DAYS_WITHOUT_PRICE = "days_without_price"
    ENTRY_PROPOSED = "entry_proposed"
    USE_NOT_KNOWN = "use_not_known"
    FACTOR_NOT_STATED = "factor_not_stated"
    FIGURE_NOT_STATED = "figure_not_stated"
    FIGURE_STATED_LATE = "figure_stated_late"
    SHARES_NOT_KNOWN = "shares_not_known"
    QUOTA_OF_ANOTHER_SET = "quota_of_another_set"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to know. ``params`` are typed: instants and days, numbers, lists of ids; ``utility`` is a word."""

    kind: RemarkKind
    params: dict[str, Any] = field(default_factory=dict)
